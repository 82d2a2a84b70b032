// What OAR 2's commands write to the shared database, and what the server makes of it.

import ClusterModel
import Glibc
import Storage
import Testing
import Wire

@testable import Controller

@Suite("Jobs of OAR 2's commands") struct SharedJobTests {
  @Test("a job is there when its last row is, even if its word came before")
  func rowByRow() async throws {
    let stage = try await SharedStage()
    await stage.connect("node1")
    try stage.other.beginSubmission(1)
    await stage.hear("Qsub")
    #expect(await stage.state(of: 1) == nil)
    try stage.other.finishSubmission(1)
    await stage.hear("Qsub")
    #expect(await stage.state(of: 1) == .launching)
    #expect(await stage.said().contains("node1: start 1.1"))
    await stage.report(
      .attempt(AttemptID(job: 1, number: 1), .running(pid: 9, since: time(nil))), from: "node1")
    #expect(try stage.other.state(1) == "Running")
    await stage.report(
      .attempt(AttemptID(job: 1, number: 1), .ended(status: 768, cause: .command, at: time(nil))),
      from: "node1")
    #expect(try stage.other.state(1) == "Terminated")
    #expect(try stage.other.read("SELECT exit_code FROM jobs") == "768")
    #expect(try stage.other.read("SELECT assigned_resource_index FROM assigned_resources") == "LOG")
    #expect(try stage.other.read("SELECT count(*) FROM event_logs WHERE to_check = 'YES'") == "0")
    try await stage.end()
  }

  @Test("jobs with lower ids whose submission took longer are taken up as well")
  func order() async throws {
    let stage = try await SharedStage()
    try stage.other.beginSubmission(1)
    try stage.other.submit(2)
    await stage.hear("Qsub")
    try stage.other.finishSubmission(1)
    await stage.hear("ChState")
    let jobs = await stage.act { $0.state.jobs.keys.sorted() }
    #expect(jobs == [1, 2])
    try await stage.end()
  }

  @Test("a job that was half there when the server started is taken up when it is whole")
  func halfAtStart() async throws {
    let stage = try await SharedStage({ other in
      try other.write("UPDATE resources SET state = 'Absent'")
      try other.beginSubmission(1, ["submission_time": "\(time(nil))"])
      try other.submit(2)
    })
    #expect(await stage.act { $0.state.jobs.keys.sorted() } == [2])
    try stage.other.finishSubmission(1)
    await stage.hear("Qsub")
    #expect(await stage.state(of: 1) == .waiting)
    try await stage.end()
  }

  @Test("a row that makes no sense is set aside with a sentence, and the others run")
  func nonsense() async throws {
    let stage = try await SharedStage()
    try stage.other.write("PRAGMA ignore_check_constraints = 1")
    try stage.other.submit(1)
    try stage.other.write("UPDATE jobs SET state = 'Sleeping' WHERE job_id = 1")
    try stage.other.submit(2, ["properties": "'no such ((('"])
    try stage.other.submit(3, types: ["inner=abc", "unheard-of"])
    try stage.other.submit(4)
    await stage.hear("Qsub")
    #expect(await stage.state(of: 1) == nil)
    #expect(await stage.state(of: 4) == .launching)
    try await stage.end()
  }

