// A pass in the middle of its work: a trigger keeps it for as long as the test wants, and the test makes
// trouble. (A lock on the table would keep it only until our programs lose patience with locks.)

import Glibc
import LabFixture
import PostgreSQLFixture
import Testing

/// A program with the process in it that makes the pass.
struct HeldPass {
  let process: Subprocess
  let worker: pid_t
  /// Holds what the trigger waits for.
  private let client: TestClient

  fileprivate init(_ site: QueueSite, on table: String, start: () throws -> Subprocess) throws {
    client = try TestClient(site.database)
    _ = try client.rows(
      """
      CREATE OR REPLACE FUNCTION hold_pass() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        WHILE NOT pg_try_advisory_xact_lock_shared(1) LOOP PERFORM pg_sleep(0.01); END LOOP;
        RETURN NULL;
      END $$;
      CREATE OR REPLACE TRIGGER hold_pass BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON \(table)
        EXECUTE FUNCTION hold_pass();
      SELECT pg_advisory_lock(1);
      """)
    process = try start()
    try client.awaitSleeper()
    worker = try #require(Self.child(of: process.pid))
  }

  /// The end of the program.
  func finish() async throws -> CommandResult {
    try await offThread { [process] in try process.finish() }
  }

  /// Lets it go on.
  func release() throws { _ = try client.rows("SELECT pg_advisory_unlock(1)") }

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
    try HeldPass(self, on: "gantt_jobs_predictions_visu", start: startKao)
  }
}
