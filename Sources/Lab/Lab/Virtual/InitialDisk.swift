// The file system that a guest's kernel starts from: our own program and the modules it loads first,
// written as the kernel reads it (a cpio archive of the "newc" kind).

import Glibc

struct InitialDisk {
  private var bytes: [UInt8] = []
  private var count: UInt32 = 0

  /// Where modules are.
  static let modules = "/modules"

  /// - Parameters:
  ///   - program: the path of `liburna-host`, which becomes /init.
  ///   - modules: paths, in the order of loading.
  static func write(program: String, modules: [String], to path: String) throws {
    var disk = InitialDisk()
    disk.entry("dev", mode: S_IFDIR | 0o755)
    // The first process writes there before it can make anything.
    disk.entry("dev/console", mode: S_IFCHR | 0o600, device: (5, 1))
    disk.entry(String(Self.modules.dropFirst()), mode: S_IFDIR | 0o755)
    for module in modules {
      let name = module.split(separator: "/").last.map(String.init) ?? module
      disk.entry(
        String(Self.modules.dropFirst()) + "/" + name, mode: S_IFREG | 0o644,
        content: try Files.read(module))
    }
    disk.entry("init", mode: S_IFREG | 0o755, content: try Files.read(program, limit: 128 << 20))
    disk.entry("TRAILER!!!", mode: 0)
    try Files.write(disk.bytes, to: path, mode: 0o600)
  }

  private mutating func entry(
    _ name: String, mode: mode_t, device: (UInt32, UInt32) = (0, 0), content: [UInt8] = []
  ) {
    count += 1
    let links: UInt32 = mode & S_IFMT == S_IFDIR ? 2 : 1
    let fields: [UInt32] = [
      count, mode, 0, 0, links, 0, UInt32(content.count), 0, 0, device.0, device.1,
      UInt32(name.utf8.count + 1), 0,
    ]
    bytes += Array("070701".utf8)
    for field in fields {
      let digits = String(field, radix: 16)
      bytes += Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
    }
    bytes += Array(name.utf8) + [0]
    pad()
    bytes += content
    pad()
  }

  private mutating func pad() { while bytes.count % 4 != 0 { bytes.append(0) } }
}
