// The rows of a job on its way are those that OAR writes, as other programs read them.

import ClusterModel
import Testing

@testable import SQLStorage
@testable import SQLiteStorage
@testable import Storage

@Suite("The rows of a job", .onEachStore)
struct RowLifeTests {
  let place: Place
  let store: DatabaseStorage

  init() async throws {
    place = try Place()
    store = try await newStore(in: place)
    try await store.commit([1, 2, 3].map { .resourceAdded(sampleResource($0)) })
  }

  @Test("a submission writes the job, its request, types, dependencies, state and challenge")
  func submission() async throws {
    let request = sampleRequest(dependencies: [3, 2])
    try await store.commit([.jobsSubmitted([sampleJob(7, request: request)])])

    #expect(
      try read(
        """
        SELECT array_id, array_index, initial_request, job_name, job_type, info_type, state,
          reservation, message, job_user, project, command, exit_code, queue_name, properties,
          launching_directory, submission_time, start_time, stop_time, accounted, notify,
          assigned_moldable_job, checkpoint, checkpoint_signal, stdout_file, stderr_file,
          resubmit_job_id, suspended FROM jobs WHERE job_id = 7
        """) == [
          "7|1|oarsub -l host=2/core=BEST ./job|it's a name|PASSIVE|frontend:|Waiting|None|"
            + "R=2,W=1:0:0,J=B|alice|default|./job 7|null|default|mem > 4|/home/alice|107|0|0|NO|"
            + "mail:alice@site|0|30|10|OAR.%jobid%.out|OAR.%jobname%.err|0|NO"
        ])
    #expect(
      try read("SELECT * FROM moldable_job_descriptions ORDER BY 1") == [
        "70|7|3600|CURRENT", "71|7|60|CURRENT",
      ])
    #expect(
      try read(
        """
        SELECT res_group_moldable_id, res_group_property, res_job_resource_type, res_job_value,
          res_job_order, res_job_index
        FROM job_resource_groups JOIN job_resource_descriptions ON res_job_group_id = res_group_id
        ORDER BY res_group_id, res_job_order
        """) == [
          "70|type = 'default'|host|2|0|CURRENT", "70|type = 'default'|core|-2|1|CURRENT",
          "70||licence|-1|0|CURRENT", "71||core|1|0|CURRENT",
        ])
    #expect(
      try read("SELECT job_id, type, types_index FROM job_types") == [
        "7|idempotent|CURRENT", "7|container=c1|CURRENT",
      ])
    #expect(
      try read("SELECT * FROM job_dependencies ORDER BY \(place.insertionOrder)") == [
        "7|3|CURRENT", "7|2|CURRENT",
      ])
    #expect(try stateLog(of: 7) == ["Waiting|107|0"])
    let challenge = try #require(Int(try read("SELECT challenge FROM challenges").first ?? ""))
    #expect((1...1_000_000_000_000).contains(challenge))
  }

  @Test("a job that runs to its end leaves the rows that OAR leaves")
  func wholeLife() async throws {
    try await store.commit([
      .jobsSubmitted([sampleJob(7, request: sampleRequest(dependencies: [2]))])
    ])
    try await store.commit([.jobAssigned(7, moldable: 71, index: 1, resources: [3, 1], at: 200)])
    #expect(
      try read("SELECT state, start_time, assigned_moldable_job FROM jobs") == ["toLaunch|200|71"])
    #expect(
      try read("SELECT * FROM assigned_resources ORDER BY 1, 2") == [
        "71|1|CURRENT", "71|3|CURRENT",
      ])

    try await store.commit([.jobState(7, .launching, at: 201), .jobState(7, .running, at: 203)])
    try await store.commit([
      .jobState(7, .finishing, at: 300), .jobEnded(7, .terminated, exitStatus: 768, at: 301),
    ])
    #expect(
      try read("SELECT state, start_time, stop_time, exit_code FROM jobs") == [
        "Terminated|200|301|768"
      ])
    #expect(
      try stateLog(of: 7) == [
        "Waiting|107|200", "toLaunch|200|201", "Launching|201|203", "Running|203|300",
        "Finishing|300|301", "Terminated|301|0",
      ])
    #expect(
      try read("SELECT resource_id, last_job_date FROM resources ORDER BY 1") == [
        "1|301", "2|0", "3|301",
      ])
    #expect(
      try read(
        """
        SELECT DISTINCT moldable_index FROM moldable_job_descriptions UNION ALL
        SELECT DISTINCT res_group_index FROM job_resource_groups UNION ALL
        SELECT DISTINCT res_job_index FROM job_resource_descriptions UNION ALL
        SELECT DISTINCT types_index FROM job_types UNION ALL
        SELECT DISTINCT job_dependency_index FROM job_dependencies UNION ALL
        SELECT DISTINCT assigned_resource_index FROM assigned_resources
        """) == Array(repeating: "LOG", count: 6))
  }

  @Test("the end of a job leaves the rows of other jobs current")
  func endsAlone() async throws {
    try await store.commit([.jobsSubmitted([sampleJob(7)]), .jobsSubmitted([sampleJob(8)])])
    try await store.commit([.jobEnded(7, .error, exitStatus: nil, at: 150)])
    #expect(
      try read("SELECT moldable_job_id, moldable_index FROM moldable_job_descriptions ORDER BY 1")
        == [
          "7|LOG", "7|LOG", "8|CURRENT", "8|CURRENT",
        ])
    #expect(
      try read("SELECT state, stop_time, exit_code FROM jobs ORDER BY job_id") == [
        "Error|0|null", "Waiting|0|null",
      ])
  }

  @Test(
    "a refused reservation does not stop before it starts; what is deleted while it waits never stops"
  )
  func refusedReservation() async throws {
    var job = sampleJob(7, request: sampleRequest(reservationStart: 9000))
    job.reservation = .toSchedule
    job.startTime = 9000
    try await store.commit([.jobsSubmitted([job])])
    #expect(try read("SELECT reservation, start_time FROM jobs") == ["toSchedule|9000"])
    try await store.commit([
      .jobState(7, .toError, at: 149), .jobEnded(7, .error, exitStatus: nil, at: 150),
    ])
    #expect(try read("SELECT start_time, stop_time FROM jobs") == ["9000|9000"])
  }

  @Test("an accepted reservation that is deleted before its start stops when it would have started")
  func deletedReservation() async throws {
    var job = sampleJob(7, request: sampleRequest(reservationStart: 9000))
    job.reservation = .scheduled
    job.startTime = 9000
    try await store.commit([.jobsSubmitted([job])])
    try await store.commit([.jobEnded(7, .error, exitStatus: nil, at: 150)])
    #expect(try read("SELECT start_time, stop_time FROM jobs") == ["9000|9000"])
  }

  @Test("a deletion is one row that goes from step to step and is done when the job ends")
  func deletion() async throws {
    try await store.commit([.jobsSubmitted([sampleJob(7)]), .jobDeletion(7, .asked, at: 140)])
    #expect(try read("SELECT * FROM frag_jobs") == ["7|140|LEON"])
    try await store.commit([.jobDeletion(7, .signalled, at: 141)])
    #expect(try read("SELECT * FROM frag_jobs") == ["7|140|TIMER_ARMED"])
    try await store.commit([.jobEnded(7, .error, exitStatus: 9, at: 150)])
    #expect(try read("SELECT * FROM frag_jobs") == ["7|140|FRAGGED"])
  }

  @Test("an event has a row, a row for each host, and nothing left to check")
  func events() async throws {
    let event = JobEvent("CPUSET_ERROR", job: 7, at: 160, "no cpuset", hosts: ["node2", "node1"])
    try await store.commit([.event(event)])
    #expect(
      try read("SELECT type, job_id, date, description, to_check FROM event_logs") == [
        "CPUSET_ERROR|7|160|no cpuset|NO"
      ])
    #expect(
      try read("SELECT hostname FROM event_log_hostnames ORDER BY 1") == ["node1", "node2"])
  }

  @Test("each change of a resource closes the log row of its attribute and opens the next")
  func resourceLog() async throws {
    var resource = sampleResource(2)
    resource.state = .suspected
    resource.suspectedByServer = true
    resource.cpuset = "1+2"
    try await store.commit([
      .resourceChanged(resource, column: "state", at: 2000),
      .resourceChanged(resource, column: "cpuset", at: 2001),
    ])
    #expect(
      try read(
        "SELECT state, state_num, finaud_decision, cpuset FROM resources WHERE resource_id = 2")
        == ["Suspected|3|YES|1+2"])
    #expect(
      try read(
        """
        SELECT attribute, value, date_start, date_stop, finaud_decision FROM resource_logs
        WHERE resource_id = 2 ORDER BY resource_log_id
        """) == ["state|Alive|1000|2000|NO", "state|Suspected|2000|0|YES", "cpuset|1+2|2001|0|NO"])
  }

  @Test("what the server changes as it goes is not logged")
  func unloggedColumns() async throws {
    var resource = sampleResource(2)
    resource.suspendedJobs = true
    try await store.commit([.resourceChanged(resource, column: "suspended_jobs", at: 2000)])
    #expect(try read("SELECT suspended_jobs FROM resources WHERE resource_id = 2") == ["YES"])
    #expect(try read("SELECT count(*) FROM resource_logs WHERE resource_id = 2") == ["1"])
  }

  @Test("a resource goes with its log, and which jobs had it stays known")
  func removal() async throws {
    try await store.commit([.jobsSubmitted([sampleJob(7)])])
    try await store.commit([.jobAssigned(7, moldable: 70, index: 0, resources: [3], at: 200)])
    try await store.commit([.jobEnded(7, .terminated, exitStatus: 0, at: 201), .resourceRemoved(3)])
    #expect(try read("SELECT resource_id FROM resources ORDER BY 1") == ["1", "2"])
    #expect(try read("SELECT count(*) FROM resource_logs WHERE resource_id = 3") == ["0"])
    #expect(try read("SELECT * FROM assigned_resources ORDER BY 1, 2") == ["70|3|LOG"])
  }

  @Test("the plan replaces what was planned, in the tables and in their copies for readers")
  func plan() async throws {
    try await store.commit([
      .predictions(
        [
          Prediction(moldable: 10, start: 500, resources: [1, 2]),
          Prediction(moldable: 20, start: 600, resources: [3]),
          Prediction(moldable: 30, start: 700, resources: [1]),
        ], at: 400)
    ])
    try await store.commit([
      .predictions(
        [
          Prediction(moldable: 10, start: 501, resources: [2, 3]),
          Prediction(moldable: 30, start: 700, resources: [1]),
        ], at: 410)
    ])
    for suffix in ["", "_visu"] {
      #expect(
        try read("SELECT * FROM gantt_jobs_predictions\(suffix) ORDER BY 1") == [
          "0|410", "10|501", "30|700",
        ])
      #expect(
        try read("SELECT * FROM gantt_jobs_resources\(suffix) ORDER BY 1, 2") == [
          "10|2", "10|3", "30|1",
        ])
    }
  }

  @Test("a plan that was not written does not count as the last one")
  func refusedPlan() async throws {
    let first = Prediction(moldable: 10, start: 500, resources: [1])
    try await store.commit([.predictions([first], at: 400)])
    await #expect(throws: StorageError.self) {
      try await store.commit([.predictions([], at: 401), .jobMessage(99, "nobody")])
    }
    try await store.commit([.predictions([first], at: 402)])
    #expect(try read("SELECT * FROM gantt_jobs_predictions ORDER BY 1") == ["0|402", "10|500"])
    #expect(try read("SELECT * FROM gantt_jobs_resources") == ["10|1"])
  }

  @Test("a change of a job that nobody submitted is refused with all that came with it")
  func unknownJob() async throws {
    await #expect(throws: StorageError.self) {
      try await store.commit([.jobsSubmitted([sampleJob(7)]), .jobState(99, .running, at: 1)])
    }
    #expect(try read("SELECT count(*) FROM jobs") == ["0"])
    #expect(try read("SELECT count(*) FROM job_state_logs") == ["0"])
  }

  private func read(_ sql: String) throws -> [String] { try rows(sql, in: place) }

  private func stateLog(of job: JobID) throws -> [String] {
    try read(
      """
      SELECT job_state, date_start, date_stop FROM job_state_logs WHERE job_id = \(job)
      ORDER BY job_state_log_id
      """)
  }
}
