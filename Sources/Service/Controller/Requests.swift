// What commands ask for: submissions, actions on jobs, changes of the cluster.

import ClusterModel
import Storage
import Wire

extension Controller {
  /// Answers a refusal or does the work.
  func answer(_ request: ClientRequest, _ id: Int, _ client: ClientConnection) {
    do throws(Refusal) {
      try serve(request, id, client)
    } catch {
      client.reply(id, .refused(error))
    }
    client.regulate()
    scheduleWork()
  }

  private func serve(
    _ request: ClientRequest, _ id: Int, _ client: ClientConnection
  ) throws(Refusal) {
    guard let asker = client.asker else { return }
    let now = Self.now
    switch request {
    case .submit(let submission):
      try requireRoom()
      try submitWithIDs(submission, id, client, asker)
    case .rehearse(let submission): try rehearse(submission, id, client, asker)
    case .resubmit(let job):
      try requireRoom()
      resubmit(job, id, client, asker)
    case .jobs(let query): try list(query, id, client, asker)
    case .act(let action, let selection):
      try requireRoom()
      try act(action, selection, id, client, asker)
    case .resources(let selection):
      client.reply(
        id,
        .resources(withLending(try state.records(of: selection)), properties: state.properties))
    case .setResources, .addResource, .removeResources, .properties, .queues:
      try administer(request, id, client, asker, at: now)
    case .explain(let job):
      var explanation = try state.explain(job, settings: settings, at: now)
      addLending(to: &explanation)
      client.reply(id, .explanation(explanation))
    case .walltime(let job): try tellWalltime(of: job, id, client)
    case .changeWalltime(let job, let order):
      try requireRoom()
      try changeWalltime(of: job, order, id, client, asker)
    case .gantt(let from, let to):
      client.reply(
        id,
        .gantt(
          state.gantt(from: from, to: to, at: now),
          resources: try state.records(of: ResourceSelection()), now: now))
    case .hostEvents(let host, let limit):
      storedEvents(.host(host, limit: min(max(limit, 1), 1000)), id, client)
    case .status: client.reply(id, .status(status()))
    case .follow(let selection): try follow(selection, id, client, asker)
    case .open(let session): try open(session, id, client, asker)
    case .attach(let job, let size): try attach(job, size, id, client, asker)
    case .resize(let channel, let size): resize(channel, size, client.id)
    case .grant(let channel, let bytes): try grantOutput(channel, bytes, client.id)
    case .endInput(let channel): endInput(channel, client.id)
    case .plan:
      try asker.requireAdministrator("ask for a planning pass")
      state.needsPlan = true
      client.reply(id, .done)
    case .lending(let request): try lend(request, id, client, asker)
    }
  }

  /// - Throws: a refusal while the store can't be written: nobody then waits for an answer without end.
  private func requireRoom() throws(Refusal) {
    if let trouble = committer.trouble { throw Self.refusal(trouble, "try again later") }
  }

  private static func refusal(_ trouble: StorageError, _ advice: String) -> Refusal {
    Refusal(.unavailable, "the server can't write its database now: \(trouble); \(advice)")
  }

  /// Answers a change that can't be taken back when it is durable, or when that has to wait.
  func commit(
    _ outcome: Outcome, answering client: ClientConnection, _ id: Int, _ reply: ServerReply
  ) {
    client.postpone()
    var isAnswered = false
    func answer(_ reply: ServerReply) {
      guard !isAnswered else { return }
      isAnswered = true
      client.settle(id, reply)
    }
    commit(
      outcome,
      whenDelayed: { error in
        answer(.refused(Self.refusal(error, "what you asked for is done as soon as it can")))
      }, whenDurable: { answer(reply) })
  }

  // MARK: Submissions

  /// On a database that others share, ids are asked for first; what is refused anyway needs none.
  private func submitWithIDs(
    _ submission: Submission, _ id: Int, _ client: ClientConnection, _ asker: Asker
  ) throws(Refusal) {
    guard withOAR2 != nil else { return try submit(submission, id, client, asker) }
    _ = try state.admit(submission, by: asker, settings: settings)
    client.postpone()
    withIDs(
      jobs: submission.count, moldables: submission.count * max(1, submission.resources.count),
      whenFailed: { error in
        client.settle(id, .refused(Refusal(.unavailable, "the database gives no ids: \(error)")))
      },
      {
        client.finishPostponed()
        do throws(Refusal) {
          try self.submit(submission, id, client, asker)
        } catch {
          client.reply(id, .refused(error))
        }
        client.regulate()
      })
  }

