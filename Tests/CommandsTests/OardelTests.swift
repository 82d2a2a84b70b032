// oardel, oarhold and oarresume: texts and exit codes as OAR 2.5.9 was recorded to have them.

import ClusterModel
import Testing
import Wire

@testable import CommandLine
@testable import UserCommands

/// Calls a command whose jobs the server treats as `outcomes` says.
private func act(
  _ type: any Command.Type, _ words: [String], _ outcomes: [JobOutcome],
  seen: Seen<(JobAction, JobSelection)> = Seen()
) throws -> CallResult {
  try call(type, words) { client, event in
    guard case .request(let id, .act(let action, let selection)) = event else { return }
    seen.add((action, selection))
    client.reply(id, .outcomes(outcomes))
  }
}

private func refused(_ job: JobID, _ kind: Refusal.Kind, _ text: String = "") -> JobOutcome {
  JobOutcome(job: job, refusal: Refusal(kind, text))
}

@Suite("oardel speaks as OAR 2.5 does")
struct OardelTests {
  @Test("jobs are deleted in the order in which they were named")
  func delete() throws {
    let result = try act(
      Oardel.self, ["oardel", "57", "56"], [JobOutcome(job: 56), JobOutcome(job: 57)])
    #expect(
      result.output == """
        Deleting the job = 57 ...REGISTERED.
        Deleting the job = 56 ...REGISTERED.
        The job(s) [ 57 56 ] will be deleted in the near future.

        """)
    #expect(result.code == 0)
  }

  @Test("an array and a condition are sent as such")
  func selections() throws {
    let seen = Seen<(JobAction, JobSelection)>()
    let result = try act(
      Oardel.self, ["oardel", "--array", "53"], [53, 54, 55].map { JobOutcome(job: $0) },
      seen: seen)
    #expect(result.output.hasSuffix("[ 53 54 55 ] will be deleted in the near future.\n"))
    #expect(seen.all.first?.1.arrays == [53])
    _ = try act(Oardel.self, ["oardel", "--sql", "project = 'p1'"], [], seen: seen)
    #expect(seen.all.last?.1.condition == "project = 'p1'")
  }

  @Test(
    "what can't be deleted has OAR's text and exit code",
    arguments: [
      (refused(50, .notOwner), "Cannot frag 50 ; You are not the right user.\n", 1),
      (
        refused(50, .unknownJob),
        "Cannot frag 50 ; You are not the right user.\nThere is no job 50.\n", 1
      ),
      (refused(50, .alreadyAsked), "Cannot frag 50 ; This job was already killed.\n", 6),
    ] as [(JobOutcome, String, Int32)])
  func refusals(outcome: JobOutcome, errors: String, code: Int32) throws {
    let result = try act(Oardel.self, ["oardel", "50"], [outcome])
    #expect(result.output == "Deleting the job = 50 ...ERROR.\n")
    #expect(result.errors == errors)
    #expect(result.code == code)
  }

  @Test("one job that can't be deleted does not keep the others")
  func mixed() throws {
    let result = try act(
      Oardel.self, ["oardel", "50", "52"], [refused(50, .notOwner), JobOutcome(job: 52)])
    #expect(
      result.output == """
        Deleting the job = 50 ...ERROR.
        Deleting the job = 52 ...REGISTERED.
        The job(s) [ 52 ] will be deleted in the near future.

        """)
    #expect(result.code == 1)
  }

  @Test("signals and checkpoints name the host")
  func signals() throws {
    let signaled = try act(
      Oardel.self, ["oardel", "-s", "USR1", "61"], [JobOutcome(job: 61, host: "node1")])
    #expect(
      signaled.output == """
        Signaling the job 61 with USR1 signal.
        DONE.
        The job 61 was notified to signal itself with USR1 on node1.

        """)
    let saved = try act(Oardel.self, ["oardel", "-c", "50"], [JobOutcome(job: 50, host: "node1")])
    #expect(
      saved.output == """
        Checkpointing the job 50 ...DONE.
        The job 50 was notified to checkpoint itself on node1.

        """)
    let refusedResult = try act(
      Oardel.self, ["oardel", "-s", "SIGUSR1", "52"], [refused(52, .wrongState)])
    #expect(refusedResult.output == "Signaling the job 52 with SIGUSR1 signal.\nERROR.\n")
    #expect(refusedResult.errors == "Cannot signal 52 ; This job is not running.\n")
    #expect(refusedResult.code == 5)
  }

  @Test("options of administrators say so")
  func administrators() throws {
    let besteffort = try act(Oardel.self, ["oardel", "-b", "50"], [refused(50, .notAdministrator)])
    #expect(besteffort.errors == "You must be oar or root to use the -b option\n")
    #expect(besteffort.code == 8)
    let waiting = try act(Oardel.self, ["oardel", "-b", "61"], [refused(61, .wrongState)])
    #expect(waiting.errors == "The job 61 is not in the Running state.\n")
    #expect(waiting.code == 9)
    let forced = try act(
      Oardel.self, ["oardel", "--force-terminate-finishing-job", "61"], [refused(61, .wrongState)])
    #expect(forced.output == "Force the termination of the job = 61 ...ERROR.\n")
    #expect(forced.errors == "The job 61 is not in the Finishing state.\n")
    #expect(forced.code == 10)
  }

  @Test(
    "bad calls are refused before anything is sent",
    arguments: [
      (["oardel"], 1), (["oardel", "abc"], 4), (["oardel", "-1x"], 1), (["oardel", "0"], 4),
      (["oardel", "99999999999999999999"], 4), (["oardel", "--sql"], 1),
    ] as [([String], Int32)])
  func badCalls(words: [String], code: Int32) throws {
    let seen = Seen<(JobAction, JobSelection)>()
    #expect(try act(Oardel.self, words, [], seen: seen).code == code)
    #expect(seen.all.isEmpty)
  }

  @Test("a word that is no number is named, and a huge one not in full")
  func badNumber() throws {
    #expect(
      try call(Oardel.self, ["oardel", "abc"]).errors
        == "[ERROR] \"abc\" is not a valid job identifier\n")
    let huge = String(repeating: "7", count: 1 << 20)
    #expect(try call(Oardel.self, ["oardel", huge]).errors.utf8.count < 300)
  }

  @Test("without a server the address is named")
  func noServer() throws {
    let result = try call(Oardel.self, ["oardel", "1"])
    #expect(result.code == 2)
    #expect(result.errors.contains("/nonexistent/liburna-test.sock"))
  }

  @Test("--json tells of each job")
  func document() throws {
    let result = try act(
      Oardel.self, ["oardel", "--json", "50", "52"],
      [refused(50, .notOwner, "alice's"), JobOutcome(job: 52)])
    #expect(result.output.contains("\"error\": \"notOwner\""))
    #expect(result.output.contains("\"done\": true"))
    #expect(result.code == 1)
  }
}

