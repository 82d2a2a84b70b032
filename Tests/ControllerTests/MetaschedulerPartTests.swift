// The parts of OAR 2's metascheduler that need no database: its settings, its queues, its words.

import ClusterModel
import Glibc
import Testing

@testable import Controller

@Suite("Parts of the metascheduler") struct MetaschedulerPartTests {
  private func settings(_ text: String, _ environment: [String: String] = [:]) throws
    -> MetaschedulerSettings
  {
    try MetaschedulerSettings(Configuration(parsing: text)) { environment[$0] }
  }

  @Test("a variable that can't be used counts as not set, and is told")
  func leniency() throws {
    let settings = try settings(
      """
      DB_TYPE="Pg"
      SCHEDULER_JOB_SECURITY_TIME="soon"
      SERVER_PORT="many"
      SCHEDULER_TIMEOUT=60
      """, ["OARDIR": "/opt/oar"])
    #expect(settings.planner.planning.jobSecurityTime == 60)
    #expect(settings.almighty.port == 6666)
    #expect(settings.schedulers == "/opt/oar/schedulers" && settings.schedulerLimit == 240)
    #expect(
      settings.problems.contains {
        $0.contains("SCHEDULER_JOB_SECURITY_TIME=\"soon\"") && $0.hasSuffix("it counts as not set")
      })
    #expect(settings.problems.contains { $0.contains("SERVER_PORT=\"many\"") })
  }

  @Test("quotas that can't be read are no reason to go on without quotas")
  func quotas() {
    #expect(throws: ConfigurationError.self) {
      try settings("QUOTAS=\"yes\"\nQUOTAS_CONF_FILE=\"/nowhere/quotas.json\"")
    }
  }

  @Test(
    "queues that name kamelot or kao are ours, others are called, in the order of their priorities")
  func queues() throws {
    let usual = try settings("")
    let queues = [
      Queue(name: "besteffort", priority: 0, policy: "kamelot"),
      Queue(name: "admin", priority: 10, policy: "kamelot"),
      Queue(name: "default", priority: 2, policy: "oar_sched_gantt_with_timesharing"),
      Queue(name: "night", priority: 5, policy: "kao"),
    ]
    #expect(
      QueueStep.steps(for: queues, isOurs: usual.isOurs) == [
        .ours(["admin", "night"]), .program(queues[2]), .ours(["besteffort"]),
      ])
    let all = try settings("METASCHEDULER_MODE=internal")
    #expect(
      QueueStep.steps(for: queues, isOurs: all.isOurs) == [
        .ours(["admin", "night", "default", "besteffort"])
      ])
  }

  @Test(
    "a line of a scheduler starts a job only if every field of it can be",
    arguments: [
      ("SCHEDRUN JOB_ID=7 MOLDABLE_JOB_ID=9 RESOURCES=3,1", true),
      ("SCHEDRUN JOB_ID=7 MOLDABLE_JOB_ID=9 RESOURCES=", false),
      ("SCHEDRUN JOB_ID=7 MOLDABLE_JOB_ID=9 RESOURCES=1,x", false),
      ("SCHEDRUN JOB_ID=7;id MOLDABLE_JOB_ID=9 RESOURCES=1", false),
      ("SCHEDRUN JOB_ID=7 RESOURCES=1 MOLDABLE_JOB_ID=9", false),
      ("SCHEDRUN", false), ("", false), ("[debug] job 7", false),
    ])
  func lines(line: String, isOne: Bool) {
    let launch = EarlyLaunches(queue: "default", isWanted: true).launch(line)
    #expect(
      launch
        == (isOne ? EarlyLaunch(queue: "default", job: 7, moldable: 9, resources: [1, 3]) : nil))
    #expect(EarlyLaunches(queue: "default", isWanted: false).launch(line) == nil)
  }

  @Test("the date of a pass does not step back with the clock, unless it stepped far")
  func clock() {
    let log = MetaschedulerLog(level: 0)
    #expect(MetaschedulerPass.passDate(100, after: 0, log) == 100)
    #expect(MetaschedulerPass.passDate(100, after: 90, log) == 100)
    #expect(MetaschedulerPass.passDate(100, after: 101, log) == 101)
    #expect(MetaschedulerPass.passDate(100, after: 4000, log) == 100)
  }

  @Test("processes are woken by the site's script over ssh, with nothing a shell or Perl could run")
  func waking() throws {
    let resume = try #require(
      ResumeSettings(
        Configuration(parsing: "CPUSET_PATH=\"/oar\"\nOPENSSH_CMD=\"/usr/bin/ssh -p 6667 -e none\"")
      ))
    let command = try #require(
      resume.command(heldJob(3, on: [1], .resuming), on: "node1", script: "1;"))
    #expect(command.path == "/usr/bin/ssh")
    #expect(
      command.arguments == [
        "-p", "6667", "-e", "none", "-x", "-T", "node1", "TAKTUK_HOSTNAME=node1", "perl", "-",
        "resume",
      ])
    #expect(
      command.input == """
        1;
        __END__
        {'job_id' => 3,'oarexec_pid_file' => '/var/lib/oar/pid_of_oarexec_for_jobId_3','name' => 'alice_3'}
        """)
    for host in ["-oProxyCommand=id", "node1;id", "", "node 1", "no'de"] {
      #expect(resume.command(heldJob(3, on: [1], .resuming), on: host, script: "") == nil)
    }
    #expect(ResumeSettings(Configuration(parsing: "OPENSSH_CMD=ssh")) == nil)
  }

  @Test("a program gets no variable but those that it needs, and ends when it takes too long")
  func programs() async {
    var lines: [String] = []
    setenv("LIBURNA_SECRET_OF_A_TEST", "1", 1)
    setenv("OARDIR", "/usr/lib/oar", 1)
    let environment = OAR2Program(path: "/usr/bin/env", arguments: [])
    #expect(await environment.run(limit: 20) { lines.append($0) } == .exited(0))
    #expect(lines.contains("OARDIR=/usr/lib/oar"))
    #expect(!lines.contains { $0.hasPrefix("LIBURNA_SECRET") })
    let names = lines.compactMap { $0.split(separator: "=").first.map(String.init) }
    #expect(Set(names).isSubset(of: Set(OAR2Environment.names)))
    let slow = OAR2Program(path: "sleep", arguments: ["60"])
    #expect(await slow.run(limit: 1) { _ in } == .tookTooLong)
    let failing = OAR2Program(path: "/bin/sh", arguments: ["-c", "echo a; echo b; kill -9 $$"])
    lines = []
    #expect(await failing.run(limit: 20) { lines.append($0) } == .signalled(9))
    #expect(lines == ["a", "b"])
    guard
      case .notStarted(let reason) = await OAR2Program(path: "/nowhere/x", arguments: [])
        .run(limit: 5, line: { _ in })
    else {
      Issue.record("it was started")
      return
    }
    #expect(reason == "/nowhere/x: No such file or directory")
  }
}
