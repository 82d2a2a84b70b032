// What waits, why, and who goes first: plans as users see them.

import LabFixture
import Testing

@Suite("Waiting and going first", .serialized, .lab("plan", nodes: 2))
struct PlanStories {
  private func lab() async throws -> LabFixture {
    let lab = try LabFixture.here
    try await lab.endAllJobs()
    return lab
  }

  @Test("a job that must wait says for whom and until when, and starts when the other one ends")
  func waiting() async throws {
    let lab = try await lab()
    let blocker = try await lab.submit("-l", "nodes=2,walltime=0:10:0", "sleep 600")
    try await lab.await("Running", of: blocker)
    let waiting = try await lab.submit("-l", "nodes=1,walltime=0:1:0", "true")
    let why = try await lab.run("oarstat", "--why", String(waiting)).stdout
    #expect(why.contains("Job \(waiting) is Waiting"))
    #expect(why.contains("waits for:\n    \(blocker)  user1"), "\(why)")
    #expect(why.contains("planned: "))
    let start = try #require(try await lab.job(blocker).startTime)
    try await lab.eventually("oarstat --json -j \(waiting) | grep -q '\"scheduled_start\": [0-9]'")
    let planned = try #require(try await lab.job(waiting).scheduledStart)
    #expect((start + 600...start + 605).contains(planned))
    let gantt = try await lab.run("oarstat", "--gantt", "--text").stdout
    #expect(gantt.contains("A \(blocker) user1 ×8") && gantt.contains("B \(waiting) user1 ×4"))
    try await lab.run("oardel", String(blocker))
    #expect(try await lab.end(of: waiting).state == "Terminated")
  }

  @Test("a job that waits is told the smallest change that starts it, and the change does")
  func advice() async throws {
    let lab = try await lab()
    let blocker = try await lab.submit("-l", "resource_id=2,walltime=0:10:0", "sleep 600")
    try await lab.await("Running", of: blocker)
    let asked = ["-l", "resource_id=7,walltime=0:1:0", "true"]
    let dry = try await lab.run(["oarsub", "--dry-run"] + asked)
    #expect(dry.exitCode == 0, "\(dry)")
    let told = "It would start now with -l /resource_id=6 instead of /resource_id=7."
    #expect(dry.stdout.contains("Dry run, no job was submitted: it would start at "), "\(dry)")
    #expect(dry.stdout.contains(told), "\(dry)")
    let waiting = try await lab.submitAll(asked)[0]
    #expect(waiting == blocker + 1, "the dry run used up an id")
    try await lab.eventually("oarstat --why \(waiting) | grep -qF '\(told)'")
    let smaller = ["-l", "resource_id=6,walltime=0:1:0", "true"]
    let now = try await lab.run(["oarsub", "--dry-run", "--json"] + smaller).stdout
    #expect(now.contains("\"starts_now\": true"), "\(now)")
    let small = try await lab.submitAll(smaller)[0]
    #expect(try await lab.end(of: small).state == "Terminated")
    #expect(try await lab.job(waiting).state == "Waiting")
    try await lab.endAllJobs()
  }

  @Test("a small job is run before a large one that must wait, if that delays it not")
  func backfilling() async throws {
    let lab = try await lab()
    let blocker = try await lab.submit("-l", "nodes=1,walltime=0:5:0", "sleep 600")
    let large = try await lab.submit("-l", "nodes=2,walltime=0:5:0", "true")
    let tooLong = try await lab.submit("-l", "nodes=1,walltime=1:0:0", "true")
    let small = try await lab.submit("-l", "nodes=1,walltime=0:1:0", "true")
    #expect(try await lab.end(of: small).state == "Terminated")
    #expect(try await lab.job(large).state == "Waiting")
    #expect(try await lab.job(tooLong).state == "Waiting")
    try await lab.run("oardel", String(blocker))
    #expect(try await lab.end(of: large).state == "Terminated")
    #expect(try await lab.end(of: tooLong).state == "Terminated")
  }

