// Whole files: all of them or a reason.

import Glibc
import Testing

@testable import Wire

@Suite("Whole files")
struct WholeFileTests {
  @Test("a file of exactly the limit is read, and one byte more is too long")
  func limit() throws {
    let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    let path = "/tmp/liburna-whole-\(getpid())"
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    try #require(file >= 0)
    defer { unlink(path) }
    #expect(content.withUnsafeBytes { write(file, $0.baseAddress, $0.count) } == content.count)
    close(file)
    #expect(try readFile(path, limit: content.count) == content)
    #expect(throws: FileFailure.tooLong) { try readFile(path, limit: content.count - 1) }
  }

  @Test("what the system refuses is told with its error number")
  func refused() {
    #expect(throws: FileFailure.system(ENOENT)) { try readFile("/nowhere/at/all", limit: 1) }
    #expect(throws: FileFailure.system(EISDIR)) { try readFile("/", limit: 1) }
  }

  @Test("an empty file has no bytes")
  func empty() throws {
    #expect(try readFile("/dev/null", limit: 0).isEmpty)
  }
}