  private func submit(
    _ submission: Submission, _ id: Int, _ client: ClientConnection, _ asker: Asker
  ) throws(Refusal) {
    var outcome = Outcome()
    let result = try state.submit(
      submission, by: asker, settings: settings, at: Self.now, &outcome)
    let ids = result.first..<(result.first + result.count)
    if let terminal = submission.terminal { terminals[result.first] = terminal }
    commitSubmission(outcome, of: ids, result, id, client)
  }

  /// Answers when the jobs are durable; takes them back when they can't be.
  private func commitSubmission(
    _ outcome: Outcome, of ids: Range<JobID>, _ result: SubmissionResult, _ id: Int,
    _ client: ClientConnection
  ) {
    client.postpone()
    submissions += 1
    commit(
      outcome,
      whenRefused: { error in
        self.submissions -= 1
        self.state.undoSubmission(of: ids)
        self.terminals[result.first] = nil
        client.settle(id, .refused(Self.refusal(error, "try again later")))
      },
      whenDurable: {
        self.submissions -= 1
        client.settle(id, .submitted(result))
      })
  }

  /// Plans a submission that is not made, on another thread: it takes as long as a pass.
  private func rehearse(
    _ submission: Submission, _ id: Int, _ client: ClientConnection, _ asker: Asker
  ) throws(Refusal) {
    guard dryRuns < ClientLimits.dryRuns else {
      throw Refusal(
        .unavailable, "\(dryRuns) dry runs are planned at this moment, and no more are; try again")
    }
    let dryRun = try state.rehearse(submission, by: asker, settings: settings, at: Self.now)
    dryRuns += 1
    client.postpone()
    Task {
      let forecast = await Task.detached { dryRun.plan() }.value
      dryRuns -= 1
      client.settle(id, .forecast(forecast))
    }
  }

  private func resubmit(_ job: JobID, _ id: Int, _ client: ClientConnection, _ asker: Asker) {
    client.postpone()
    Task {
      do {
        let (old, request) = try await ended(job, for: asker)
        if withOAR2 != nil {
          let ids = try await storage.reserve(jobs: 1, moldables: request.moldables.count)
          state.reservedIDs = ReservedIDs(job: ids.job, moldable: ids.moldable)
        }
        defer { state.reservedIDs = nil }
        var outcome = Outcome()
        let new = try state.repeatJob(old, request: request, settings, at: Self.now, &outcome)
        let result = SubmissionResult(remarks: [], first: new, count: 1, arrayID: old.arrayID)
        client.finishPostponed()
        commitSubmission(outcome, of: new..<(new + 1), result, id, client)
      } catch {
        client.settle(
          id, .refused((error as? Refusal) ?? Refusal(.unavailable, "\(error)")))
      }
    }
  }

  /// An ended job that the asker may submit again.
  private func ended(_ job: JobID, for asker: Asker) async throws -> (JobRecord, JobRequest) {
    var filter = JobFilter()
    filter.ids = [job]
    guard let old = try await storage.jobs(matching: filter, limit: 1).first,
      let request = try await storage.request(of: job)
    else { throw Refusal(.unknownJob, "there is no job \(job)") }
    guard asker.mayTouch(jobOf: old.user) else {
      throw Refusal(.notOwner, "job \(job) belongs to \(old.user); you are \(asker.name)")
    }
    guard state.jobs[job] == nil else {
      throw Refusal(.wrongState, "job \(job) has not ended yet")
    }
    guard request.kind == .passive else {
      throw Refusal(.wrongState, "job \(job) is interactive: it can't be submitted again")
    }
    guard old.reservation == .none else {
      throw Refusal(
        .wrongState, "job \(job) was a reservation: make a new one with oarsub -r")
    }
    return (old, request)
  }

  // MARK: Actions

  private func act(
    _ action: JobAction, _ selection: JobSelection, _ id: Int, _ client: ClientConnection,
    _ asker: Asker
  ) throws(Refusal) {
    let ids = try chosen(selection)
    if case .delete = action {
      return try delete(ids, selection, id, client, asker)
    }
    act(action, on: ids, ended: [:], id, client, asker)
  }

