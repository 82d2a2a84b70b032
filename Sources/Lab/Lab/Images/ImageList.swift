// What is in the store, and its removal: one layer, or all that nothing needs any more.

import Glibc

extension ImageStore {
  /// All layers, newest first.
  public func layers() -> [StoredLayer] {
    let exports = Files.list(directory + "/exports")
    return records().map { record in
      var status = stat()
      let used = stat(self.record(record.key), &status) == 0 ? Int(status.st_mtim.tv_sec) : 0
      let exported = exports.filter { $0.hasPrefix(record.key + ".") }
        .reduce(0) { $0 + Disk.usage(of: directory + "/exports/" + $1) }
      return StoredLayer(
        key: record.key, origin: record.origin, size: record.size + exported, made: record.made,
        used: used, below: record.below)
    }.sorted { ($1.made, $0.key) < ($0.made, $1.key) }
  }

  private func records() -> [LayerRecord] {
    Files.list(directory + "/layers").compactMap(layerRecord)
  }

  /// Removes one layer, named by its key or the first digits of it.
  ///
  /// - Throws: ``LabError`` if no layer or several have such a key, others lie on it, or a host has it.
  public func remove(_ name: String) throws {
    let records = records()
    let found = records.filter { $0.key.hasPrefix(name) }
    guard found.count == 1, let record = found.first, !name.isEmpty else {
      throw LabError(
        found.isEmpty
          ? "there is no image \(name); `liburna lab images` lists those that are there"
          : "\(found.count) images begin with \(name); give more digits")
    }
    if let above = records.first(where: { $0.below.contains(record.key) }) {
      throw LabError(
        "\(record.origin) is needed by \(above.origin) (\(above.key.prefix(12))); remove that first"
      )
    }
    guard !keysInUse().contains(record.key) else {
      throw LabError("\(record.origin) is the root of hosts that run; stop their lab first")
    }
    try discard(record.key)
  }

  /// Removes all layers but those that running hosts, or these keys, need; gives the bytes that it
  /// freed.
  public func removeUnused(keeping keys: Set<String> = []) throws -> Int {
    clean()
    let records = records()
    var kept = keys.union(keysInUse())
    for record in records where kept.contains(record.key) { kept.formUnion(record.below) }
    var freed = 0
    // Those on top go first, so that an interruption leaves no layer without what it lies on.
    for record in records.sorted(by: { $0.below.count > $1.below.count })
    where !kept.contains(record.key) {
      freed += record.size
      try discard(record.key)
    }
    for name in Files.list(directory + "/exports") {
      let key = String(name.prefix { $0 != "." })
      guard !kept.contains(key) else { continue }
      freed += Disk.usage(of: directory + "/exports/" + name)
      try Files.removeTree(directory + "/exports/" + name)
    }
    return freed
  }

  /// Removes everything, but what running hosts need; the directory too if nothing is left.
  public func removeAll() throws {
    _ = try removeUnused()
    for name in ["logs", "digests"] { try Files.removeTree(directory + "/" + name) }
    for name in ["building", "layers", "exports"] { rmdir(directory + "/" + name) }
    rmdir(directory)
  }

  /// Removes what dead tools left half-made. What others are just making stays.
  public func clean() {
    for name in Files.list(directory + "/building") {
      guard let lock = StoreLock(free: building(name)) else { continue }
      try? Leftovers.remove(building(name))
      lock.release()
    }
    // A layer is one by its record, which is written before it is put in place.
    for key in Files.list(directory + "/layers") where !Files.exists(record(key)) {
      try? Leftovers.remove(layer(key))
    }
  }

  private func discard(_ key: String) throws {
    // Without its record it is no layer any more, whatever happens then.
    try Files.removeTree(record(key))
    for kind in Export.allCases {
      try Files.removeTree(directory + "/exports/\(key).\(kind.rawValue)")
    }
    try Leftovers.remove(layer(key))
  }

  /// The keys of the layers that are mounted anywhere on this machine, in whatever namespace.
  private func keysInUse() -> Set<String> {
    let mark = directory + "/layers/"
    var seen: Set<ino_t> = []
    var keys: Set<String> = []
    for process in Files.list("/proc") where process.allSatisfy(\.isNumber) {
      var status = stat()
      guard stat("/proc/\(process)/ns/mnt", &status) == 0, seen.insert(status.st_ino).inserted,
        let mounts = try? Files.readText("/proc/\(process)/mountinfo")
      else { continue }
      for part in mounts.split(separator: mark).dropFirst() {
        keys.insert(String(part.prefix { $0.isHexDigit }))
      }
    }
    return keys
  }
}
