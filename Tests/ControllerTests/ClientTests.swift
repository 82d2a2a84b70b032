// What commands may ask of the server, and how much: full disks, late deletions, greed and garbage.

import ClusterModel
import Storage
import Testing
import Wire

@testable import Controller

private func record(_ id: JobID, of job: Job, _ events: [String] = []) -> JobRecord {
  var record = ClusterState(stored: storedCluster()).record(of: job)
  record.state = .terminated
  record.events = events.map { JobEvent($0, job: id, at: 1, "") }
  return record
}

@Suite("Commands and the server") struct ClientTests {
  private func waitingJob(_ id: JobID) -> Job {
    var job = heldJob(id, on: [], .hold, startTime: 0)
    job.assignedMoldable = nil
    return job
  }

  // MARK: A store without room

  @Test("on a full disk a submission is refused and taken back, and later ones at once")
  func fullDisk() async throws {
    let stage = try await Stage()
    let client = try await PlayedClient.connect(to: stage, as: alice)
    await stage.store.fail(with: .full("no room"))
    try await client.send(.submit(submission("core=1")))
    #expect(try await client.receive().refusal?.kind == .unavailable)
    #expect(await stage.act { $0.state.jobs.isEmpty })
    try await client.send(.submit(submission("core=1")))
    #expect(try await client.receive().refusal?.kind == .unavailable)
    await stage.store.fail(with: nil)
    // The server finds out by itself.
    while await stage.act({ $0.committer.trouble != nil }) { await Task.yield() }
    try await client.send(.submit(submission("core=1")))
    guard case .submitted = try await client.receive() else {
      Issue.record("not accepted")
      return
    }
    await stage.end()
  }

  @Test("a deletion that meets a full disk is answered at once and done when there is room")
  func delayedDeletion() async throws {
    let stage = try await Stage(jobs: [waitingJob(1)])
    let client = try await PlayedClient.connect(to: stage, as: alice)
    await stage.store.fail(with: .full("no room"))
    try await client.send(.act(.delete, JobSelection(ids: [1])))
    let refusal = try await client.receive().refusal
    #expect(refusal?.kind == .unavailable)
    #expect(refusal?.message.contains("done as soon as it can") == true)
    await stage.store.fail(with: nil)
    while await stage.act({ $0.committer.trouble != nil }) { await Task.yield() }
    #expect(await stage.events() == ["FRAG_JOB_REQUEST"])
    await stage.end()
  }

  // MARK: Deletions

  @Test("the deletion of a job that has ended is registered once, for its owner")
  func deletionOfEnded() async throws {
    let past = [
      record(1, of: waitingJob(1)), record(2, of: waitingJob(2), ["FRAG_JOB_REQUEST"]),
    ]
    let stage = try await Stage(past: past)
    let client = try await PlayedClient.connect(to: stage, as: alice)
    try await client.send(.act(.delete, JobSelection(ids: [1, 2, 3])))
    let outcomes = try #require(try await client.receive().outcomes)
    #expect(outcomes.map(\.job) == [1, 2, 3])
    #expect(outcomes.map(\.refusal?.kind) == [nil, .alreadyAsked, .unknownJob])
    #expect(await stage.events() == ["FRAG_JOB_REQUEST"])
    let other = try await PlayedClient.connect(to: stage, as: bob)
    try await other.send(.act(.delete, JobSelection(ids: [1])))
    #expect(try await other.receive().outcomes?.first?.refusal?.kind == .notOwner)
    await stage.end()
  }

  @Test("the deletion of an array means its ended jobs too") func deletionOfArray() async throws {
    var live = waitingJob(2)
    live.arrayID = 1
    let stage = try await Stage(jobs: [live], past: [record(1, of: waitingJob(1))])
    let client = try await PlayedClient.connect(to: stage, as: alice)
    try await client.send(.act(.delete, JobSelection(arrays: [1])))
    let outcomes = try #require(try await client.receive().outcomes)
    #expect(Set(outcomes.map(\.job)) == [1, 2])
    #expect(outcomes.allSatisfy { $0.refusal == nil })
    await stage.end()
  }

  // MARK: Limits