  /// Does an action to jobs and answers what became of each. `ended` are jobs of the past among them.
  private func act(
    _ action: JobAction, on ids: [JobID], ended: [JobID: JobRecord], _ id: Int,
    _ client: ClientConnection, _ asker: Asker
  ) {
    var outcome = Outcome()
    var outcomes: [JobOutcome] = []
    for job in ids {
      do throws(Refusal) {
        let host = executions[job]?.head
        if let record = ended[job], state.jobs[job] == nil {
          try state.delete(ended: record, by: asker, at: Self.now, &outcome)
        } else {
          try state.act(
            action, on: job, by: asker, settings: settings, at: Self.now, &outcome)
        }
        outcomes.append(JobOutcome(job: job, host: host))
      } catch {
        outcomes.append(JobOutcome(job: job, refusal: error))
      }
    }
    commit(outcome, answering: client, id, .outcomes(outcomes))
  }

  /// OAR registers the deletion of a job that has ended, once; arrays and conditions mean such jobs too.
  private func delete(
    _ live: [JobID], _ selection: JobSelection, _ id: Int, _ client: ClientConnection,
    _ asker: Asker
  ) throws(Refusal) {
    var filters: [JobFilter] = []
    let past = live.filter { state.jobs[$0] == nil && $0 >= 1 && $0 < state.nextJob }
    if !past.isEmpty {
      var filter = JobFilter()
      filter.ids = past
      filters.append(filter)
    }
    if !selection.arrays.isEmpty {
      var filter = JobFilter()
      filter.arrays = selection.arrays
      filters.append(filter)
    }
    if let text = selection.condition {
      var filter = JobFilter()
      filter.condition = try state.expression(text, of: JobColumns.names)
      filters.append(filter)
    }
    guard !filters.isEmpty else {
      return act(.delete, on: live, ended: [:], id, client, asker)
    }
    client.postpone()
    Task {
      do {
        var ended: [JobID: JobRecord] = [:]
        for var filter in filters {
          filter.states = [.terminated, .error]
          for record in try await storage.jobs(
            matching: filter, limit: ClientLimits.storedJobs)
          { ended[record.id] = record }
        }
        let named = Set(live)
        let ids = live + ended.keys.filter { !named.contains($0) }.sorted()
        client.finishPostponed()
        act(.delete, on: ids, ended: ended, id, client, asker)
      } catch {
        client.settle(id, .refused(Refusal(.unavailable, "\(error)")))
      }
    }
  }

  /// The jobs of a selection, among those that have not ended; given ids as they are.
  func chosen(_ selection: JobSelection) throws(Refusal) -> [JobID] {
    var ids = selection.ids
    if !selection.arrays.isEmpty {
      let arrays = Set(selection.arrays)
      ids += state.visibleJobs { arrays.contains($0.arrayID) }.map(\.id)
    }
    if let text = selection.condition {
      let condition = try state.expression(text, of: JobColumns.names)
      ids += state.visibleJobs { job in
        condition.matches { JobColumns.value($0, of: job) }
      }.map(\.id)
    }
    return ids
  }

  private func administer(
    _ request: ClientRequest, _ id: Int, _ client: ClientConnection, _ asker: Asker,
    at now: Instant
  ) throws(Refusal) {
    switch request {
    case .properties(.list): return client.reply(id, .properties(state.properties))
    case .queues(.list): return client.reply(id, .queues(state.queues))
    default: try requireRoom()
    }
    var outcome = Outcome()
    let reply: ServerReply
    switch request {
    case .setResources(let selection, let setting):
      try asker.requireAdministrator("change resources")
      reply = .setResources(
        try state.set(setting, on: try state.select(selection), at: now, &outcome))
    case .addResource(let host, let setting):
      try asker.requireAdministrator("add resources")
      reply = .added(try state.addResource(host: host, setting, at: now, &outcome))
    case .removeResources(let ids):
      try asker.requireAdministrator("remove resources")
      try state.removeResources(ids, &outcome)
      reply = .done
    case .properties(let action):
      try asker.requireAdministrator("change properties")
      try state.change(action, &outcome)
      reply = .done
    case .queues(let action):
      try asker.requireAdministrator("change queues")
      try state.change(action, &outcome)
      reply = .done
    default: return
    }
    commit(outcome, answering: client, id, reply)
  }
}
