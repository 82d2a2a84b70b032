// Reads whole files into memory, with a limit on their size. Callers say what it means to the user.

import Glibc

/// Why a file was not read.
public enum FileFailure: Error, Hashable, Sendable {
  /// The system refused, with its error number.
  case system(Int32)
  /// It has more bytes than were allowed.
  case tooLong
}

/// The bytes of a file.
///
/// - Parameter limit: the largest size in bytes that is accepted.
public func readFile(_ path: String, limit: Int) throws(FileFailure) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .system(errno) }
  defer { close(descriptor) }
  return try readFile(descriptor, limit: limit)
}

/// The bytes that a descriptor gives until its end; it stays open.
public func readFile(_ descriptor: Int32, limit: Int) throws(FileFailure) -> [UInt8] {
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 64 << 10)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    if count == 0 { return bytes }
    if count < 0 {
      if errno == EINTR { continue }
      throw .system(errno)
    }
    bytes += chunk[..<count]
    guard bytes.count <= limit else { throw .tooLong }
  }
}
