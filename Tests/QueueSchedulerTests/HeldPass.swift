// A pass in the middle of its work: it waits for a lock that the test holds, and the test makes trouble.

import Glibc
import LabFixture
import PostgreSQLFixture
import Testing

/// A program with the process in it that makes the pass.
struct HeldPass {
  let process: Subprocess
  let worker: pid_t
  /// Holds the lock.
  private let client: TestClient

  fileprivate init(_ site: QueueSite, on lock: String, start: () throws -> Subprocess) throws {
    client = try TestClient(site.database)
    _ = try client.rows("BEGIN; LOCK TABLE \(lock)")
    process = try start()
    try client.awaitWaiter()
    worker = try #require(Self.child(of: process.pid))
  }

  /// The end of the program.
  func finish() async throws -> CommandResult {
    try await offThread { [process] in try process.finish() }
  }

  /// Lets go of the lock.
  func release() throws { _ = try client.rows("ROLLBACK") }

  private static func child(of pid: pid_t) -> pid_t? {
    guard let file = fopen("/proc/\(pid)/task/\(pid)/children", "r") else { return nil }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 64)
    guard fgets(&buffer, 64, file) != nil else { return nil }
    return buffer.withUnsafeBufferPointer { $0.baseAddress.map { pid_t(atoi($0)) } }
  }
}

extension QueueSite {
  /// A pass of kamelot's that waits before it writes.
  func held() throws -> HeldPass {
    try HeldPass(self, on: "gantt_jobs_predictions") {
      try start("default", "\(Self.now)", "x")
    }
  }

  /// A pass of kao's that has written a part of its transaction.
  func heldKao() throws -> HeldPass {
    try HeldPass(self, on: "gantt_jobs_predictions_visu IN SHARE MODE", start: startKao)
  }
}
