// A file of this host that is ours by its first line: written as a whole and durably, and never in the place of
// somebody else's.

import Glibc
import Wire

/// The kubeconfig that was installed.
struct OwnFile {
  /// The first line of files that are ours.
  static let mark = "# Written by bebida install; bebida uninstall removes it."
  private static let limit = 1 << 20

  enum State: Equatable {
    case missing
    case ours([UInt8])
    /// With the reason.
    case foreign(String)
  }

  let path: String

  /// What is there now.
  ///
  /// - Throws: ``InstallError`` for what can't be read.
  func state() throws(InstallError) -> State {
    var about = stat()
    guard lstat(path, &about) == 0 else {
      guard errno != ENOENT, errno != ENOTDIR else { return .missing }
      throw problem("look at \(path)")
    }
    guard about.st_mode & S_IFMT == S_IFREG else { return .foreign("it is no plain file") }
    let bytes: [UInt8]
    do {
      bytes = try readFile(path, limit: Self.limit)
    } catch {
      guard case .system(let code) = error else { return .foreign("it is too long") }
      throw problem("read \(path)", code)
    }
    return bytes.starts(with: Self.mark.utf8)
      ? .ours(bytes) : .foreign("it was not written by bebida install")
  }

  /// Why it could not be written; nil if nothing is known against it.
  var obstacle: String? {
    let place = access(folder, F_OK) == 0 ? folder : Self.folder(of: folder)
    guard access(place, W_OK) != 0 else { return nil }
    return "\(path) can't be written: \(place): \(String(cString: strerror(errno)))"
  }

  /// Whether others than its owner may read it.
  var isOpenToOthers: Bool {
    var about = stat()
    return lstat(path, &about) == 0 && about.st_mode & 0o077 != 0
  }

  /// Returns once the file is on the disk, readable by its owner alone: the owner of the one before, if there was one.
  ///
  /// - Parameter content: what follows the mark.
  func write(_ content: [UInt8]) throws(InstallError) {
    let folder = try makeFolder()
    let new = "\(path).new"
    unlink(new)
    let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw problem("make \(new)") }
    defer { close(file) }
    do throws(InstallError) {
      try fill(file, with: Self.bytes(content))
      guard rename(new, path) == 0 else { throw problem("replace \(path)") }
    } catch {
      unlink(new)
      throw error
    }
    try sync(folder)
  }

  /// Returns once the file is gone from the disk.
  func remove() throws(InstallError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw problem("remove \(path)") }
    try sync(folder)
  }

  static func bytes(_ content: [UInt8]) -> [UInt8] { Array((mark + "\n").utf8) + content }

  private func fill(_ file: Int32, with bytes: [UInt8]) throws(InstallError) {
    var before = stat()
    if lstat(path, &before) == 0, fchown(file, before.st_uid, before.st_gid) != 0 {
      throw problem("give \(path) to its owner")
    }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      guard count >= 0 || errno == EINTR else { throw problem("write \(path)") }
      rest = rest.dropFirst(max(0, count))
    }
    guard fsync(file) == 0 else { throw problem("write \(path)") }
  }

  private var folder: String { Self.folder(of: path) }

  private static func folder(of path: String) -> String {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Makes the folder of the file; those above it have to be there.
  private func makeFolder() throws(InstallError) -> String {
    guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw problem("make \(folder)") }
    return folder
  }

  private func sync(_ folder: String) throws(InstallError) {
    let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { throw problem("open \(folder)") }
    defer { close(file) }
    guard fsync(file) == 0 else { throw problem("make \(path) durable") }
  }

  private func problem(_ what: String, _ code: Int32 = errno) -> InstallError {
    InstallError(description: "cannot \(what): \(String(cString: strerror(code)))")
  }
}
