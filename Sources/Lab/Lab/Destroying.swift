// The end of a lab together with the images that were made for it and that no other lab uses.

import Glibc

extension Lab {
  /// Ends the lab and removes the layers of its images that no other lab of this place uses; gives their
  /// keys. Of a lab that is not there no images are known.
  public func destroy() throws -> [String] {
    let used = layers
    try stop()
    let store = try ImageStore(program: Self.ownProgram)
    let others = Self.all().reduce(into: Set<String>()) { $0.formUnion($1.layers) }
    let mine = used.subtracting(others).filter { $0.hasPrefix(store.layer("")) }.sorted()
    for root in mine { try Files.removeTree(LabPaths.parent(of: root)) }
    return mine.map { String(LabPaths.parent(of: $0).dropFirst(store.layer("").count)) }
  }

  /// The directories that hosts of the lab have as layers of their roots.
  private var layers: Set<String> {
    Files.list(paths.plans).reduce(into: []) { layers, name in
      let plan = try? Kept.read(HostPlan.self, from: paths.plans + "/" + name)
      layers.formUnion(plan?.image ?? [])
    }
  }
}

extension LabPaths {
  fileprivate static func parent(of path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
  }
}
