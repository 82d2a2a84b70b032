// `oarwalltime`: what it asks and prints; texts as recorded of OAR 2.5.9.

import ClusterModel
import Testing
import Wire

@testable import CommandLine
@testable import UserCommands

private func walltime(
  _ words: [String], _ reply: ServerReply
) throws -> (result: CallResult, sent: WalltimeOrder?) {
  let seen = Seen<WalltimeOrder>()
  let result = try call(Oarwalltime.self, ["oarwalltime"] + words) { client, event in
    guard case .request(let id, let request) = event else { return }
    if case .changeWalltime(_, let order) = request { seen.add(order) }
    client.reply(id, reply)
  }
  return (result, seen.all.first)
}

private func status(
  _ state: JobState, granted: Seconds = 0, pending: Seconds = 0, increase: Seconds? = 7200
) -> WalltimeStatus {
  var change = WalltimeChange(pending: pending)
  change.granted = granted
  return WalltimeStatus(
    job: 66, state: state, walltime: 900, change: change, possibleIncrease: increase)
}

@Suite("oarwalltime") struct OarwalltimeTests {
  @Test("a running job is shown with what it has, may get, got and waits for")
  func running() throws {
    let result = try walltime(["66"], .walltime(status(.running, granted: 300))).result
    #expect(
      result.output == """
        Walltime change status for job 66 (job is running):
          Current walltime:      0:15:0
          Possible increase:     +2:0:0
          Already granted:       +0:5:0
          Pending/unsatisfied:    0:0:0

        """)
    #expect(result.code == 0)
  }

  @Test("ways and limits are shown where there are any")
  func ways() {
    var unlimited = status(.running, granted: 36_000, pending: -60, increase: nil)
    unlimited.change.delayNextJobs = true
    unlimited.change.grantedWithForce = 60
    unlimited.change.grantedWithDelayNextJobs = 120
    #expect(
      Oarwalltime.lines(unlimited).dropFirst(2) == [
        "  Possible increase:  UNLIMITED",
        "  Already granted:      +10:0:0 (forced: +0:1:0, delaying next jobs: +0:2:0)",
        "  Pending/unsatisfied:   -0:1:0 (will possibly delay next jobs)",
      ])
  }

  @Test("a job that ended, and one that has not begun")
  func others() {
    #expect(
      Oarwalltime.lines(status(.terminated)) == [
        "Walltime change status for job 66 (job is not running):", "  Walltime:      0:15:0",
        "  Granted:        0:0:0", "  Unsatisfied:    0:0:0",
      ])
    #expect(
      Oarwalltime.lines(status(.waiting)) == [
        "Walltime change status for job 66 (job is not running yet):", "  N/A",
      ])
  }

  @Test(
    "a length is the whole, with a sign a difference",
    arguments: [
      ("+0:5:0", .difference(300)), ("-0:1:0", .difference(-60)), ("0:20:0", .total(1200)),
      ("2", .total(7200)), ("+1", .difference(3600)), ("+0", .difference(0)),
      ("-0:0:0", .difference(0)),
    ] as [(String, WalltimeOrder.Amount)])
  func amounts(word: String, amount: WalltimeOrder.Amount) throws {
    let (result, sent) = try walltime(["66", word], .walltimeChange(isUpdate: false))
    #expect(sent == WalltimeOrder(amount))
    #expect(
      result.output
        == "Accepted: walltime change request accepted for job 66, it will be handled shortly.\n")
    #expect(result.code == 0)
  }

  @Test("options go with the request, and a second request is an update")
  func options() throws {
    let (result, sent) = try walltime(
      ["--force", "66", "--delay-next-jobs", "+1"], .walltimeChange(isUpdate: true))
    #expect(sent == WalltimeOrder(.difference(3600), force: true, delayNextJobs: true))
    #expect(result.output.contains("request updated for job 66"))
  }

  @Test(
    "refusals have OAR's words and exit codes",
    arguments: [
      (.unknownJob, ["66"], "UNKNOWN JOB\n", 2), (.disabled, ["66"], "text\n", 2),
      (.admission, ["66", "+1"], "Forbidden: text\n", 3),
      (.notOwner, ["66", "+1"], "Forbidden: text\n", 3),
      (.wrongState, ["66", "+1"], "Forbidden: text\n", 3),
      (.disabled, ["66", "+1"], "Not available: text\n", 5),
      (.unknownJob, ["66", "+1"], "Not found: text\n", 4),
    ] as [(Refusal.Kind, [String], String, Int32)])
  func refused(kind: Refusal.Kind, words: [String], output: String, code: Int32) throws {
    let result = try walltime(words, .refused(Refusal(kind, "text"))).result
    #expect(result.output == output)
    #expect(result.code == code)
  }

  @Test(
    "calls that can't be read show the usage",
    arguments: [[], ["abc"], ["66", "xx"], ["66", "+"], ["66", "0"], ["66", "1", "2"], ["-6"]])
  func syntax(words: [String]) throws {
    let result = try call(Oarwalltime.self, ["oarwalltime"] + words)
    #expect(result.code == 4)
    #expect(result.output.hasPrefix("Syntax error.\n\nUsage:"))
  }

  @Test("an unknown option is no usage either")
  func unknownOption() throws {
    #expect(try call(Oarwalltime.self, ["oarwalltime", "--x", "66"]).code == 4)
  }

  @Test("--json tells the same")
  func document() throws {
    let shown = try walltime(["--json", "66"], .walltime(status(.running, pending: 60))).result
    #expect(shown.output.contains("\"possible_increase\": 7200"))
    #expect(shown.output.contains("\"pending\": 60"))
    var forced = status(.running, granted: 70)
    forced.change.grantedWithForce = 60
    forced.change.grantedWithDelayNextJobs = 10
    let ways = try walltime(["--json", "66"], .walltime(forced)).result
    #expect(ways.output.contains("\"granted_with_force\": 60"))
    #expect(ways.output.contains("\"granted_with_delay_next_jobs\": 10"))
    let asked = try walltime(["--json", "66", "+1"], .walltimeChange(isUpdate: true)).result
    #expect(asked.output.contains("\"accepted\": true"))
  }
}
