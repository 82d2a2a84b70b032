// One server on a database at a time, whichever way it ends: the kernel drops the lock with it.

import Glibc
import Storage

/// The lock of a database, held until the value goes.
final class DatabaseLock {
  private let file: Int32

  /// Takes the lock of the database at `path`: a file beside it, since readers may lock the database.
  init(of path: String) throws(StorageError) {
    let lockPath = path + ".lock"
    let file = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw .failed("\(lockPath) can't be opened: \(systemText(errno)); check the folder")
    }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let holder = Self.content(of: file)
      close(file)
      throw .unusable(
        "\(path) is in use by another server\(holder.isEmpty ? "" : " (process \(holder))"): "
          + "stop it first; two servers would destroy each other's jobs")
    }
    self.file = file
    let text = Array("\(getpid())".utf8)
    ftruncate(file, 0)
    _ = text.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
  }

  // The file stays: removing it would let a third server lock a new file of the same name.
  deinit { close(file) }

  private static func content(of file: Int32) -> String {
    let bytes = [UInt8](unsafeUninitializedCapacity: 20) { buffer, count in
      count = max(0, pread(file, buffer.baseAddress, buffer.count, 0))
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The system's text for an error number.
func systemText(_ code: Int32) -> String { String(cString: strerror(code)) }
