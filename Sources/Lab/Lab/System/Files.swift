// Small file operations with errors that name the path: what the lab needs and no more.

import CLinux
import Glibc

enum Files {
  /// The whole of a file, at most `limit` bytes.
  static func read(_ path: String, limit: Int = 16 << 20) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LabError.system("open", path) }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while content.count < limit {
      let got = Glibc.read(descriptor, &chunk, chunk.count)
      guard got >= 0 else { throw LabError.system("read", path) }
      if got == 0 { return content }
      content.append(contentsOf: chunk[0..<got])
    }
    throw LabError("\(path) is larger than \(limit) bytes")
  }

  static func readText(_ path: String) throws -> String {
    String(decoding: try read(path), as: UTF8.self)
  }

  /// The text of a file of the kernel that holds one value, or nil if it can't be read.
  static func value(_ path: String) -> String? {
    guard let text = try? readText(path) else { return nil }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// Writes in place: whoever has the file open or bind-mounted sees the new content.
  static func write(_ content: [UInt8], to path: String, mode: mode_t = 0o644) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw LabError.system("create", path) }
    defer { close(descriptor) }
    try writeAll(content, to: descriptor, path: path)
  }

  static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws {
    try write(Array(text.utf8), to: path, mode: mode)
  }

  /// Replaces a file so that a reader sees the old content or the new, never a part.
  static func replace(_ path: String, with content: [UInt8], mode: mode_t) throws {
    let temporary = path + ".new"
    try write(content, to: temporary, mode: mode)
    guard rename(temporary, path) == 0 else { throw LabError.system("replace", path) }
  }

  /// Writes a value to a file of the kernel, which takes it in one call or not at all.
  static func set(_ value: String, in path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LabError.system("open", path) }
    defer { close(descriptor) }
    let bytes = Array(value.utf8)
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw LabError.system("write \(value) to", path)
    }
  }

  static func writeAll(_ content: [UInt8], to descriptor: Int32, path: String) throws {
    var done = 0
    while done < content.count {
      let put = content.withUnsafeBytes { bytes in
        Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, content.count - done)
      }
      guard put > 0 else { throw LabError.system("write", path) }
      done += put
    }
  }

  /// Makes a directory and those above it; existing ones are left as they are.
  static func makeDirectories(_ path: String, mode: mode_t = 0o755) throws {
    if mkdir(path, mode) == 0 { return }
    if errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      throw LabError.system("create", path)
    }
    try makeDirectories(String(path[..<slash]), mode: 0o755)
    guard mkdir(path, mode) == 0 || errno == EEXIST else { throw LabError.system("create", path) }
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

  /// Whether everybody may enter and list a directory.
  static func isOpenToAll(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & 0o005 == 0o005
  }

  /// The names in a directory, sorted; empty if it can't be read.
  static func list(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Where a symbolic link leads to, or nil for anything else.
  static func linkTarget(_ path: String) -> String? {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let size = readlink(path, &target, target.count - 1)
    return size > 0
      ? String(decoding: target[..<size].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
  }

  /// The permission bits of a directory, or nil for anything else.
  static func directoryMode(_ path: String) -> mode_t? {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
    return status.st_mode & 0o7777
  }

  /// Makes a directory of an overlay's layer hide what lower layers have in its place.
  static func makeOpaque(_ path: String) throws {
    let error = clinux_ns_make_opaque(path)
    guard error == 0 else { throw LabError.system("make opaque", path, error) }
  }

  /// What comes from a descriptor until its end, at most a few lines.
  static func rest(of descriptor: Int32) -> String {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let got = Glibc.read(descriptor, &chunk, chunk.count)
    return String(decoding: chunk[..<max(0, got)], as: UTF8.self)
  }

  /// How often a directory is emptied that somebody fills again.
  private static let removalAttempts = 50

  /// Removes a directory and what is in it, or a file; one that is gone already is fine.
  static func removeTree(_ path: String) throws {
    if isDirectory(path) {
      // A process of a tool that was just killed may still write its last file.
      for attempt in 1...removalAttempts {
        for name in list(path) { try removeTree(path + "/" + name) }
        if rmdir(path) == 0 || errno == ENOENT { return }
        guard errno == ENOTEMPTY, attempt < removalAttempts else {
          throw LabError.system("remove", path)
        }
        usleep(2000)
      }
    } else {
      guard unlink(path) == 0 || errno == ENOENT else { throw LabError.system("remove", path) }
    }
  }

  /// The path with every symbolic link followed, or nil if there is no such file.
  static func resolve(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The most links that a path may lead over, as of the kernel.
  private static let linkLimit = 40

  /// Where a path of a host leads, as seen from outside of its root: links, absolute ones and `..` too,
  /// stay below that. What is not there yet is taken as it is.
  static func place(of path: String, below root: String) -> String {
    guard !root.isEmpty else { return path }
    var rest = Array(path.split(separator: "/").map(String.init).reversed())
    var place: [String] = []
    var links = 0
    while let name = rest.popLast() {
      switch name {
      case ".": continue
      case "..": _ = place.popLast()
      default:
        let next = place + [name]
        guard links < linkLimit,
          let target = linkTarget(root + "/" + next.joined(separator: "/"))
        else {
          place = next
          continue
        }
        links += 1
        if target.hasPrefix("/") { place = [] }
        rest += target.split(separator: "/").map(String.init).reversed()
      }
    }
    return ([root] + place).joined(separator: "/")
  }

  /// The last lines of a log, at most `count`, oldest first.
  static func tail(_ path: String, lines count: Int) -> [String] {
    guard let text = try? readText(path) else { return [] }
    return text.split(separator: "\n").suffix(count).map(String.init)
  }
}
