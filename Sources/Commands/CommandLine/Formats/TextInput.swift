// Reads whole files that users name, with a limit on their size.

import Glibc

/// A file that can't be read; the text names it and says why.
public struct UnreadableFile: Error, CustomStringConvertible, Sendable {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// The text of a file.
///
/// - Parameter limit: the largest size in bytes that is accepted.
public func readText(path: String, limit: Int = 256 << 20) throws(UnreadableFile) -> String {
  String(decoding: try readBytes(path: path, limit: limit), as: UTF8.self)
}

/// The text that a descriptor gives until its end; messages call it `name`.
public func readText(
  descriptor: Int32, name: String, limit: Int = 256 << 20
) throws(UnreadableFile) -> String {
  String(
    decoding: try readBytes(descriptor: descriptor, name: name, limit: limit), as: UTF8.self)
}

/// The bytes of a file.
public func readBytes(path: String, limit: Int) throws(UnreadableFile) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw unreadable(path) }
  defer { close(descriptor) }
  return try readBytes(descriptor: descriptor, name: path, limit: limit)
}

/// The bytes that a descriptor gives until its end; messages call it `name`.
public func readBytes(
  descriptor: Int32, name: String, limit: Int
) throws(UnreadableFile) -> [UInt8] {
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 64 << 10)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    if count == 0 { return bytes }
    if count < 0 {
      if errno == EINTR { continue }
      throw unreadable(name)
    }
    bytes += chunk[..<count]
    guard bytes.count <= limit else {
      throw UnreadableFile("\(shortened(name)) is larger than \(limit) bytes")
    }
  }
}

private func unreadable(_ name: String) -> UnreadableFile {
  UnreadableFile(
    "\(shortened(name)) can't be read: \(String(cString: strerror(errno)))")
}