  @Test("a job whose moldables have numbers far apart runs in the one that fits")
  func scattered() async throws {
    let stage = try await SharedStage()
    await stage.connect("node1")
    try stage.other.beginSubmission(67, cores: 9)
    try stage.other.submit(68)
    try stage.other.write(
      """
      INSERT INTO moldable_job_descriptions (moldable_id, moldable_job_id, moldable_walltime)
        VALUES (69, 67, 600);
      INSERT INTO job_resource_groups (res_group_id, res_group_moldable_id, res_group_property)
        VALUES (69, 69, '');
      INSERT INTO job_resource_descriptions
        (res_job_group_id, res_job_resource_type, res_job_value, res_job_order)
        VALUES (69, 'core', 1, 0);
      """)
    try stage.other.finishSubmission(67)
    await stage.hear("Qsub")
    #expect(await stage.state(of: 67) == .launching)
    #expect(
      try stage.other.read(
        "SELECT assigned_moldable_job || ':' || message FROM jobs WHERE job_id = 67")
        == "69:R=1,W=0:10:0,J=B")
    #expect(
      try stage.other.read("SELECT moldable_job_id FROM assigned_resources ORDER BY 1") == "68 69")
    await stage.act { $0.hear(.connected([:]), from: "node2") }
    let planned = "SELECT count(*) FROM gantt_jobs_predictions WHERE moldable_job_id = 69"
    try await eventually { try stage.other.read(planned) == "1" }
    try await stage.end()
  }

  @Test("a job that repeats another one is described, and a reservation is called one")
  func messages() async throws {
    let stage = try await SharedStage()
    try stage.other.write("UPDATE resources SET state = 'Suspected', state_num = 3")
    await stage.hear("ChState")
    try stage.other.submit(1, ["message": "''", "resubmit_job_id": "99", "notify": "''"])
    await stage.hear("Qsub")
    #expect(try stage.other.read("SELECT message FROM jobs") == "R=1,W=1:0:0,J=B")
    try stage.other.write("UPDATE resources SET state = 'Alive', state_num = 1")
    await stage.hear("ChState")
    try stage.other.submit(
      2,
      [
        "reservation": "'toSchedule'", "start_time": "\(time(nil) + 500)",
        "message": "'R=1,W=1:0:0,J=R'",
      ])
    await stage.hear("Qsub")
    #expect(try stage.other.read("SELECT message FROM jobs WHERE job_id = 2") == "R=1,W=1:0:0,J=R")
    #expect(try stage.other.read("SELECT reservation FROM jobs WHERE job_id = 2") == "Scheduled")
    try await stage.end()
  }

  @Test("our own submission takes ids from the database, beside those that oarsub took")
  func ownIDs() async throws {
    let stage = try await SharedStage()
    try stage.other.submit(100)
    await stage.hear("Qsub")
    await stage.act { controller in
      controller.withIDs(jobs: 1, moldables: 1, whenFailed: { Issue.record("\($0)") }) {
        var outcome = Outcome()
        _ = try? controller.state.submit(
          submission("core=1"), by: alice, settings: controller.settings, at: 100, &outcome)
        controller.commit(outcome)
      }
    }
    while await stage.act({ $0.state.jobs.count < 2 }) { await Task.yield() }
    let ids = await stage.act { $0.state.jobs.keys.sorted() }
    #expect(ids[0] == 100 && ids[1] > 100)
    #expect(try stage.other.read("SELECT count(*) FROM jobs") == "2")
    try await stage.end()
  }
}

@Suite("Requests of OAR 2's commands") struct SharedRequestTests {
  /// Two jobs that wait, since nothing is Alive.
  private func stage() async throws -> SharedStage {
    let stage = try await SharedStage({
      try $0.write("UPDATE resources SET state = 'Suspected', state_num = 3")
    })
    try stage.other.submit(1)
    try stage.other.submit(2)
    await stage.hear("Qsub")
    return stage
  }

