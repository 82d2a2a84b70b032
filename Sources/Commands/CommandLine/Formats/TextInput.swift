// Reads whole files that users name, with a limit on their size.

import Glibc
import Wire

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
  do { return try readFile(path, limit: limit) } catch { throw unreadable(path, error, limit) }
}

/// The bytes that a descriptor gives until its end; messages call it `name`.
public func readBytes(
  descriptor: Int32, name: String, limit: Int
) throws(UnreadableFile) -> [UInt8] {
  do { return try readFile(descriptor, limit: limit) } catch {
    throw unreadable(name, error, limit)
  }
}

private func unreadable(_ name: String, _ failure: FileFailure, _ limit: Int) -> UnreadableFile {
  switch failure {
  case .system(let code):
    UnreadableFile("\(shortened(name)) can't be read: \(String(cString: strerror(code)))")
  case .tooLong: UnreadableFile("\(shortened(name)) is larger than \(limit) bytes")
  }
}
