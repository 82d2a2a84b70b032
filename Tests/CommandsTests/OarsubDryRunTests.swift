// What `oarsub --dry-run` sends and prints.

import ClusterModel
import Testing
import Wire

@testable import CommandLine
@testable import UserCommands

private let modified = "[ADMISSION RULE] Modify resource description with type constraints"

private func dryRun(_ words: [String], _ reply: ServerReply) throws -> CallResult {
  try call(Oarsub.self, ["oarsub", "--dry-run"] + words, variables: ["PWD": "/"]) {
    client, event in
    switch event {
    case .request(let id, .rehearse): client.reply(id, reply)
    case .request(let id, .jobs): client.reply(id, .jobs([Recorded.job53], last: true))
    case .request(let id, _): client.reply(id, .refused(Refusal(.protocolError, "asked else")))
    default: break
    }
  }
}

private func forecast(count: Int = 1, _ start: Instant? = nil, now: Bool = false) -> Forecast {
  var forecast = Forecast(
    remarks: [modified], moldables: [Recorded.moldable("host", 1, 7200)], count: count)
  forecast.start = start
  forecast.startsNow = now
  guard start != nil else { return forecast }
  forecast.moldable = 0
  forecast.resources = [3, 4]
  forecast.hosts = ["node2"]
  return forecast
}

private func explanation() -> Explanation {
  var explanation = Explanation(
    job: 0, state: .waiting, text: "Two of the cores that it needs are taken.", kind: "resources",
    blockers: [53], plannedStart: 1_795_177_537, plannedHosts: ["node2"])
  explanation.changes = [RequestChange(.count, "It would start now with -l /core=1.")]
  return explanation
}

private func text(_ forecast: Forecast, _ blockers: [JobRecord] = []) -> String {
  OarsubDryRun.sentences(forecast, blockers: blockers, now: Recorded.now, zone: .utc)
}

@Suite("oarsub --dry-run")
struct OarsubDryRunTests {
  @Test("a job that would start now is told where")
  func startsNow() throws {
    let result = try dryRun(["-l", "host=1", "true"], .forecast(forecast(Recorded.now, now: true)))
    #expect(
      result.output == """
        \(modified)
        Dry run, no job was submitted: it would start now on node2 (2 resources).

        """)
    #expect(result.code == 0)
  }

  @Test("a job that would wait is told until when, why, for whom, and what would start it now")
  func waits() {
    var waiting = forecast(1_795_177_537)
    waiting.explanation = explanation()
    #expect(
      text(waiting, [Recorded.job53]) == """
        Dry run, no job was submitted: it would start at 2026-11-20 12:25:37 on node2 (2 resources), in 4 min 34 s.
          why not now: Two of the cores that it needs are taken.
          waits for:
            53  bob  Running  on node2  until 2026-11-20 12:25:35 at the latest
          It would start now with -l /core=1.

        """)
  }

  @Test("of several requests the chosen one is told, of an array when its jobs start")
  func several() {
    var several = forecast(count: 5, Recorded.now, now: true)
    several.moldables.append(Recorded.moldable("core", 2, 60))
    several.moldable = 1
    several.startingNow = 2
    several.lastStart = Recorded.now + 60
    #expect(
      text(several) == """
        Dry run, no job was submitted: it would start now on node2 (2 resources).
          as: /core=2,walltime=0:1:0
          2 of the 5 jobs would start now, the last at 2026-11-20 12:22:03.

        """)
    several.lastStart = nil
    #expect(text(several).hasSuffix("  2 of the 5 jobs would start now; not all are planned.\n"))
  }

  @Test("a job without a place, a held one, and one that waits for victims are told as such")
  func others() {
    #expect(text(forecast()) == "Dry run, no job was submitted: the plan has no start for it.\n")
    #expect(
      text(forecast(Recorded.now)).contains("it would start in a moment on node2 (2 resources)."))
    var held = forecast()
    held.explanation = Explanation(
      job: 0, state: .hold, text: "", kind: "hold", blockers: [], plannedStart: nil,
      plannedHosts: [])
    #expect(text(held).contains("it would be held until oarresume is called on it."))
  }

  @Test("--json prints the forecast with its explanation")
  func document() throws {
    var waiting = forecast(1_795_177_537)
    waiting.explanation = explanation()
    let result = try dryRun(["--json", "true"], .forecast(waiting))
    for text in [
      "{\n  \"format\": 1,\n  \"remarks\": [", "\"starts_now\": false",
      "\"start\": 1795177537", "\"node2\"", "\"job\": null",
      "\"text\": \"It would start now with -l /core=1.\"",
    ] {
      #expect(result.output.contains(text), "\(text): \(result.output)")
    }
  }

  @Test("a reservation that would be refused is told why, and not why it does not start now")
  func refusedReservation() {
    var forecast = forecast()
    var why = Explanation(
      job: 0, state: .waiting, text: "This reservation could run at 2026-11-20 13:19:47",
      kind: "reservation", blockers: [], plannedStart: nil, plannedHosts: [])
    why.advice = "Another date or a smaller request may be accepted."
    forecast.explanation = why
    #expect(
      text(forecast) == """
        Dry run, no job was submitted: the reservation would be refused.
          why: This reservation could run at 2026-11-20 13:19:47.
          Another date or a smaller request may be accepted.

        """)
    forecast.explanation?.text = "A reservation can't be made in a container."
    #expect(text(forecast).contains("  why: A reservation can't be made in a container.\n"))
  }

  @Test("what would be refused is refused as a submission is")
  func refused() throws {
    let refusal = Refusal(.notEnoughResources, "There are not enough resources for your request")
    let result = try dryRun(["-l", "host=9", "true"], .refused(refusal))
    #expect(result.code == 8)
    #expect(result.output == "OAR_JOB_ID=-5\n")
  }

  @Test("nothing else that oarsub does is done dry", arguments: ["--resubmit", "-C"])
  func onlySubmissions(option: String) throws {
    let result = try dryRun([option, "4"], .done)
    #expect(result.code == 1)
    #expect(result.errors.contains("--dry-run is of new jobs only"))
  }
}
