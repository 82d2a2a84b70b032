// Small files, whole: read and written. Errors name the path and the reason.

import Glibc

/// A system call that failed.
struct SystemError: Error, CustomStringConvertible {
  let what: String
  let code: Int32

  init(_ what: String, code: Int32 = errno) {
    self.what = what
    self.code = code
  }

  var description: String { "\(what): \(String(cString: strerror(code)))" }
}

/// Whole-file operations.
enum Files {
  /// No file that the agent reads is longer, in bytes.
  static let sizeLimit = 1 << 20

  /// The bytes of a file, at most ``sizeLimit`` of them.
  static func read(_ path: String) throws(SystemError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw SystemError("cannot open \(path)") }
    defer { close(file) }
    var bytes: [UInt8] = []
    while bytes.count < sizeLimit {
      let chunk = try Descriptors.read(file, upTo: 16 << 10, named: path)
      if chunk.isEmpty { break }
      bytes += chunk
    }
    return bytes
  }

  /// The text of a file, without blanks and line ends around it; `nil` if it can't be read.
  static func text(_ path: String) -> String? {
    guard let bytes = try? read(path) else { return nil }
    return String(decoding: bytes, as: UTF8.self).trimmed
  }

  /// Writes into a file that is there, with one call, as control files of the kernel want it.
  static func control(_ path: String, _ text: String) throws(SystemError) {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { throw SystemError("cannot open \(path)") }
    defer { close(file) }
    var text = text
    let count = text.withUTF8 { Glibc.write(file, $0.baseAddress, $0.count) }
    guard count >= 0 else { throw SystemError("cannot write \"\(text)\" to \(path)") }
  }

  /// Makes a file that only `owner` can read.
  static func create(_ path: String, _ bytes: [UInt8], owner: uid_t) throws(SystemError) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o400)
    guard file >= 0 else { throw SystemError("cannot make \(path)") }
    defer { close(file) }
    try Descriptors.write(file, bytes, named: path)
    guard fchown(file, owner, gid_t.max) == 0 else {
      throw SystemError("cannot give \(path) to the user \(owner)")
    }
  }

  /// Makes a directory and those above it; one that is there is fine.
  static func makeDirectories(_ path: String, mode: mode_t) throws(SystemError) {
    if mkdir(path, mode) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      throw SystemError("cannot make the directory \(path)")
    }
    try makeDirectories(String(path[..<slash]), mode: mode)
    guard mkdir(path, mode) == 0 || errno == EEXIST else {
      throw SystemError("cannot make the directory \(path)")
    }
  }

  /// The names in a directory, without `.` and `..`; none if it can't be read.
  static func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}

/// Reads and writes of descriptors, repeated when a signal interrupts them.
enum Descriptors {
  /// What a read gives now: bytes, none at the end.
  static func read(_ file: Int32, upTo count: Int, named name: String) throws(SystemError)
    -> [UInt8]
  {
    while true {
      var size = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        size = Glibc.read(file, buffer.baseAddress, count)
        filled = max(0, size)
      }
      if size >= 0 { return bytes }
      if errno != EINTR { throw SystemError("cannot read \(name)") }
    }
  }

  /// Writes all the bytes of a blocking descriptor.
  static func write(_ file: Int32, _ bytes: [UInt8], named name: String) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(file, $0.baseAddress.map { $0 + done }, $0.count - done)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw SystemError("cannot write \(name)")
      }
      done += count
    }
  }
}

extension StringProtocol {
  /// Without blanks and line ends around it.
  var trimmed: String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == "\0" }
    let head = drop(while: isBlank)
    guard let last = head.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(head[...last])
  }
}