  @Test("oarhold and oarresume of a waiting job")
  func hold() async throws {
    let stage = try await stage()
    try stage.other.event("HOLD_WAITING_JOB", 1)
    await stage.hear("ChState")
    #expect(try stage.other.state(1) == "Hold" && stage.other.state(2) == "Waiting")
    #expect(try stage.other.read("SELECT to_check FROM event_logs") == "NO")
    #expect(
      try stage.other.read(
        "SELECT job_state FROM job_state_logs WHERE job_id = 1 ORDER BY job_state_log_id")
        == "Waiting Hold")
    try stage.other.event("RESUME_JOB", 1)
    await stage.hear("ChState")
    #expect(try stage.other.state(1) == "Waiting")
    #expect(try stage.other.read("SELECT count(*) FROM event_logs") == "2")
    try await stage.end()
  }

  @Test("oardel of a waiting job ends it as Leon would, and of an ended one changes nothing")
  func deleteWaiting() async throws {
    let stage = try await stage()
    try stage.other.write("INSERT INTO frag_jobs (frag_id_job, frag_date) VALUES (1, 1000)")
    try stage.other.event("FRAG_JOB_REQUEST", 1)
    await stage.hear("ChState", "Qdel")
    #expect(try stage.other.state(1) == "Error")
    #expect(try stage.other.read("SELECT stop_time FROM jobs WHERE job_id = 1") == "0")
    #expect(
      try stage.other.read("SELECT message FROM jobs WHERE job_id = 1")
        == "Job killed by Leon directly")
    #expect(try stage.other.read("SELECT frag_state FROM frag_jobs") == "FRAGGED")
    #expect(try stage.other.read("SELECT count(*) FROM event_logs") == "1")
    #expect(
      try stage.other.read("SELECT moldable_index FROM moldable_job_descriptions ORDER BY 1")
        == "CURRENT LOG")
    try stage.other.write("UPDATE frag_jobs SET frag_state = 'LEON'")
    await stage.hear("Qdel")
    #expect(try stage.other.read("SELECT frag_state FROM frag_jobs") == "FRAGGED")
    try await stage.end()
  }

  @Test("oardel of a job that we run tells its host")
  func deleteRunning() async throws {
    let stage = try await SharedStage()
    await stage.connect("node1")
    try stage.other.submit(1)
    await stage.hear("Qsub")
    let attempt = AttemptID(job: 1, number: 1)
    await stage.report(.attempt(attempt, .running(pid: 9, since: time(nil))), from: "node1")
    _ = await stage.said()
    try stage.other.write("INSERT INTO frag_jobs (frag_id_job, frag_date) VALUES (1, 1000)")
    await stage.hear("Qdel")
    #expect(await stage.said() == ["node1: kill 1.1"])
    #expect(try stage.other.read("SELECT frag_state FROM frag_jobs") == "TIMER_ARMED")
    await stage.report(
      .attempt(attempt, .ended(status: 15, cause: .killed, at: time(nil))), from: "node1")
    #expect(try stage.other.state(1) == "Error")
    #expect(try stage.other.read("SELECT exit_code FROM jobs") == "NULL")
    #expect(try stage.other.read("SELECT stop_time > 0 FROM jobs") == "1")
    #expect(try await stage.calls(0) == [])
    try await stage.end()
  }

  @Test("oarnodesetting: states are set and logged, and jobs on hosts that go end")
  func states() async throws {
    let stage = try await stage()
    try stage.other.write("UPDATE resources SET next_state = 'Alive' WHERE resource_id < 3")
    await stage.hear("ChState")
    #expect(
      try stage.other.read("SELECT state || next_state || state_num FROM resources")
        == "AliveUnChanged1 AliveUnChanged1 SuspectedUnChanged3 SuspectedUnChanged3")
    #expect(
      try stage.other.read(
        "SELECT value FROM resource_logs WHERE resource_id = 1 AND attribute = 'state'")
        == "Alive Alive")
    #expect(await stage.state(of: 1) == .launching)
    try stage.other.write("UPDATE resources SET next_state = 'Absent' WHERE resource_id < 3")
    await stage.hear("ChState")
    #expect(
      try stage.other.read("SELECT state FROM resources") == "Absent Absent Suspected Suspected")
    #expect(try stage.other.read("SELECT count(*) FROM frag_jobs") == "2")
    try await stage.end()
  }

  @Test("resources and properties that others add, change and remove")
  func resources() async throws {
    let stage = try await stage()
    try stage.other.write(
      """
      ALTER TABLE resources ADD COLUMN gpu varchar(255);
      UPDATE resources SET gpu = 'a100', cpuset = '7' WHERE resource_id = 2;
      INSERT INTO resource_logs (resource_id, attribute, value, date_start) VALUES (2, 'gpu', 'a100', 1);
      INSERT INTO resources (resource_id, network_address, core) VALUES (9, 'node9', 9);
      DELETE FROM resources WHERE resource_id = 4;
      """)
    await stage.hear("ChState")
    let resources = await stage.act { $0.state.resources }
    #expect(resources.keys.sorted() == [1, 2, 3, 9])
    #expect(resources[2]?.properties["gpu"] == .text("a100") && resources[2]?.cpuset == "7")
    #expect(resources[9]?.state == .alive && resources[2]?.state == .suspected)
    #expect(await stage.state(of: 1) == .launching)
    try await stage.end()
  }

  @Test("queues that oarnotify adds, removes and stops")
  func queues() async throws {
    let stage = try await stage()
    try stage.other.write(
      """
      INSERT INTO queues (queue_name, priority, scheduler_policy) VALUES ('test', 5, 'x');
      UPDATE queues SET state = 'notActive' WHERE queue_name = 'default';
      DELETE FROM queues WHERE queue_name = 'admin';
      """)
    await stage.hear("Scheduling")
    // A look between two changes of our own says nothing of queues: then the next one does.
    try await eventually { await stage.act { $0.state.queues.first?.name } == "test" }
    let queues = await stage.act { $0.state.queues }
    #expect(queues.map(\.name) == ["test", "default", "besteffort"] && !queues[1].isActive)
    try await stage.end()
  }
}
