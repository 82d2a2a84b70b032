// Reservations and changes of walltimes, with real clocks, hosts and processes.

import LabFixture
import Testing

@Suite(
  "Time that is reserved and changed", .serialized,
  .lab(
    "reserve", nodes: 2,
    configuration: ["WALLTIME_CHANGE_ENABLED=yes", "WALLTIME_MAX_INCREASE=7200"]))
struct ReservationStories {
  private func lab() async throws -> LabFixture {
    let lab = try LabFixture.here
    try await lab.endAllJobs()
    return lab
  }

  /// Reserves some seconds from now; the words are the shell's.
  private func reserve(
    _ lab: LabFixture, in seconds: Int, _ words: String
  ) async throws -> CommandResult {
    try await lab.run(
      "bash", "-c", "oarsub -r \"$(date -d '+\(seconds) seconds' '+%F %T')\" \(words)")
  }

  private func id(_ result: CommandResult) throws -> Int {
    let line = result.lines.first { $0.hasPrefix("OAR_JOB_ID=") }
    return try #require(line.flatMap { Int($0.dropFirst("OAR_JOB_ID=".count)) }, "\(result)")
  }

  @Test("a reservation starts on its second with its whole walltime, though the server was killed")
  func onTime() async throws {
    let lab = try await lab()
    let reserved = try await reserve(
      lab, in: 8, "-l nodes=2,walltime=0:1:0 'wc -l < $OAR_NODEFILE > reserved.out; sleep 2'")
    #expect(reserved.exitCode == 0)
    #expect(
      reserved.stdout.hasSuffix(
        "Reservation mode: waiting validation...\nReservation valid --> OK\n"))
    let id = try id(reserved)
    let before = try await lab.job(id)
    #expect(before.state == "Waiting" && before.assignedResources.count == 8)
    try await lab.restartServer()
    let around = try await lab.submit("-l", "nodes=1,walltime=0:1:0", "true")
    #expect(try await lab.job(around).state == "Waiting", "it would be in the way")
    let end = try await lab.end(of: id)
    #expect(end.state == "Terminated" && end.walltime == 60)
    #expect(end.startTime == before.startTime, "it started late")
    #expect(!end.has(event: "REDUCE_RESERVATION_WALLTIME"))
    #expect(try await lab.read("reserved.out") == "8\n")
    try await lab.endAllJobs()
  }

  @Test("what can't be had is refused with the date when it could; what is given up is free again")
  func refused() async throws {
    let lab = try await lab()
    let first = try await reserve(lab, in: 3600, "-l nodes=2,walltime=0:10:0")
    let second = try await reserve(lab, in: 3700, "-l nodes=1,walltime=0:10:0 true")
    #expect(second.exitCode == 10)
    #expect(
      second.stdout.contains("Reservation not valid --> KO (This reservation could run at 2"))
    #expect(try await lab.job(id(second)).state == "Error")
    try await lab.run("oardel", String(id(first)))
    let script = """
      printf '#!/bin/sh\\n#OAR -r %s\\n#OAR -l nodes=2,walltime=0:10:0\\ntrue\\n' \
        "$(date -d '+3650 seconds' '+%F %T')" > reserve.sh; chmod +x reserve.sh
      oarsub -S ./reserve.sh
      """
    let third = try await lab.run("bash", "-c", script)
    #expect(third.exitCode == 0 && third.stdout.contains("--> OK"), "\(third)")
    let old = try await lab.run("oarsub", "-r", "2020-01-01 00:00:00", "-l", "nodes=1", "true")
    #expect(old.exitCode == 10 && old.stdout.contains("KO (Reservation too old)"))
    try await lab.endAllJobs()
  }

  @Test("a running job gets more time, or less, and ends when the new walltime is over")
  func walltimes() async throws {
    let lab = try await lab()
    let longer = try await lab.submit("-l", "resource_id=1,walltime=0:0:4", "sleep 6; echo done")
    let shorter = try await lab.submit("-l", "resource_id=1,walltime=0:10:0", "sleep 600")
    try await lab.await("Running", of: longer)
    try await lab.await("Running", of: shorter)
    let more = try await lab.run("oarwalltime", String(longer), "+0:1:0")
    #expect(
      more.stdout
        == "Accepted: walltime change request accepted for job \(longer), it will be handled "
        + "shortly.\n")
    #expect(try await lab.run("oarwalltime", String(shorter), "0:0:3").exitCode == 0)
    #expect(
      try await lab.run("oarwalltime", String(shorter), "+1", as: "user2").stdout
        == "Forbidden: job \(shorter) does not belong to you.\n")
    let killed = try await lab.end(of: shorter, within: 120)
    #expect(killed.state == "Error" && killed.walltime == 3)
    let end = try await lab.end(of: longer)
    #expect(end.state == "Terminated" && end.walltime == 64)
    #expect(try await lab.read("OAR.\(longer).stdout") == "done\n")
    let text = try await lab.run("oarstat", "-fj", String(longer)).stdout
    #expect(
      text.contains("> WALLTIME: walltime changed: 0:1:4 (granted: +0:1:0/pending: 0:0:0)"))
    let status = try await lab.run("oarwalltime", String(longer)).stdout
    #expect(
      status.contains("(job is not running):\n  Walltime:       0:1:4\n  Granted:       +0:1:0"))
  }

  @Test("a walltime that was changed counts for an agent that is new, and for a new server")
  func walltimeSurvives() async throws {
    let lab = try await lab()
    let job = try await lab.submit("-l", "resource_id=1,walltime=0:0:6", "sleep 9; echo done")
    try await lab.await("Running", of: job)
    #expect(try await lab.run("oarwalltime", String(job), "+0:1:0").exitCode == 0)
    try await lab.restartServer()
    #expect(try await lab.end(of: job).state == "Terminated")
    #expect(try await lab.read("OAR.\(job).stdout") == "done\n")
  }
}
