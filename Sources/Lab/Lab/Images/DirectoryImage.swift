// A directory that holds a root file system, used as it is where it is.

import Glibc

extension ImageStore {
  func directoryImage(_ path: String, _ work: StoreWork) throws -> Image {
    guard path.hasPrefix("/") else {
      throw LabError("\(path) can't be a root file system: its path must be absolute")
    }
    guard let real = Files.resolve(path), Files.isDirectory(real) else {
      throw LabError("\(path) can't be a root file system: there is no such directory")
    }
    guard real != "/" else {
      throw LabError("/ is this machine's own root; say `host` for it")
    }
    try Self.checkRoot(real, named: path)
    var status = stat()
    guard stat(real, &status) == 0 else { throw LabError.system("examine", path) }
    // What is installed there says most about it; the directory itself tells copies apart.
    var dpkg = stat()
    let installed =
      stat(real + "/var/lib/dpkg/status", &dpkg) == 0
      ? "\(dpkg.st_mtim.tv_sec).\(dpkg.st_mtim.tv_nsec) \(dpkg.st_size)" : "none"
    let key = try Digest.of(
      ["directory 1", real, "\(status.st_dev) \(status.st_ino)", installed],
      deadline: work.deadline)
    return Image(key: key, origin: path, directories: [real])
  }

  /// Refuses a directory that is not the root of a system.
  static func checkRoot(_ root: String, named name: String) throws {
    func has(_ path: String) -> Bool { Files.isDirectory(root + path) || Files.isLink(root + path) }
    guard has("/etc"), has("/usr/bin") || has("/bin") else {
      throw LabError(
        "\(name) does not hold a root file system: it needs /etc, and /usr/bin or /bin")
    }
  }
}
