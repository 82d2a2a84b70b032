// Programs of a site, as a test writes them: small shell scripts in a folder of its own.

import Glibc
import Testing

enum SiteProgram {
  /// A new folder below /tmp.
  static func makeFolder() throws -> String {
    var template = Array("/tmp/liburna-site-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A script at a path. Another process writes it: one of this test that starts children meanwhile would
  /// hold it open for writing, and nobody could run it.
  static func write(_ path: String, _ body: String) throws {
    let text =
      "cat >\(path) <<'END_OF_SCRIPT'\n#!/bin/sh\n\(body)\nEND_OF_SCRIPT\nchmod 755 \(path)"
    try #require(system(text) == 0)
  }

  /// A pipe that a script can wait at.
  static func gate(_ path: String) throws { try #require(mkfifo(path, 0o600) == 0) }

  /// Lets a script go on that waits at a pipe, or comes to it.
  static func open(_ path: String) throws { try #require(system("echo on >\(path)") == 0) }

  static func lines(_ path: String) -> [String] {
    let file = Glibc.open(path, O_RDONLY)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = max(0, read(file, &buffer, buffer.count))
    return String(decoding: buffer.prefix(count), as: UTF8.self)
      .split(separator: "\n").map { String($0) }
  }

  static func remove(_ folder: String) { _ = system("rm -r \(folder)") }
}

/// Waits until something holds, a minute at most.
func eventually(_ holds: () async throws -> Bool) async throws {
  let deadline = time(nil) + 60
  while try await !holds() {
    try #require(time(nil) < deadline)
    await Task.yield()
  }
}
