// oarstat's texts, byte for byte as OAR 2.5.9 printed them for the same jobs.

import ClusterModel
import Glibc
import Testing
import Wire

@testable import CommandLine
@testable import UserCommands

@Suite("oarstat for people")
struct ShowJobTextTests {
  private func table(_ table: JobTable, _ jobs: [JobRecord] = Recorded.activeJobs) -> String {
    var table = table
    table.zone = .utc
    return String(decoding: table.text(jobs, now: Recorded.now), as: UTF8.self)
  }

  @Test("the message table has OAR's columns")
  func messageTable() {
    #expect(
      table(JobTable()) == """
        Job id    S User     Duration   System message
        --------- - -------- ---------- ------------------------------------------------
        50        R alice       0:00:36 R=2,W=0:20:0,J=B,N=jobA (Karma=0.000,quota_ok)
        52        W alice       0:00:00 R=4,W=0:10:0,J=B (Karma=0.000,quota_ok)
        53        R bob         0:00:28 R=2,W=0:5:0,J=B (Karma=0.000,quota_ok)
        54        W bob         0:00:00 R=2,W=0:5:0,J=B (Karma=0.000,quota_ok)
        55        W bob         0:00:00 R=2,W=0:5:0,J=B (Karma=0.000,quota_ok)
        56        H alice       0:00:00 R=1,W=2:0:0,J=B
        57        W alice       0:00:00 R=1,W=2:0:0,J=B,T=noop (Karma=0.000,quota_ok)

        """)
  }

  @Test("the submission table has OAR's columns, blanks at line ends included")
  func submissionTable() {
    let blanks = "   "
    #expect(
      table(JobTable(form: .submission), [Recorded.job50, Recorded.job52]) == """
        Job id     Name           User           Submission Date     S Queue
        ---------- -------------- -------------- ------------------- - ----------
        50         jobA           alice          2026-11-20 12:20:26 R default\(blanks)
        52                        alice          2026-11-20 12:20:32 W default\(blanks)

        """)
  }

  @Test("the array view adds the array's id and the index")
  func arrayTable() {
    #expect(
      table(JobTable(showsArrays: true), [Recorded.job53, Recorded.job54]) == """
        Job id    A. id     index S User     Duration   System message
        --------- --------- ----- - -------- ---------- --------------------------------
        53        53        1     R bob         0:00:28 R=2,W=0:5:0,J=B (Karma=0.000,quota_ok)
        54        53        2     W bob         0:00:00 R=2,W=0:5:0,J=B (Karma=0.000,quota_ok)

        """)
  }

  @Test("the compact table folds an array into one line and keeps single jobs")
  func compactTable() {
    #expect(
      table(JobTable(isCompact: true)) == """
        Job id    S User     Duration   System message
        --------- - -------- ---------- ------------------------------------------------
        50        R alice       0:00:36 R=2,W=0:20:0,J=B,N=jobA (Karma=0.000,quota_ok)
        52        W alice       0:00:00 R=4,W=0:10:0,J=B (Karma=0.000,quota_ok)
        3@53      - bob         0:00:28 R=2,W=0:5:0,J=B (Karma=0.000,quota_ok)
        56        H alice       0:00:00 R=1,W=2:0:0,J=B
        57        W alice       0:00:00 R=1,W=2:0:0,J=B,T=noop (Karma=0.000,quota_ok)

        """)
  }

  @Test("no jobs give no table, not even its head")
  func emptyTable() {
    #expect(table(JobTable(), []) == "")
  }

  @Test("a job that has ended shows how long it ran")
  func endedJob() {
    let line = "51        E bob         0:00:06 R=1,W=0:30:0,J=B,P=bproj,T=besteffort"
    #expect(table(JobTable(), [Recorded.job51]).contains(line + " (Karma=0.000,quota_ok)\n"))
  }

  @Test("long texts are cut to their columns and control characters are made visible")
  func hostileTexts() {
    var job = Recorded.job50
    job.user = "averylongusername"
    job.message = "two\nlines \u{1B}[31m"
    let lines = table(JobTable(), [job]).split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[2] == "50        R averylon    0:00:36 two\\nlines \\x1b[31m")
  }

  @Test("the full description of a running job has OAR's fields in OAR's order")
  func fullRunning() {
    let text = String(decoding: JobDescription(zone: .utc).text([Recorded.job50]), as: UTF8.self)
    let blank = " "
    #expect(
      text == """
        Job_Id: 50
            job_array_id = 50
            job_array_index = 1
            name = jobA
            project = default
            owner = alice
            state = Running
            wanted_resources = -l "{type = 'default'}/host=1,walltime=0:20:0"\(blank)
            types =\(blank)
            dependencies =\(blank)
            assigned_resources = 1+2
            assigned_hostnames = node1
            queue = default
            command = sleep 600
            launchingDirectory = /home/alice
            stdout_file = OAR.jobA.50.stdout
            stderr_file = OAR.jobA.50.stderr
            jobType = PASSIVE
            properties = (desktop_computing = 'NO') AND drain='NO'
            reservation = None
            walltime = 0:20:0
            submissionTime = 2026-11-20 12:20:26
            startTime = 2026-11-20 12:20:27
            cpuset_name = alice_50
            initial_request = oarsub -l host=1,walltime=0:20 -n jobA sleep 600
            message = R=2,W=0:20:0,J=B,N=jobA (Karma=0.000,quota_ok)
            scheduledStart = 2026-11-20 12:20:27
            resubmit_job_id = 0
            events =\(blank)


        """)
  }

  @Test("the full description of a killed job ends with its events")
  func fullEnded() {
    let text = String(decoding: JobDescription(zone: .utc).text([Recorded.job51]), as: UTF8.self)
    let blank = " "
    #expect(
      text.hasSuffix(
        """
            walltime = 0:30:0
            submissionTime = 2026-11-20 12:20:26
            startTime = 2026-11-20 12:20:27
            stopTime = 2026-11-20 12:20:33
            cpuset_name = bob_51
            initial_request =\(blank)
            message = R=1,W=0:30:0,J=B,P=bproj,T=besteffort (Karma=0.000,quota_ok)
            scheduledStart = no prediction
            resubmit_job_id = 0
            events =\(blank)
        2026-11-20 12:20:26> SCHEDULER_PRIORITY_UPDATED_START:Scheduler priority for job 51 \
        updated (network_address/resource_id)
        2026-11-20 12:20:33> BESTEFFORT_KILL:[MetaSched] kill the besteffort job 51
        2026-11-20 12:20:33> FRAG_JOB_REQUEST:User root requested to frag the job 51
        2026-11-20 12:20:33> SEND_KILL_JOB:[Leon] Send the kill signal to oarexec on node2 for \
        job 51
        2026-11-20 12:20:34> SWITCH_INTO_ERROR_STATE:[bipbip 51] Ask to change the job state
        2026-11-20 12:20:34> SCHEDULER_PRIORITY_UPDATED_STOP:Scheduler priority for job 51 \
        updated (network_address/resource_id)


        """))
  }

  @Test("both shapes of a moldable job are written as it was asked for")
  func wantedShapes() {
    #expect(
      wantedResources(of: Recorded.job54)
        == "-l \"{type = 'default'}/core=1,walltime=0:10:0\" "
        + "-l \"{type = 'default'}/core=2,walltime=0:5:0\" ")
  }

  @Test(
    "exit codes show the raw wait status and its parts",
    arguments: [
      (1280, "1280 (5,0,0)"), (9, "9 (0,9,0)"), (32512, "32512 (127,0,0)"), (139, "139 (0,11,1)"),
    ])
  func exitCodes(status: Int, shown: String) {
    var job = Recorded.job51
    job.exitCode = status
    let text = String(decoding: JobDescription(zone: .utc).text([job]), as: UTF8.self)
    #expect(text.contains("    command = sleep 600\n    exit_code = \(shown)\n    launching"))
  }

  @Test("a reservation that waits shows what is set aside for it, not what it has")
  func reservedResources() {
    var job = Recorded.job52
    job.reservation = .scheduled
    job.assignedResources = [1, 3]
    job.assignedHosts = ["node1", "node2"]
    let text = String(decoding: JobDescription(zone: .utc).text([job]), as: UTF8.self)
    #expect(text.contains("assigned_resources = \n    assigned_hostnames = \n"))
    #expect(text.contains("reservation = Scheduled\n    reserved_resources = 1+3\n    walltime"))
  }

  @Test("events have a line each with date, job and type")
  func events() {
    let text = String(
      decoding: OarstatDetails.eventText([Recorded.job51], zone: .utc), as: UTF8.self)
    #expect(text.split(separator: "\n").count == 6)
    #expect(
      text.contains(
        "2026-11-20 12:20:33> [51] BESTEFFORT_KILL: [MetaSched] kill the besteffort job 51\n"))
  }

  @Test("a listing of 100,000 jobs is one write")
  func oneWrite() throws {
    let jobs = (1...100_000).map { id in
      Recorded.job(
        id, "alice", .waiting, "R=1,W=2:0:0,J=B", command: "true", submitted: 1_795_177_226,
        moldables: [Recorded.moldable("core", 1, 7200)])
    }
    let null = open("/dev/null", O_WRONLY)
    defer { close(null) }
    let context = CommandContext(
      words: ["oarstat"], output: TextStream(descriptor: null), errors: TextStream(), input: -1,
      variable: { _ in nil }, connect: { _ in RecordedServer { _ in [.jobs(jobs, last: true)] } })
    let before = try writeCalls()
    #expect(Oarstat.call(in: context) == 0)
    #expect(try writeCalls() == before + 1)
  }

  /// The write calls of this thread so far.
  private func writeCalls() throws -> Int {
    let file = try #require(fopen("/proc/thread-self/io", "r"))
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
      if text.hasPrefix("syscw: ") {
        return try #require(Int(text.dropFirst(7).prefix { $0.isNumber }))
      }
    }
    Issue.record("no count of write calls in /proc/thread-self/io")
    return 0
  }
}
