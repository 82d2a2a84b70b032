// A host that dies, as in a power failure: it is suspected in time, its jobs end with a reason, others
// notice nothing, and it serves again when it is back.

import LabFixture
import Testing

@Suite("Hosts that die", .serialized, .lab("power", configuration: ["LIBURNA_NODE_TIMEOUT=3"]))
struct HostFaults {
  @Test("its jobs end with an event, an idempotent one comes back, and the others go on")
  func powerFailure() async throws {
    let lab = try LabFixture.here
    func submit(_ host: String, _ words: String...) async throws -> Int {
      try await lab.submitAll(["-p", "host = '\(host)'", "-l", "nodes=1,walltime=0:10:0"] + words)[
        0]
    }
    let single = try await submit(
      "node1", "-t", "idempotent", "echo again >> runs; until [ -e over ]; do sleep 0.1; done")
    let spanning = try await lab.submit(
      "-p", "host != 'node1'", "-l", "nodes=2,walltime=0:10:0",
      "until [ -e spanned ]; do sleep 0.1; done; echo all went well")
    try await lab.await("Running", of: single)
    try await lab.await("Running", of: spanning)
    let died = ContinuousClock.now
    try await lab.lab("kill", "node1")
    let lost = try await lab.end(of: single)
    let took = ContinuousClock.now - died
    #expect(took < .seconds(60), "the end was recorded after \(took)")
    #expect(lost.state == "Error")
    #expect(lost.eventTypes.contains("PING_CHECKER_NODE_SUSPECTED_END_JOB"), "\(lost.eventTypes)")
    #expect(try await lab.run("oarnodes", "-s").stdout.contains("    1 : Suspected"))
    #expect(!(try await lab.run("oarnodes", "-s").stdout.contains("    5 : Suspected")))
    #expect(try await lab.job(spanning).state == "Running")
    let copies = try await lab.jobs("--sql", "resubmit_job_id = \(single)")
    let copy = try #require(copies.first)
    #expect(copy.state == "Waiting")
    let waiting = try await submit("node1", "hostname")
    #expect(try await lab.job(waiting).state == "Waiting")
    try await lab.shell("touch over spanned")
    #expect(try await lab.end(of: spanning).state == "Terminated")
    #expect(try await lab.read("OAR.\(spanning).stdout") == "all went well\n")
    try await lab.lab("start", "--keep")
    #expect(try await lab.end(of: waiting).state == "Terminated")
    #expect(try await lab.read("OAR.\(waiting).stdout") == "node1\n")
    #expect(try await lab.job(copy.id).state == "Terminated")
    #expect(try await lab.read("runs") == "again\nagain\n")
    try await lab.eventually("! oarnodes -s | grep -q Suspected")
  }

  @Test("a host that dies while jobs start there costs them nothing but time")
  func powerFailureAtStart() async throws {
    let lab = try LabFixture.here
    let other = try await lab.submit(
      "-p", "host = 'node3'", "-l", "nodes=1,walltime=0:10:0",
      "until [ -e go3 ]; do sleep 0.1; done")
    try await lab.await("Running", of: other)
    try await lab.lab("kill", "node2")
    let id = try await lab.submit(
      "-p", "host = 'node2'", "-t", "idempotent", "-l", "nodes=1,walltime=0:5:0", "hostname >> ran2"
    )
    let first = try await lab.end(of: id)
    #expect(first.state == "Error")
    #expect(first.has(event: "RESUBMIT_JOB_AUTOMATICALLY"), "\(first.eventTypes)")
    let copy = try #require(try await lab.jobs("--sql", "resubmit_job_id = \(id)").first)
    #expect(copy.state == "Waiting")
    try await lab.lab("start", "--keep")
    #expect(try await lab.end(of: copy.id).state == "Terminated")
    #expect(try await lab.read("ran2") == "node2\n")
    try await lab.shell("touch go3")
    #expect(try await lab.end(of: other).state == "Terminated")
  }

  @Test("the server's own host may die: what was submitted is there when it is back")
  func serverHost() async throws {
    let lab = try LabFixture.here
    async let waited = lab.run(
      "oarsub", "--wait", "-n", "survivor", "-l", "resource_id=1",
      "touch survives; until [ -e back ]; do sleep 0.1; done; exit 6")
    try await lab.eventually("[ -e survives ]")
    let running = try #require(try await lab.jobs("--sql", "job_name = 'survivor'").first?.id)
    let held = try await lab.submit("--hold", "-l", "resource_id=1", "true")
    try await lab.await("Running", of: running)
    try await lab.lab("kill", "server")
    // Its address answers no more, not even with a refusal.
    let away = try await lab.run("timeout", "60", "oarstat")
    #expect(away.exitCode == 25, "\(away)")
    try await lab.lab("start", "--keep")
    #expect(try await lab.job(running).state == "Running")
    try await lab.shell("touch back")
    #expect(try await lab.end(of: running).exitCode == 6)
    #expect(try await waited.exitCode == 6)
    #expect(try await lab.job(held).state == "Hold")
  }
}
