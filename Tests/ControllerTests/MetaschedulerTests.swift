// Passes of OAR 2's metascheduler: rows as OAR 2 would leave them, words to Almighty and to `oarsub`.

import ClusterModel
import Testing

@testable import Controller

@Suite("Passes of OAR 2's metascheduler") struct MetaschedulerTests {
  @Test("a job that can start gets its resources, and Almighty is told to start it")
  func batch() async throws {
    let stage = try await MetaschedulerStage()
    try stage.other.submit(1, cores: 2)
    #expect(try await stage.pass() == .goOn)
    #expect(stage.almighty.words() == ["OARRUNJOB_1\n"])
    #expect(try stage.states(1) == "Waiting toLaunch")
    #expect(
      try stage.other.read("SELECT start_time || '/' || assigned_moldable_job FROM jobs")
        == "\(stage.now)/1")
    #expect(try stage.other.read("SELECT resource_id FROM assigned_resources") == "1 2")
    #expect(try stage.other.read("SELECT message FROM jobs") == "R=2,W=1:0:0,J=B (FIFO)")
    for table in ["gantt_jobs_predictions", "gantt_jobs_predictions_visu"] {
      #expect(
        try stage.other.read(
          "SELECT moldable_job_id || '@' || start_time FROM \(table) ORDER BY moldable_job_id")
          == "0@\(stage.now) 1@\(stage.now)")
    }
    // Nobody took it up: the next pass says it again.
    #expect(try await stage.pass(after: 1) == .goOn)
    #expect(stage.almighty.words() == ["OARRUNJOB_1\n"])
    await stage.end()
  }

  @Test("a reservation that fits is acknowledged, and waits for its date")
  func accepted() async throws {
    let stage = try await MetaschedulerStage()
    let columns = [
      "reservation": "'toSchedule'", "start_time": "\(stage.now + 100)", "info_type": stage.client,
    ]
    try stage.other.submit(1, columns, cores: 4)
    #expect(try await stage.pass() == .goOn)
    #expect(stage.oarsub.words() == ["GOOD RESERVATION\n"])
    #expect(try stage.states(1) == "Waiting toAckReservation Waiting")
    #expect(try stage.other.read("SELECT reservation FROM jobs") == "Scheduled")
    #expect(try stage.other.read("SELECT count(*) FROM gantt_jobs_resources_visu") == "4")
    // It starts late, and ends on time.
    #expect(try await stage.pass(after: 107) == .goOn)
    #expect(stage.almighty.words().last == "OARRUNJOB_1\n")
    #expect(
      try stage.other.read("SELECT moldable_walltime FROM moldable_job_descriptions") == "3593")
    #expect(try stage.events(1) == "REDUCE_RESERVATION_WALLTIME=YES")
    await stage.end()
  }

  @Test("a reservation that can't be had is told when it could run, and becomes an error")
  func refused() async throws {
    let stage = try await MetaschedulerStage()
    try stage.other.run(1, on: [1, 2, 3, 4])
    let columns = [
      "reservation": "'toSchedule'", "start_time": "\(stage.now + 100)", "info_type": stage.client,
    ]
    try stage.other.submit(2, columns, cores: 4)
    #expect(try await stage.pass() == .goOn)
    let words = stage.oarsub.words()
    #expect(words.count == 2 && words.last == "BAD JOB\n")
    #expect(words.first?.hasPrefix("This reservation could run at 20") == true)
    #expect(try stage.states(2) == "Waiting toError Error")
    #expect(
      try stage.other.read("SELECT moldable_index FROM moldable_job_descriptions") == "CURRENT LOG")
    #expect(stage.almighty.words() == ["ChState\n"])
    await stage.end()
  }

  @Test("a reservation whose oarsub is gone is ended by Leon")
  func gone() async throws {
    let stage = try await MetaschedulerStage()
    let columns = [
      "reservation": "'toSchedule'", "start_time": "\(stage.now + 100)",
      "info_type": "'127.0.0.1:1'",
    ]
    try stage.other.submit(1, columns)
    #expect(try await stage.pass() == .endJobs)
    #expect(try stage.events(1) == "CANNOT_NOTIFY_OARSUB=YES FRAG_JOB_REQUEST=YES")
    #expect(try stage.other.read("SELECT frag_state FROM frag_jobs") == "LEON")
    #expect(try stage.other.state(1) == "toAckReservation")
    await stage.end()
  }

  @Test("besteffort jobs in the way are ended by Leon; those that start keep others off")
  func besteffort() async throws {
    let stage = try await MetaschedulerStage()
    try stage.other.submit(1, ["queue_name": "'besteffort'"], types: ["besteffort"])
    let levels = "SCHEDULER_PRIORITY_HIERARCHY_ORDER=\"network_address/resource_id\""
    #expect(try await stage.pass(levels) == .goOn)
    #expect(try stage.events(1) == "SCHEDULER_PRIORITY_UPDATED_START=YES")
    #expect(try stage.other.read("SELECT scheduler_priority FROM resources") == "6 2 0 0")
    try stage.other.write("UPDATE jobs SET state = 'Running'")
    _ = stage.almighty.words()
    try stage.other.submit(2, cores: 4)
    #expect(try await stage.pass(levels, after: 1) == .endJobs)
    #expect(
      try stage.events(1)
        == "SCHEDULER_PRIORITY_UPDATED_START=YES BESTEFFORT_KILL=YES FRAG_JOB_REQUEST=YES")
    #expect(try stage.other.read("SELECT frag_state FROM frag_jobs") == "LEON")
    #expect(stage.almighty.words() == ["ChState\n"])
    #expect(try stage.other.state(2) == "Waiting")
    await stage.end()
  }

  @Test("whoever waits for an interactive job hears when it will start, once")
  func predictions() async throws {
    let stage = try await MetaschedulerStage()
    try stage.other.run(1, on: [1, 2, 3, 4])
    try stage.other.submit(2, ["job_type": "'INTERACTIVE'", "info_type": stage.client])
    _ = try await stage.pass()
    let words = stage.oarsub.words()
    #expect(words.count == 1)
    #expect(words.first?.contains("] Start prediction: 20") == true)
    #expect(words.first?.hasSuffix("(R=1,W=1:0:0,J=I (FIFO))\n") == true)
    _ = try await stage.pass(after: 1)
    #expect(stage.oarsub.words() == [])
    await stage.end()
  }

  @Test("a suspended job goes on when it is asked to and nobody else is on its resources")
  func resuming() async throws {
    let stage = try await MetaschedulerStage()
    try stage.other.run(1, on: [1], state: "Resuming")
    try stage.other.write("UPDATE resources SET suspended_jobs = 'YES' WHERE resource_id = 1")
    _ = try await stage.pass()
    #expect(try stage.other.state(1) == "Running")
    #expect(try stage.other.read("SELECT DISTINCT suspended_jobs FROM resources") == "NO")
    await stage.end()
  }

  @Test("what is asked of a walltime is granted, and no module has to look at that")
  func walltimes() async throws {
    let stage = try await MetaschedulerStage()
    try stage.other.run(1, on: [1])
    try stage.other.write("INSERT INTO walltime_change (job_id, pending) VALUES (1, 300)")
    _ = try await stage.pass("WALLTIME_CHANGE_ENABLED=yes\nWALLTIME_MAX_INCREASE=7200")
    #expect(
      try stage.other.read("SELECT granted || '/' || pending FROM walltime_change") == "300/0")
    #expect(
      try stage.other.read("SELECT moldable_walltime FROM moldable_job_descriptions") == "3900")
    #expect(try stage.events(1) == "WALLTIME=NO")
    await stage.end()
  }

  @Test("plans are kept if the site wants that")
  func decisions() async throws {
    let stage = try await MetaschedulerStage()
    try stage.other.submit(1, cores: 2)
    _ = try await stage.pass("SCHEDULER_LOG_DECISIONS=yes")
    _ = try await stage.pass("SCHEDULER_LOG_DECISIONS=yes", after: 1)
    #expect(
      try stage.other.read(
        "SELECT sched_date || ' ' || moldable_job_id FROM gantt_jobs_predictions_log")
        == "\(stage.now) 1")
    #expect(try stage.other.read("SELECT resource_id FROM gantt_jobs_resources_log") == "1 2")
    await stage.end()
  }

  // MARK: Schedulers of OAR 2's

  @Test("the scheduler that a queue names is called, and starts jobs while it works")
  func scheduler() async throws {
    let stage = try await MetaschedulerStage()
    try stage.other.submit(1)
    try stage.other.submit(2)
    try stage.scheduler(
      "sched_x",
      """
      echo "$@" >\(stage.directory)/words
      echo hello
      echo "SCHEDRUN JOB_ID=2 MOLDABLE_JOB_ID=2 RESOURCES=3"
      """)
    #expect(try await stage.pass() == .goOn)
    #expect(stage.almighty.words() == ["OARRUNJOB_2\n"])
    #expect(try stage.other.state(1) == "Waiting")
    #expect(try stage.other.read("SELECT resource_id FROM assigned_resources") == "3")
    let words = try SiteFile(variable: "", path: stage.directory + "/words").text()
    #expect(words.hasPrefix("default \(stage.now) 20"))
    await stage.end()
  }

  @Test(
    "a scheduler that fails makes its queue inactive, as OAR 2 does, save when it just gives up",
    arguments: [
      ("exit 0", "Active"), ("exit 1", "Active"), ("exit 3", "notActive"),
      ("kill -9 $$", "notActive"),
    ])
  func failing(script: String, queue: String) async throws {
    let stage = try await MetaschedulerStage()
    try stage.other.submit(1)
    try stage.scheduler("sched_x", script)
    #expect(try await stage.pass() == .goOn)
    #expect(
      try stage.other.read("SELECT state FROM queues WHERE queue_name = 'default'") == queue)
    await stage.end()
  }

  @Test("a name that is no program's is not run", arguments: ["../sched_x", "nowhere", ""])
  func names(name: String) async throws {
    let stage = try await MetaschedulerStage()
    try stage.other.submit(1)
    try stage.other.write(
      "UPDATE queues SET scheduler_policy = '\(name)' WHERE queue_name = 'default'")
    #expect(try await stage.pass() == .goOn)
    #expect(
      try stage.other.read("SELECT state FROM queues WHERE queue_name = 'default'") == "notActive")
    await stage.end()
  }
}
