// What a site's database may be like, for both planners: an older schema, columns of the site's own, rows
// with nonsense, a clock that steps.

import Glibc
import LabFixture
import PostgreSQLFixture
import Testing

@Suite("Planners on databases that are not as usual", .serialized) struct SiteFaultTests {
  private func makeSite(_ jobs: [Int] = [1, 2, 4]) async throws -> QueueSite {
    try await QueueSite(jobs: jobs, MetaschedulerProgramTests.settings)
  }

  @Test("the schema of OAR 2.4 with columns of the site's: planned as any other, and not altered")
  func older() async throws {
    let site = try await makeSite()
    defer { site.remove() }
    try site.makeOlder()
    let columns = try site.columns
    let result = try await site.call()
    #expect(result.exitCode == 0 && !result.stderr.contains("ERROR"), "\(result)")
    #expect(try site.plan == ["1@0|1", "2@0|2+3", "3@600|1+2+3+4"])
    let pass = try await site.callKao()
    #expect(pass.exitCode == 0 && !pass.stderr.contains("no pass"), "\(pass)")
    #expect(try site.started == ["1|toLaunch|1", "2|toLaunch|2+3"])
    #expect(try site.columns == columns)
  }

  @Test("rows with nonsense harm no other job of kao's", arguments: Nonsense.statements)
  func nonsense(poison: String) async throws {
    let site = try await makeSite()
    defer { site.remove() }
    try site.database.execute(poison)
    let result = try await site.callKao()
    #expect(result.exitCode == 0 && !result.stderr.contains("by signal"), "\(result)")
    #expect(try site.started.contains { $0.hasPrefix("2|toLaunch|") }, "\(result)")
    #expect(
      try site.database.rows("SELECT queue_name FROM queues WHERE state <> 'Active'").isEmpty)
  }

  @Test("a clock that stepped back or on by years: jobs start all the same, and kao says so")
  func clock() async throws {
    let site = try await makeSite([1])
    defer { site.remove() }
    // The last pass was at a date that the clock of this host does not show yet.
    let future = time(nil) + 100_000_000
    for (last, isSaid) in [(future, true), (1000, false)] {
      try site.database.execute(
        """
        UPDATE gantt_jobs_predictions SET start_time = \(last) WHERE moldable_job_id = 0;
        UPDATE jobs SET state = 'Waiting' WHERE job_id = 1;
        DELETE FROM assigned_resources;
        """)
      let result = try await site.callKao()
      #expect(result.exitCode == 0, "\(result)")
      #expect(result.stderr.contains("the clock went back by") == isSaid, "\(result)")
      #expect(try site.started == ["1|toLaunch|1"])
      let date = try site.database.rows(
        "SELECT start_time FROM gantt_jobs_predictions WHERE moldable_job_id = 0")
      #expect(abs((date.first.flatMap { Int($0) } ?? 0) - time(nil)) < 60, "\(date)")
    }
  }

  @Test("kamelot plans for the date that it is called with, whatever clock and rows say")
  func dates() async throws {
    let site = try await makeSite([1])
    defer { site.remove() }
    for now in [QueueSite.now - 500_000_000, QueueSite.now + 200_000_000] {
      let result = try await site.call("default", "\(now)", "x")
      #expect(result.exitCode == 0 && !result.stderr.contains("ERROR"), "\(result)")
      #expect(try site.plan == ["1@\(now - QueueSite.now)|1"])
    }
  }
}
