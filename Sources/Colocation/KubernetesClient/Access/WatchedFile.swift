// A small file that is read again when it changes: tokens and certificates are renewed while we run.

import Glibc
import Wire

struct WatchedFile {
  /// What tells one content from another without reading it.
  private struct Mark: Equatable {
    var device: UInt64
    var file: UInt64
    var size: Int
    var seconds: Int
    var nanoseconds: Int
  }

  let path: String
  /// What it is for, in messages.
  let purpose: String
  /// The most bytes of such a file: a bundle of all public authorities has a quarter of a megabyte.
  static let limit = 4 << 20

  private var mark: Mark?
  private var bytes: [UInt8] = []

  init(_ path: String, purpose: String) { (self.path, self.purpose) = (path, purpose) }

  /// The content as it is now.
  ///
  /// - Throws: ``KubernetesError/configuration(_:)`` that names the file.
  mutating func content() throws -> [UInt8] {
    var status = stat()
    guard stat(path, &status) == 0 else { throw failure(errorText(errno)) }
    let now = Mark(
      device: UInt64(status.st_dev), file: UInt64(status.st_ino), size: Int(status.st_size),
      seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    if now == mark { return bytes }
    guard status.st_mode & S_IFMT == S_IFREG else { throw failure("it is no file") }
    do {
      bytes = try readFile(path, limit: Self.limit)
    } catch {
      throw failure(error.words(Self.limit))
    }
    mark = now
    return bytes
  }

  /// Forgets what was read.
  mutating func forget() { mark = nil }

  private func failure(_ reason: String) -> KubernetesError {
    .configuration("\(path), \(purpose), can't be read: \(reason)")
  }
}
