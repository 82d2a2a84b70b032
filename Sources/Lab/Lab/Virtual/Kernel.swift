// The kernel of virtual machines: Debian's own, fetched and unpacked, never installed on
// this machine.

import Glibc

/// A kernel that is ready.
struct Kernel: Equatable {
  /// The directory in the cache.
  var directory: String
  var version: String

  var image: String { directory + "/vmlinuz" }
  /// All its modules as a file system, to be laid over an image.
  var modules: String { directory + "/modules.squashfs" }
  /// The modules that a guest needs before it has that file system, in the order of their loading.
  var early: [String] {
    Files.list(directory + "/early").map { directory + "/early/" + $0 }
  }

  /// Not the one for clouds, which can't mount what its machine shares (9p).
  private static let package = "linux-image-amd64"
  /// What a guest needs to reach its disks, its line, its network and what is shared.
  private static let needed = [
    "virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "squashfs", "overlay",
    "crc32c_generic", "ext4", "9p", "9pnet_virtio",
  ]
  /// Bytes of the disk that a kernel takes while it is unpacked.
  private static let room = 700 << 20
  /// Modules for devices that no virtual machine has, below `kernel`.
  private static let leftOut = [
    "sound", "drivers/gpu", "drivers/media", "drivers/infiniband", "drivers/iio", "drivers/isdn",
    "drivers/staging", "drivers/net/wireless", "drivers/net/ethernet", "drivers/hwmon",
    "drivers/usb", "drivers/scsi", "drivers/input", "drivers/hid", "drivers/mtd",
  ]

  /// The newest kernel of the cache, or one that is fetched.
  static func prepare(
    _ cache: MachineCache, deadline: Deadline, progress: (String) -> Void
  ) throws -> Kernel {
    if let version = Files.list(cache.kernels).last(where: { !$0.contains(".new") }) {
      return Kernel(directory: cache.kernels + "/" + version, version: version)
    }
    for (tool, package) in [("dpkg", "dpkg"), ("depmod", "kmod"), ("mksquashfs", "squashfs-tools")]
    where ToolRun.find(tool) == nil {
      throw LabError("\(tool) is missing; run Scripts/setup, or apt-get install \(package)")
    }
    progress("fetching a kernel (\(package)), once")
    let name = try packageName(deadline)
    let version = String(name.dropFirst("linux-image-".count))
    let directory = try cache.make(version, in: cache.kernels, deadline: deadline) { place in
      try Disk.require(room, in: place, for: "a kernel")
      try unpack(name, version, at: place, deadline)
    }
    return Kernel(directory: directory, version: version)
  }

  /// The package that the general one stands for today.
  private static func packageName(_ deadline: Deadline) throws -> String {
    let answer = try ToolRun.run(
      ["apt-cache", "depends", "--important", package], deadline: deadline)
    let words = answer.output.split(whereSeparator: \.isWhitespace)
    guard let name = words.first(where: { $0.hasPrefix("linux-image-") && $0.contains(".") }) else {
      throw LabError(
        "apt knows no package \(package), which a virtual machine's kernel comes from: run "
          + "apt-get update, on a Debian for amd64")
    }
    return String(name)
  }

  private static func unpack(
    _ name: String, _ version: String, at place: String, _ deadline: Deadline
  ) throws {
    // As a command of env, since apt-get writes to where it is started.
    try run(
      ["env", "-C", place, "apt-get", "-q", "download", name], "fetch \(name)", deadline)
    guard let file = Files.list(place).first(where: { $0.hasSuffix(".deb") }) else {
      throw LabError("apt-get download \(name) brought nothing")
    }
    let tree = place + "/tree"
    try run(["dpkg", "-x", place + "/" + file, tree], "unpack \(file)", deadline)
    for part in leftOut {
      try Files.removeTree("\(tree)/lib/modules/\(version)/kernel/\(part)")
    }
    try run(["depmod", "-b", tree, version], "list the modules of \(file)", deadline)
    try rename(tree + "/boot/vmlinuz-" + version, to: place + "/vmlinuz")
    try chooseEarly(tree + "/lib/modules/" + version, place + "/early")
    // Where the modules of today's Debian are.
    try Files.makeDirectories(tree + "/layer/usr")
    try rename(tree + "/lib", to: tree + "/layer/usr/lib")
    try run(
      [
        "mksquashfs", tree + "/layer", place + "/modules.squashfs", "-comp", "lz4", "-all-root",
        "-noappend", "-no-progress", "-quiet",
      ], "pack the modules of \(file)", deadline)
    try Files.removeTree(tree)
    try Files.removeTree(place + "/" + file)
  }

  private static func rename(_ path: String, to target: String) throws {
    guard Glibc.rename(path, target) == 0 else { throw LabError.system("move", path) }
  }

  static func run(_ words: [String], _ purpose: String, _ deadline: Deadline) throws {
    let answer = try ToolRun.run(words, deadline: deadline)
    guard answer.code == 0 else {
      throw LabError("cannot \(purpose): \(answer.complaint)")
    }
  }

  /// Copies what is loaded early, with all that it depends on, numbered in the order of loading.
  private static func chooseEarly(_ modules: String, _ target: String) throws {
    let table = try Files.readText(modules + "/modules.dep")
    let builtIn = try Files.readText(modules + "/modules.builtin")
    for name in needed where !(table + builtIn).contains("/\(name).ko") {
      throw LabError("this kernel has no module \(name), which virtual machines need")
    }
    let chosen = loadingOrder(of: needed, table)
    try Files.makeDirectories(target)
    for (number, path) in chosen.enumerated() {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      let place = String(number + 100).dropFirst()
      try Files.write(try Files.read(modules + "/" + path), to: "\(target)/\(place)-\(name)")
    }
  }

  /// The paths of modules and of all that they depend on, each after what it needs.
  ///
  /// - Parameter table: what depmod wrote: `path: what it needs, nearest first`.
  static func loadingOrder(of names: [String], _ table: String) -> [String] {
    var needs: [String: (path: String, others: [String])] = [:]
    for line in table.split(separator: "\n") {
      let halves = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2, let file = halves[0].split(separator: "/").last else { continue }
      let name = String(file.prefix { $0 != "." }).replacing("-", with: "_")
      needs[name] = (String(halves[0]), halves[1].split(separator: " ").map(String.init))
    }
    var order: [String] = []
    for name in names {
      guard let (path, others) = needs[name] else { continue }
      for module in others.reversed() + [path] where !order.contains(module) {
        order.append(module)
      }
    }
    return order
  }
}
