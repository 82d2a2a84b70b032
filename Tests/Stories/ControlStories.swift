// What is done to jobs: deleted, signalled, held, resumed; by whom it may be done.

import LabFixture
import Testing

@Suite("Acting on jobs", .serialized, .lab("control", nodes: 1))
struct ControlStories {
  private func lab() async throws -> LabFixture {
    let lab = try LabFixture.here
    try await lab.endAllJobs()
    return lab
  }

  @Test("oardel ends a waiting and a running job, once")
  func delete() async throws {
    let lab = try await lab()
    let running = try await lab.submit("-l", "nodes=1,walltime=0:10:0", "sleep 600")
    let waiting = try await lab.submit("-l", "nodes=1,walltime=0:10:0", "touch never")
    try await lab.await("Running", of: running)
    let both = try await lab.run("oardel", String(waiting), String(running))
    #expect(both.exitCode == 0)
    #expect(
      both.stdout == """
        Deleting the job = \(waiting) ...REGISTERED.
        Deleting the job = \(running) ...REGISTERED.
        The job(s) [ \(waiting) \(running) ] will be deleted in the near future.

        """)
    for id in [waiting, running] {
      let job = try await lab.end(of: id)
      #expect(job.state == "Error")
      #expect(job.has(event: "FRAG_JOB_REQUEST"))
    }
    let again = try await lab.run("oardel", String(waiting))
    #expect(again.exitCode == 6)
    #expect(again.stderr.contains("Cannot frag \(waiting) ; This job was already killed."))
    #expect(try await lab.run("test", "-e", "never").exitCode == 1)
  }

  @Test("oardel ends all jobs of an array, and those that a condition chooses")
  func deleteMany() async throws {
    let lab = try await lab()
    let array = try await lab.submitAll(["--array", "6", "-l", "resource_id=1", "sleep 600"])
    let project = try await lab.submit("--project", "doomed", "-l", "nodes=1", "sleep 600")
    let other = try await lab.submit("--project", "safe", "--hold", "sleep 600")
    try await lab.await("Running", of: array[0])
    #expect(try await lab.run("oardel", "--array", String(array[0])).exitCode == 0)
    for id in array { #expect(try await lab.end(of: id).state == "Error") }
    #expect(try await lab.run("oardel", "--sql", "project = 'doomed'").exitCode == 0)
    #expect(try await lab.end(of: project).state == "Error")
    #expect(try await lab.job(other).state == "Hold")
  }

  @Test("signals and checkpoints reach the command of a job")
  func signals() async throws {
    let lab = try await lab()
    let id = try await lab.submit(
      "--checkpoint", "10", "--signal", "10", "-l", "resource_id=1,walltime=1:0:0",
      """
      trap 'echo checkpoint >> heard' USR1
      trap 'echo user2 >> heard; exit 5' USR2
      echo ready >> heard
      while :; do sleep 0.1; done
      """)
    try await lab.eventually("grep -q ready heard")
    let checkpoint = try await lab.run("oardel", "-c", String(id))
    #expect(
      checkpoint.stdout == """
        Checkpointing the job \(id) ...DONE.
        The job \(id) was notified to checkpoint itself on node1.

        """)
    try await lab.eventually("grep -q checkpoint heard")
    let unknown = try await lab.run("oardel", "-s", "NOSUCH", String(id))
    #expect(unknown.exitCode != 0 && unknown.stderr.contains("NOSUCH"), "\(unknown)")
    #expect(try await lab.run("oardel", "-s", "SIGUSR2", String(id)).exitCode == 0)
    let job = try await lab.end(of: id)
    #expect(job.exitCode == 5)
    #expect(job.has(event: "CHECKPOINT"))
    #expect(try await lab.read("heard") == "ready\ncheckpoint\nuser2\n")
    let late = try await lab.run("oardel", "-s", "USR1", String(id))
    #expect(late.exitCode == 5)
    #expect(late.stderr.contains("Cannot signal \(id) ; This job is not running."))
  }

  @Test("a checkpoint comes by itself before the walltime is over")
  func automaticCheckpoint() async throws {
    let lab = try await lab()
    let id = try await lab.submit(
      "--checkpoint", "58", "--signal", "10", "-l", "resource_id=1,walltime=0:1:0",
      "trap 'exit 6' USR1; while :; do sleep 0.1; done")
    let job = try await lab.end(of: id)
    #expect(job.exitCode == 6)
    #expect(job.state == "Terminated")
  }

  @Test("root may suspend a running job: it stands still, and others run on its resources")
  func suspend() async throws {
    let lab = try await lab()
    let id = try await lab.submit(
      "-l", "nodes=1,walltime=0:10:0", "while [ ! -e stop ]; do sleep 0.05; done; echo went on")
    try await lab.await("Running", of: id)
    let own = try await lab.run("oarhold", "-r", String(id))
    #expect(own.exitCode == 1)
    #expect(own.stderr.contains("Cannot hold \(id)"))
    #expect(try await lab.run("oarhold", "-r", String(id), as: "root").exitCode == 0)
    try await lab.eventually(
      "cat /sys/fs/cgroup/{freezer/,}oar/user1_\(id)/{freezer.state,cgroup.events} 2>/dev/null"
        + " | grep -qE '^(FROZEN|frozen 1)'", as: "root", on: "node1")
    #expect(try await lab.run("oarstat", "-s", "-j", String(id)).stdout == "\(id): Suspended\n")
    let other = try await lab.submit("-l", "nodes=1,walltime=0:1:0", "touch stop")
    #expect(try await lab.end(of: other).state == "Terminated")
    #expect(try await lab.job(id).state == "Suspended")
    #expect(try await lab.run("oarresume", String(id), as: "root").exitCode == 0)
    #expect(try await lab.end(of: id).state == "Terminated")
    #expect(try await lab.read("OAR.\(id).stdout") == "went on\n")
  }

  @Test("somebody else's job can't be touched, neither from the frontend nor on the server")
  func foreign() async throws {
    let lab = try await lab()
    let id = try await lab.submit("-l", "resource_id=1", "sleep 600")
    try await lab.await("Running", of: id)
    for host in ["frontend", "server", "node1"] {
      let calls: [([String], Int32, String)] = [
        (["oardel", "\(id)"], 1, "Cannot frag \(id) ; You are not the right user."),
        (["oardel", "-s", "USR1", "\(id)"], 1, "\(id)"),
        (["oardel", "-c", "\(id)"], 1, "\(id)"),
        (["oarhold", "\(id)"], 1, "you are not the right user"),
        (["oarresume", "\(id)"], 1, "you are not the right user"),
        (["oarsub", "-C", "\(id)"], 20, "owned by user1"),
      ]
      for (words, code, text) in calls {
        let result = try await lab.run(words, as: "user2", on: host)
        #expect(result.exitCode == code, "\(words) on \(host): \(result)")
        #expect(result.stderr.contains(text), "\(words) on \(host): \(result)")
      }
    }
    #expect(try await lab.job(id).state == "Running")
    #expect(try await lab.run("oardel", String(id), as: "root", on: "server").exitCode == 0)
    #expect(try await lab.end(of: id).state == "Error")
  }

  @Test("an ended job can be submitted again by its owner")
  func resubmit() async throws {
    let lab = try await lab()
    let id = try await lab.submit("-n", "twice", "echo again >> twice.out")
    try await lab.end(of: id)
    let copy = try await lab.submit("--resubmit", String(id))
    let job = try await lab.end(of: copy)
    #expect(job.state == "Terminated")
    #expect(job.resubmittedFrom == id)
    #expect(try await lab.read("twice.out") == "again\nagain\n")
    #expect(try await lab.run("oarsub", "--resubmit", String(id), as: "user2").exitCode == 4)
  }
}
