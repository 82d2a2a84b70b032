// The end of a lab together with the images that it used and that nothing else needs.

import Glibc

extension Lab {
  /// Ends the lab and removes the layers of its images that no other image lies on and no other lab
  /// uses; gives their keys. Of a lab that is not there no images are known.
  public func destroy() throws -> [String] {
    let store = try ImageStore(program: Self.ownProgram)
    var left = layers(in: store)
    try stop()
    try forgetInstalled()
    var removed: [String] = []
    // What lies on top goes first; what is still needed then is refused by the store, and stays.
    while let key = left.first(where: { (try? store.remove($0)) != nil }) {
      removed.append(key)
      left.remove(key)
    }
    return removed
  }

  /// The keys of the layers that hosts of the lab have as their roots.
  private func layers(in store: ImageStore) -> Set<String> {
    var keys: Set<String> = []
    for name in Files.list(paths.plans) {
      let plan = try? Kept.read(HostPlan.self, from: paths.plans + "/" + name)
      for directory in plan?.image ?? [] where directory.hasPrefix(store.layer("")) {
        let key = directory.dropFirst(store.layer("").count).prefix { $0 != "/" }
        keys.insert(String(key))
      }
    }
    return keys
  }
}
