// What a host remembers of its lending, over reboots: the last order, with its epoch.

import Encoding
import Glibc
import Wire

/// The order on the disk, a small file that is replaced as a whole.
struct LendingRecord {
  let directory: String

  private var path: String { "\(directory)/lending" }

  /// The last order; `nil` if there was none.
  ///
  /// - Throws: for a file that can't be read: then nobody knows whether pods may run.
  func read() throws(SystemError) -> LendingOrder? {
    let bytes: [UInt8]
    do {
      bytes = try Files.read(path)
    } catch  where error.code == ENOENT {
      return nil
    }
    do {
      return try CBORDecoder().decode(LendingOrder.self, from: bytes)
    } catch {
      throw SystemError("the order in \(path) can't be read (\(error))", code: EINVAL)
    }
  }

  /// Returns once it is on the disk.
  func write(_ order: LendingOrder) throws(SystemError) {
    let bytes: [UInt8]
    do {
      bytes = try CBOREncoder().encode(order)
    } catch {
      throw SystemError("cannot write down an order (\(error))", code: EINVAL)
    }
    let new = "\(path).new"
    let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw SystemError("cannot make \(new)") }
    defer { close(file) }
    try Descriptors.write(file, bytes, named: new)
    guard fdatasync(file) == 0, rename(new, path) == 0 else {
      throw SystemError("cannot replace \(path)")
    }
    let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw SystemError("cannot open \(directory)") }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw SystemError("cannot make \(path) durable") }
  }
}