  @Test("a command may send thousands of requests before it reads an answer")
  func pipelined() async throws {
    let stage = try await Stage()
    let client = try await PlayedClient.connect(to: stage, as: alice)
    let count = ClientLimits.openRequests * 3
    async let sent: Void = Task.detached {
      for _ in 0..<count { try await client.send(.submit(submission("core=1"))) }
    }.value
    let replies = try await client.receive(count)
    try await sent
    #expect(replies.allSatisfy { if case .submitted = $0 { true } else { false } })
    await stage.end()
  }

  @Test("a command that asks and never reads is not read any more") func neverReads() async throws {
    let stage = try await Stage(jobs: (1...2000).map { waitingJob($0) })
    let client = try await PlayedClient.connect(to: stage, as: alice)
    let request = NumberedRequest(id: 1, request: .jobs(JobQuery()))
    var backlog = -1
    while backlog < ClientLimits.unreadBytes {
      _ = try client.flood(request, 1000)
      backlog = await stage.act { $0.clients[client.id]?.stream.backlog ?? 0 }
    }
    // The connection takes no more once the server stopped reading, however long one tries.
    while try client.flood(request, 1000) > 0 { await stage.settle() }
    let last = try #require(await stage.act { $0.clients[client.id]?.stream.backlog })
    #expect(last > 0 && last < 2 * ClientLimits.unreadBytes)
    await stage.end()
  }

  @Test("what comes after a message that can't be understood is not done")
  func garbage() async throws {
    let stage = try await Stage(jobs: [waitingJob(1)])
    let client = try await PlayedClient.connect(to: stage, as: alice)
    var bytes: [UInt8] = []
    FrameWriter.append(.message([0xFF, 0x00]), to: &bytes)
    let deletion = NumberedRequest(id: 1, request: .act(.delete, JobSelection(ids: [1])))
    try FrameWriter.append(deletion, to: &bytes)
    try await client.send(bytes: bytes)
    #expect(try await client.receive().refusal?.kind == .protocolError)
    #expect(await client.isCutOff())
    #expect(await stage.state(of: 1) == .hold)
    #expect(await stage.act { $0.clients.isEmpty })
    await stage.end()
  }

  @Test("a command follows jobs a bounded number of times") func followings() async throws {
    let stage = try await Stage()
    let client = try await PlayedClient.connect(to: stage, as: alice)
    for _ in 0...ClientLimits.followingsPerClient { try await client.send(.follow(nil)) }
    #expect(try await client.receive().refusal?.kind == .limit)
    #expect(await stage.act { $0.followers.count } == ClientLimits.followingsPerClient)
    await stage.end()
  }

  // MARK: Terminals

  private func interactiveJob(_ state: JobState) -> Job {
    var job = heldJob(1, on: [1], state)
    let request = job.request
    job.request = JobRequest(user: "alice", kind: .interactive, moldables: request.moldables)
    return job
  }

  @Test("who joins a terminal second gets it, and the first is told") func attachedTwice()
    async throws
  {
    let stage = try await Stage(jobs: [interactiveJob(.toLaunch)])
    let size = TerminalSize(rows: 24, columns: 80)
    let one = try await PlayedClient.connect(to: stage, as: alice)
    try await one.send(.attach(1, size))
    guard case .notice = try await one.receive() else {
      Issue.record("no notice")
      return
    }
    let two = try await PlayedClient.connect(to: stage, as: alice)
    try await two.send(.attach(1, size))
    #expect(try await one.receive().refusal?.kind == .wrongState)
    #expect(await stage.act { $0.attachers[1]?.client } == two.id)
    await stage.end()
  }

  @Test("a command that grants more than a window is cut off, and its sessions end")
  func excessiveGrant() async throws {
    let stage = try await Stage(jobs: [heldJob(1, on: [1], .running)])
    await stage.connect("node1", [AttemptID(job: 1, number: 1): .running(pid: 7, since: 1000)])
    let client = try await PlayedClient.connect(to: stage, as: alice)
    try await client.send(
      .open(SessionRequest(job: 1, host: nil, command: ["true"], terminal: nil)))
    while await stage.act({ $0.channels.isEmpty }) { await Task.yield() }
    try await client.send(.grant(channel: 1, bytes: Int.max))
    #expect(try await client.receive().refusal?.kind == .protocolError)
    await stage.end()
  }
}
