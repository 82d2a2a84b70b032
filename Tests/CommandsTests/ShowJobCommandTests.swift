// oarstat as it is called: options, errors and exit codes, `--why` and `--follow`.

import ClusterModel
import Testing
import Wire

@testable import CommandLine
@testable import UserCommands

@Suite("oarstat's options")
struct ShowJobCommandTests {
  private func stat(
    _ words: [String], _ jobs: [JobRecord] = [Recorded.job50],
    environment: [String: String] = [:]
  ) -> Call {
    recordedCall(Oarstat.self, words, environment: environment) { request in
      if case .resources = request {
        return [.resources(Recorded.records, properties: Recorded.properties)]
      }
      return [.jobs(jobs, last: true)]
    }
  }

  private func query(_ call: Call) throws -> JobQuery {
    guard case .jobs(let query) = try #require(call.requests.first) else {
      Issue.record("no question about jobs")
      return JobQuery()
    }
    return query
  }

  @Test("a listing is one question, and words that mean nothing are ignored as in OAR")
  func plain() throws {
    let call = stat(["foo"])
    #expect(call.exitCode == 0)
    #expect(call.requests.count == 1)
    #expect(try query(call).selection == nil)
    #expect(call.output.hasPrefix("Job id    S User     Duration   System message\n"))
  }

  @Test("answers in several frames are one table")
  func frames() {
    let call = recordedCall(Oarstat.self, []) { _ in
      [.jobs([Recorded.job50], last: false), .jobs([Recorded.job52], last: true)]
    }
    #expect(call.output.split(separator: "\n").count == 4)
  }

  @Test("--format takes OAR's numbers, and any other means the first")
  func format() {
    #expect(stat(["--format", "1"]).output.hasPrefix("Job id     Name"))
    #expect(stat(["--format", "2"]).output.hasPrefix("Job id    S User"))
    #expect(stat(["--format", "3"]).output.hasPrefix("Job id     Name"))
    let preset = ["OAR_OARSTAT_OUTPUT_FORMAT": "1"]
    #expect(stat([], environment: preset).output.hasPrefix("Job id     Name"))
  }

  @Test("-s prints states, in JSON as nipype expects them")
  func states() {
    #expect(stat(["-s", "-j", "50"]).output == "50: Running\n")
    #expect(stat(["-sj50"]).output == "50: Running\n")
    #expect(stat(["-J", "-s", "-j", "50"]).output == "{\n   \"50\" : \"Running\"\n}\n")
  }

  @Test("-s without an id is refused")
  func stateWithoutID() {
    let call = stat(["-s"])
    #expect(call.exitCode == 1)
    #expect(call.errors == "--state can only be used with an id\n")
  }

  @Test("jobs, arrays, users and conditions are sent together")
  func selection() throws {
    let call = stat([
      "-fj", "50", "-j", "51,52", "--array", "53", "-u", "bob", "--sql", "project = 'p'",
    ])
    let sent = try query(call)
    #expect(sent.selection?.ids == [50, 51, 52])
    #expect(sent.selection?.arrays == [53])
    #expect(sent.selection?.condition == "project = 'p'")
    #expect(sent.users == ["bob"])
    #expect(sent.full)
  }

  @Test("-u without a name means oneself")
  func ownJobs() throws {
    #expect(try query(stat(["-u"])).users == [ownUserName()])
  }

  @Test("-j without an id means the job that runs the command")
  func ownJob() throws {
    let call = stat(["-j"], environment: ["OAR_JOB_ID": "50"])
    #expect(try query(call).selection?.ids == [50])
  }

  @Test(
    "an id that is no number ends with OAR's text and 255",
    arguments: [
      ["-j", "abc"], ["-j"], ["-j", "0"], ["-j", "-5"], ["--array", "x"], ["-j", "50,"],
      ["--why", "abc"], ["--follow", "abc"], ["-j", "99999999999999999999"],
    ])
  func badID(words: [String]) {
    let call = stat(words)
    #expect(call.exitCode == 255 || words == ["-j", "-5"])
    #expect(call.requests.isEmpty)
    if words == ["-j", "abc"] {
      #expect(
        call.errors.hasPrefix(
          "/!\\ ERROR: No job id provided in command line or environment variables\n"))
      #expect(call.errors.contains("\"abc\" is not a job id"))
    }
  }

  @Test("an unknown option is refused")
  func unknownOption() {
    let call = stat(["--nosuch"])
    #expect(call.exitCode == 1)
    #expect(call.errors.hasPrefix("Unknown option: nosuch\n"))
  }

  @Test(
    "no jobs: nothing in OAR's forms, an empty list in ours",
    arguments: [
      (["-j", "99999"], ""), (["-f", "-j", "99999"], ""), (["-J", "-j", "99999"], ""),
      (["-u", "nosuch"], ""), (["--json"], "{\n  \"format\": 1,\n  \"jobs\": []\n}\n"),
    ])
  func noJobs(words: [String], output: String) {
    let call = stat(words, [])
    #expect(call.exitCode == 0)
    #expect(call.output == output)
    #expect(call.errors == "")
  }

  @Test("-p asks for the resources of the jobs, and prints the same with -J")
  func properties() throws {
    let call = stat(["-p", "-j", "50"])
    guard case .resources(let selection) = try #require(call.requests.last) else {
      Issue.record("no question about resources")
      return
    }
    #expect(selection.ids == [1, 2])
    #expect(call.output.hasPrefix(" type = 'default' , network_address = 'node1' , "))
    #expect(stat(["-J", "-p", "-j", "50"]).output == call.output)
    #expect(stat(["-p", "-j", "54"], [Recorded.job54]).output == "")
  }

  @Test("-p and -e without jobs say what is missing", arguments: ["-p", "-e"])
  func detailsWithoutJobs(option: String) {
    let call = stat([option])
    #expect(call.exitCode == 1)
    #expect(call.errors.contains("can only be used with -j, --array or --sql"))
  }

  @Test("--accounting is refused by name, and its dates are checked first")
  func accounting() {
    let call = stat(["--accounting", "2026-01-01, 2027-01-01"])
    #expect(call.exitCode == 1)
    #expect(call.errors.hasPrefix("[ERROR] --accounting is not available"))
    #expect(stat(["--accounting", "foo"]).errors == "Bad syntax for --accounting\n")
  }

  @Test("a condition that the server refuses is told and ends with 1")
  func badCondition() {
    let call = recordedCall(Oarstat.self, ["--sql", "foo = 1"]) { _ in
      [.refused(Refusal(.badProperty, "there is no column \"foo\""))]
    }
    #expect(call.exitCode == 1)
    #expect(call.errors == "[ERROR] there is no column \"foo\"\n")
    #expect(call.output == "")
  }

  @Test("without a server the exit code is OAR's 25")
  func noServer() {
    let context = CommandContext(
      words: ["oarstat"], output: TextStream(), errors: TextStream(), input: -1,
      variable: { _ in nil }, connect: { _ in throw ServerUnreachable(reason: "refused") })
    #expect(Oarstat.call(in: context) == 25)
  }

  // MARK: --why

  private var explanation: Explanation {
    Explanation(
      job: 54, state: .waiting, text: "Two of the cores that it needs are taken.",
      kind: "resources",
      blockers: [53], plannedStart: 1_795_177_537, plannedHosts: ["node2"])
  }

  @Test("--why says what binds, who holds it, and when and where the job is planned")
  func why() {
    #expect(
      OarstatWhy.sentences(
        explanation, blockers: [Recorded.job53], now: Recorded.now, zone: .utc) == """
          Job 54 is Waiting: two of the cores that it needs are taken.
            waits for:
              53  bob  Running  on node2  until 2026-11-20 12:25:35 at the latest
            planned: 2026-11-20 12:25:37 on node2 (in 4 min 34 s)

          """)
  }

  @Test("--why tells of those who give way when they are ended, not when their walltime is over")
  func whyGivingWay() {
    var waiting = explanation
    waiting.blockerEnds = [1_795_177_265]
    #expect(
      OarstatWhy.sentences(
        waiting, blockers: [Recorded.job53], now: Recorded.now, zone: .utc
      ).contains("    53  bob  Running  on node2  until 2026-11-20 12:21:05 at the latest\n"))
  }

  @Test("--why of a job that the plan has no start for says so")
  func whyUnplanned() {
    var unplanned = explanation
    unplanned.blockers = []
    unplanned.plannedStart = nil
    #expect(
      OarstatWhy.sentences(unplanned, blockers: [], now: Recorded.now, zone: .utc) == """
        Job 54 is Waiting: two of the cores that it needs are taken.
          planned: the plan has no start for it yet

        """)
  }

  @Test("--why ends with what would start the job now, or what must happen instead")
  func whyAdvice() {
    var advised = explanation
    advised.blockers = []
    advised.changes = (1...5).map {
      RequestChange(.count, "It would start now with -l /core=\($0).")
    }
    #expect(
      OarstatWhy.sentences(advised, blockers: [], now: Recorded.now, zone: .utc) == """
        Job 54 is Waiting: two of the cores that it needs are taken.
          planned: 2026-11-20 12:25:37 on node2 (in 4 min 34 s)
          It would start now with -l /core=1.
          It would start now with -l /core=2.
          It would start now with -l /core=3.

        """)
    advised.changes = []
    advised.advice = "Job 3 must end first."
    #expect(
      OarstatWhy.sentences(advised, blockers: [], now: Recorded.now, zone: .utc)
        .hasSuffix("  Job 3 must end first.\n"))
  }

  @Test("--why --json has the changes with their numbers")
  func whyDocument() {
    var advised = explanation
    advised.blockerEnds = [1_795_177_535]
    advised.changes = [RequestChange(.walltime, "It would start now with less.")]
    advised.changes[0].moldable = 0
    advised.changes[0].walltime = 3000
    let call = recordedCall(Oarstat.self, ["--why", "54", "--json"]) { _ in [.explanation(advised)]
    }
    for text in [
      "\"blocker_ends\": [\n        1795177535", "\"kind\": \"walltime\"", "\"walltime\": 3000",
      "\"count\": null", "\"advice\": null",
    ] {
      #expect(call.output.contains(text), "\(text): \(call.output)")
    }
  }

  @Test("--why tells of a quota what is used, by which rules, and when it allows the job")
  func whyQuota() {
    var limited = explanation
    limited.blockers = []
    var quota = QuotaState(
      rule: "*,*,*,/", rules: "day", counter: "resource_hours", limit: 36_000, used: 9000,
      wanted: 28_800, at: Recorded.now)
    (quota.rulesUntil, quota.allowedFrom) = (1_795_180_000, 1_795_177_537)
    limited.quota = quota
    limited.passedBy = [
      JobPassing(job: 60, why: "its queue \"admin\" has priority 10, \"default\" has 2")
    ]
    limited.blockers = [60]
    #expect(
      OarstatWhy.sentences(limited, blockers: [], now: Recorded.now, zone: .utc) == """
        Job 54 is Waiting: two of the cores that it needs are taken.
          quota: *,*,*,/ allows 10 resource-hours; 2.50 in use now, 8 wanted
          rules: those of "day" hold until 2026-11-20 13:06:40
          quotas allow it: from 2026-11-20 12:25:37 on
          waits for:
            and 1 more: 60
          job 60 came later and goes before it: its queue "admin" has priority 10, "default" has 2
          planned: 2026-11-20 12:25:37 on node2 (in 4 min 34 s)

        """)
    let call = recordedCall(Oarstat.self, ["--why", "54", "--json"]) { _ in [.explanation(limited)]
    }
    for text in [
      "\"counter\": \"resource_hours\"", "\"used\": 9000", "\"rules_until\": 1795180000",
      "\"rules_from\": null", "\"passed_by\": [", "\"resources\": null",
    ] {
      #expect(call.output.contains(text), "\(text): \(call.output)")
    }
  }

  @Test("--why counts blockers that it does not list")
  func whyManyBlockers() {
    var crowded = explanation
    crowded.blockers = Array(100...130)
    let text = OarstatWhy.sentences(
      crowded, blockers: [], now: Recorded.now, zone: .utc)
    #expect(text.contains("and 31 more: 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, …\n"))
  }

  @Test("--why of an unknown job is refused by the server")
  func whyUnknown() {
    let call = recordedCall(Oarstat.self, ["--why", "99999"]) { _ in
      [.refused(Refusal(.unknownJob, "there is no job 99999"))]
    }
    #expect(call.exitCode == 1)
    #expect(call.errors == "[ERROR] there is no job 99999\n")
  }

  // MARK: --follow

  private func notice(_ job: JobID, _ state: JobState, _ text: String) -> JobNotice {
    JobNotice(
      job: job, user: "bob", state: state, date: 1_795_177_226, exitCode: nil, text: text)
  }

  @Test("--follow prints a line for each change until all jobs have ended")
  func follow() {
    let call = recordedCall(Oarstat.self, ["--follow", "53", "54"]) { _ in
      [
        .notice(notice(53, .running, "on node2")), .notice(notice(54, .waiting, "no resources")),
        .notice(notice(53, .terminated, "exit code 0")), .notice(notice(54, .running, "on node2")),
        .notice(notice(54, .error, "killed")), .notice(notice(55, .running, "not asked for")),
      ]
    }
    #expect(call.exitCode == 0)
    let lines = call.output.split(separator: "\n")
    #expect(lines.count == 5)
    let date = LocalDate(1_795_177_226).text
    #expect(lines.first == "\(date)  53        Running    on node2")
    #expect(lines.last == "\(date)  54        Error      killed")
  }

  @Test("--follow without jobs follows one's own that have not ended")
  func followOwn() throws {
    let call = recordedCall(Oarstat.self, ["--follow", "--json"]) { request in
      if case .jobs = request { return [.jobs([Recorded.job54], last: true)] }
      return [.notice(notice(54, .terminated, "done"))]
    }
    #expect(try query(call).users == [ownUserName()])
    #expect(
      call.output == "{\"job\":54,\"user\":\"bob\",\"state\":\"Terminated\",\"date\":1795177226,"
        + "\"wait_status\":null,\"planned_start\":null,\"reservation\":\"None\",\"text\":\"done\"}\n"
    )
  }

  @Test("--follow with nothing to follow ends at once")
  func followNothing() {
    let call = recordedCall(Oarstat.self, ["--follow"]) { _ in [.jobs([], last: true)] }
    #expect(call.exitCode == 0)
    #expect(call.errors.hasPrefix("No job to follow"))
  }

  // MARK: dates

  @Test("dates are read as they are printed, and dates that don't exist are none")
  func dates() {
    #expect(LocalDate(1_795_177_226, in: .utc).text == "2026-11-20 12:20:26")
    #expect(LocalDate.instant("2026-11-20 12:20:26", in: .utc) == 1_795_177_226)
    #expect(LocalDate.instant("2026-11-20", in: .utc) == 1_795_132_800)
    #expect(LocalDate.instant(LocalDate(1_795_177_226).text) == 1_795_177_226)
    for text in [
      "", "now", "2026-02-29", "2026-13-01", "2026-11-20 24:00:00", "2026-11-20 12:20",
      "2026-11-20 12:20:26 x", "20261120", "-1-1-1", "99999-01-01",
    ] {
      #expect(LocalDate.instant(text, in: .utc) == nil, "\(text)")
    }
  }

  @Test(
    "lengths are told in two units",
    arguments: [
      (0, "0 s"), (59, "59 s"), (60, "1 min"), (273, "4 min 33 s"), (3600, "1 h"),
      (3661, "1 h 1 min"), (90_000, "1 d 1 h"), (86_405, "1 d"),
    ])
  func lengths(seconds: Int, text: String) {
    #expect(lengthText(seconds) == text)
  }
}