@Suite("oarhold and oarresume speak as OAR 2.5 does")
struct OarholdTests {
  @Test("requests are told in OAR's words")
  func done() throws {
    let held = try act(Oarhold.self, ["oarhold", "60"], [JobOutcome(job: 60)])
    #expect(held.output == "[60] Hold request was sent to the OAR server.\n")
    let resumed = try act(Oarresume.self, ["oarresume", "60"], [JobOutcome(job: 60)])
    #expect(resumed.output == "[60] Resume request was sent to the OAR server.\n")
  }

  @Test("-r is sent")
  func running() throws {
    let seen = Seen<(JobAction, JobSelection)>()
    _ = try act(Oarhold.self, ["oarhold", "-r", "59"], [JobOutcome(job: 59)], seen: seen)
    guard case .hold(running: true)? = seen.all.first?.0 else {
      Issue.record("not sent as asked")
      return
    }
  }

  @Test(
    "refusals have OAR's words",
    arguments: [
      (Refusal.Kind.wrongState, "the job is not in the right state (try '-r' option)."),
      (.notOwner, "you are not the right user."), (.unknownJob, "this job does not exist."),
    ])
  func holdRefusals(kind: Refusal.Kind, text: String) throws {
    let result = try act(Oarhold.self, ["oarhold", "60"], [refused(60, kind)])
    #expect(result.errors == "/!\\ Cannot hold 60 : \(text)\n")
    #expect(result.code == 1)
  }

  @Test("a job that is not held can't be resumed")
  func resumeRefusal() throws {
    let result = try act(Oarresume.self, ["oarresume", "60"], [refused(60, .wrongState)])
    #expect(
      result.errors == "/!\\ Cannot resume 60 : the job is not in the Hold or Suspended state.\n")
    #expect(result.code == 1)
  }

  @Test("a call without jobs shows the usage, and a word that is no number is named")
  func badCalls() throws {
    let empty = try call(Oarhold.self, ["oarhold"])
    #expect(empty.code == 1)
    #expect(empty.output.hasPrefix("Usage: oarhold"))
    let word = try call(Oarhold.self, ["oarhold", "abc"])
    #expect(word.code == 2)
    #expect(word.errors == "[ERROR] \"abc\" is not a valid job identifier\n")
  }
}