  @Test("a besteffort job gives way to another one, and an idempotent one comes back")
  func besteffort() async throws {
    let lab = try await lab()
    let plain = try await lab.submit(
      "-t", "besteffort", "-l", "nodes=1,walltime=0:10:0", "sleep 600")
    let idempotent = try await lab.submit(
      "-t", "besteffort", "-t", "idempotent", "-l", "nodes=1,walltime=0:10:0", "sleep 600",
      as: "user2")
    try await lab.await("Running", of: plain)
    try await lab.await("Running", of: idempotent)
    let favoured = try await lab.submit("-l", "nodes=2,walltime=0:1:0", "true")
    #expect(try await lab.end(of: favoured).state == "Terminated")
    for id in [plain, idempotent] {
      let job = try await lab.job(id)
      #expect(job.state == "Error")
      #expect(job.has(event: "BESTEFFORT_KILL"))
    }
    #expect(try await lab.job(idempotent).has(event: "RESUBMIT_JOB_AUTOMATICALLY"))
    let again = try await lab.jobs("--sql", "resubmit_job_id = \(idempotent)").first
    let copy = try #require(again)
    #expect(copy.user == "user2")
    try await lab.await("Running", of: copy.id)
    #expect(try await lab.jobs("--sql", "resubmit_job_id = \(plain)").isEmpty)
    try await lab.endAllJobs()
  }

  @Test("of several shapes the one that ends first is taken")
  func moldable() async throws {
    let lab = try await lab()
    let shapes = [
      "-l", "nodes=2,walltime=0:2:0", "-l", "resource_id=1,walltime=0:5:0",
      "wc -l < $OAR_NODEFILE; echo $OAR_JOB_WALLTIME",
    ]
    let wide = try await lab.submitAll(shapes)[0]
    #expect(try await lab.end(of: wide).assignedResources.count == 8)
    let blocker = try await lab.submit("-l", "resource_id=1,walltime=0:10:0", "sleep 600")
    try await lab.await("Running", of: blocker)
    let narrow = try await lab.submitAll(shapes)[0]
    #expect(try await lab.end(of: narrow).assignedResources.count == 1)
    #expect(try await lab.read("OAR.\(narrow).stdout") == "1\n0:5:0\n")
    try await lab.endAllJobs()
  }

  @Test("the queue with the higher priority goes first, and a disabled queue waits")
  func queues() async throws {
    let lab = try await lab()
    try await lab.run("oarqueue", "--add", "night,9,kamelot", as: "root", on: "server")
    let blocker = try await lab.submit("-l", "nodes=2,walltime=0:10:0", "sleep 600")
    try await lab.await("Running", of: blocker)
    let first = try await lab.submit("-l", "nodes=2,walltime=0:1:0", "echo first >> order")
    let urgent = try await lab.submit(
      "-q", "night", "-l", "nodes=2,walltime=0:1:0", "echo urgent >> order")
    try await lab.run("oarqueue", "-d", "default", as: "root", on: "server")
    try await lab.run("oardel", String(blocker))
    try await lab.end(of: urgent)
    #expect(try await lab.job(first).state == "Waiting")
    try await lab.run("oarqueue", "-e", "default", as: "root", on: "server")
    try await lab.end(of: first)
    #expect(try await lab.read("order") == "urgent\nfirst\n")
    #expect(
      try await lab.run("oarqueue", "--remove", "night", as: "root", on: "server").exitCode == 0)
  }

  @Test("a held job waits until it is resumed")
  func hold() async throws {
    let lab = try await lab()
    let held = try await lab.submit("--hold", "true")
    let after = try await lab.submit("true")
    try await lab.end(of: after)
    #expect(try await lab.run("oarstat", "-s", "-j", String(held)).stdout == "\(held): Hold\n")
    let resumed = try await lab.run("oarresume", String(held))
    #expect(resumed.stdout == "[\(held)] Resume request was sent to the OAR server.\n")
    #expect(try await lab.end(of: held).state == "Terminated")
    let again = try await lab.run("oarresume", String(held))
    #expect(again.exitCode == 1)
    #expect(again.stderr.contains("/!\\ Cannot resume \(held) : "))
  }
}
