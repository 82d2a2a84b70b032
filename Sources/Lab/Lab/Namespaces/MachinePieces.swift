// The machine's own root for hosts of a lab without root. The kernel refuses an overlay of / there, and the
// files of root belong to nobody. So a host's root is put together from pieces, and where software writes,
// the directories (in /etc the files as well) are those of the lab's root.

import Glibc

/// What a host's root consists of.
struct MachinePieces: Equatable {
  /// Directories and links, made on an empty root.
  var skeleton: [PlannedItem] = []
  /// Directories of the machine that hosts see, each with an overlay of its own.
  var layers: [String] = []

  /// Below these, mounts of the machine are gone around; elsewhere a directory with mounts is left out.
  private static let software = ["/usr", "/etc", "/var", "/opt", "/srv"]
  /// What hosts have of their own.
  private static let own = [
    "/proc", "/sys", "/dev", "/run", "/tmp", "/home", "/root", "/lost+found", "/var/tmp",
  ]
  /// The most pieces; beyond, directories stay empty.
  private static let limit = 2000

  /// Finds the pieces of a machine with these mounts.
  init(mounts: [MountEntry]) {
    let points = mounts.map(\.point)
    for name in Files.list("/") { add("/" + name, points) }
  }

  private mutating func add(_ path: String, _ points: [String]) {
    guard skeleton.count < Self.limit else { return }
    if let target = Files.linkTarget(path) {
      skeleton.append(.link(path, to: target))
      return
    }
    guard let mode = Files.directoryMode(path) else { return }
    skeleton.append(.directory(path, mode: mode))
    if Self.own.contains(path) { return }
    let below = path + "/"
    if path == "/etc" || !points.contains(where: { $0.hasPrefix(below) }) {
      if !Files.list(path).isEmpty { layers.append(path) }
    } else if Self.software.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) {
      for name in Files.list(path) { add(below + name, points) }
    }
  }
}

/// The lab's own copies of what is root's on the machine: made once by the holder, seen by all hosts.
struct RootCopies {
  /// Where they are made.
  var directory: String
  private var count = 0

  init(directory: String) { self.directory = directory }

  /// The most directories and files that are copied; the rest is seen as nobody's.
  private static let limit = 20_000
  /// Larger files of /etc are left out, in bytes.
  private static let largest: off_t = 1 << 20
  /// How many levels of directories are copied below these.
  private static let depths = [("/etc", 16), ("/var", 4), ("/usr", 2), ("/opt", 1), ("/srv", 1)]

  /// Copies what a layer needs.
  mutating func make(_ layer: String) throws {
    let found = Self.depths.first { layer == $0.0 || layer.hasPrefix($0.0 + "/") }
    let level = layer.split(separator: "/").count - 1
    try copy(layer, depth: max(0, (found?.1 ?? 0) - level), files: layer == "/etc")
  }

  private mutating func copy(_ path: String, depth: Int, files: Bool) throws {
    guard count < Self.limit, let mode = Files.directoryMode(path) else { return }
    count += 1
    try Files.makeDirectories(directory + path, mode: mode)
    chmod(directory + path, mode)
    guard access(path, R_OK | X_OK) == 0 else {
      // Nobody here may look into it: an empty one is seen instead.
      return try Files.makeOpaque(directory + path)
    }
    guard depth > 0 || files else { return }
    for name in Files.list(path) {
      let child = path + "/" + name
      if Files.isDirectory(child) {
        if depth > 0 { try copy(child, depth: depth - 1, files: files) }
      } else if files {
        try copyFile(child)
      }
    }
  }

  private mutating func copyFile(_ path: String) throws {
    count += 1
    guard count < Self.limit else { return }
    if let target = Files.linkTarget(path) {
      symlink(target, directory + path)
      return
    }
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_size <= Self.largest, let content = try? Files.read(path)
    else { return }
    try Files.write(content, to: directory + path)
    chmod(directory + path, status.st_mode & 0o777)
  }
}

extension HostBoot {
  /// Puts the root together on a piece of the host's disk.
  func mountPieces(_ root: String) throws {
    let base = paths.disk(plan.name) + "/upper:main"
    try Files.makeDirectories(base)
    try Mounts.bind(base, to: root)
    try Installer.install(plan.skeleton, below: root)
    for layer in plan.layers {
      let copy = paths.rootCopies + layer
      // All of /etc is a copy: the machine's own may hold mounts, which an overlay refuses.
      let lower = (Files.isDirectory(copy) ? [copy] : []) + (layer == "/etc" ? [] : [layer])
      let name = layer.dropFirst().replacing("/", with: ":")
      try overlay(lower, named: String(name), on: root + layer)
    }
  }
}
