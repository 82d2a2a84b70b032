// What others write to a database of our own (an admin's `psql`, a site's scripts) is told by the database and
// taken up, by the code that follows OAR 2's commands in a shared one. Jobs that the server has are its own
// affair: of them only what OAR's commands ask for by rows of their own is heeded.

import ClusterModel
import Storage

/// What the server remembers of what others wrote. Used on the server's loop alone.
final class Outsiders {
  let store: any SharedStorage
  /// Jobs that others submitted and that were not whole when they were looked at.
  var horizon = JobHorizon()
  /// Tables that were written since the last look.
  var written: Set<String> = []
  var isLooking = false
  /// Jobs that others wrote and that are not taken up.
  var refused: Set<JobID> = []
  /// No job has such a number: jobs of others are looked for by name.
  private static let beyondAll = JobID(Int32.max)

  init(store: any SharedStorage) {
    self.store = store
    horizon.begin(at: Self.beyondAll, missing: [], now: 0)
  }

  /// The tables that are to be looked at, once.
  func takeWritten() -> Set<String> {
    defer { written = [] }
    return written
  }

  /// After a time without news, everything may have been written.
  static let all: Set<String> = ["jobs", "resources", "queues"]
  /// Tables with the rows of a submission.
  static let ofJobs: Set<String> = ["jobs", "job_state_logs"]
}

extension Controller {
  /// Seconds from one look at what others wrote to the next.
  private static let outsiderRest = 0.05
  /// Seconds until a look that came between changes of our own is repeated, and one at a job without all of its
  /// rows.
  private static let outsiderWait = 0.2

  /// Listens to the database from now on, if it tells.
  func beginHearingOutsiders() async {
    guard withOAR2 == nil, let store = storage as? any SharedStorage,
      let words = try? await store.foreignChanges()
    else { return }
    outsiders = Outsiders(store: store)
    Task { for await word in words { hear(word) } }
  }

  private func hear(_ word: ForeignChange) {
    guard !isStopping else { return }
    switch word {
    case .listening: lookAtOutsiders(Outsiders.all)
    case .written(let tables): lookAtOutsiders(tables)
    case .lost(let reason):
      log.say("what others write to the database is not heard now, it is tried again: \(reason)")
    }
  }

  /// Looks at tables, soon if that is being done.
  private func lookAtOutsiders(_ tables: Set<String>) {
    guard let outsiders, !isStopping else { return }
    outsiders.written.formUnion(tables)
    guard !outsiders.isLooking, !outsiders.written.isEmpty else { return }
    outsiders.isLooking = true
    Task {
      let pause = await look(at: outsiders.takeWritten(), of: outsiders)
      loop.after(pause) {
        outsiders.isLooking = false
        self.lookAtOutsiders(outsiders.horizon.hasIncomplete ? ["jobs"] : [])
      }
    }
  }

  /// Reads what others wrote, and takes it up.
  ///
  /// - Returns: how long to wait with the next look.
  private func look(at tables: Set<String>, of outsiders: Outsiders) async -> Double {
    // What was read before changes of our own were written is older than what the server knows.
    let (wasBusy, count) = (committer.hasSiteCommits, committer.siteCommits)
    do {
      if !tables.isDisjoint(with: Outsiders.ofJobs) { try await seekJobs(of: outsiders) }
      let mark = NewsMark(nextJob: outsiders.horizon.next, missingJobs: outsiders.horizon.lookedFor)
      let news = try await outsiders.store.news(after: mark)
      let resources =
        tables.contains("resources") ? try await outsiders.store.currentResources() : nil
      guard !isStopping else { return 0 }
      takeJobs(news, of: outsiders)
      guard !wasBusy, committer.siteCommits == count else {
        outsiders.written.formUnion(tables)
        return Self.outsiderWait
      }
      var outcome = Outcome()
      if let (resources, properties) = resources {
        state.takeUpStates(of: resources, at: Self.now, &outcome)
        state.takeUp(resources, properties, at: Self.now, &outcome)
      }
      take(news, of: outsiders, &outcome)
    } catch {
      guard !isStopping else { return 0 }
      log.say("cannot read what others wrote to the database: \(error); it is tried again")
      outsiders.written.formUnion(tables)
      return 1
    }
    return outsiders.horizon.hasIncomplete ? Self.outsiderWait : Self.outsiderRest
  }

  /// Finds the jobs that the server does not have. One of them may have ended meanwhile: it is read again.
  private func seekJobs(of outsiders: Outsiders) async throws {
    let next = try await outsiders.store.reserve(jobs: 0, moldables: 0)
    state.nextJob = max(state.nextJob, next.job)
    state.nextMoldable = max(state.nextMoldable, next.moldable)
    let now = Self.now
    for id in try await outsiders.store.liveJobs()
    where state.jobs[id] == nil && state.ended[id] == nil && !outsiders.refused.contains(id) {
      outsiders.horizon.seek(id, at: now)
    }
  }

  private func takeJobs(_ news: News, of outsiders: Outsiders) {
    let now = Self.now
    var outcome = Outcome()
    for problem in news.problems { log.say(problem) }
    let problems = outsiders.horizon.settle(news, at: now) { self.state.jobs[$0] != nil }
    for problem in problems { log.say(problem) }
    outsiders.refused.formUnion(news.endedJobs)
    for job in news.jobs where state.jobs[job.id] == nil {
      guard !job.state.holdsResources else {
        outsiders.refused.insert(job.id)
        log.say("job \(job.id) was set aside: others wrote it as \(job.state.rawValue)")
        continue
      }
      guard state.takeUp(job, isAlone: submissions == 0, at: now, &outcome) else {
        outsiders.horizon.postpone(job.id, at: now)
        continue
      }
      state.nextMoldable = max(state.nextMoldable, job.lastMoldableID + 1)
      if job.message.isEmpty { state.describe(job.id, order: settings.resourceOrder, &outcome) }
    }
    commit(outcome)
  }

  private func take(_ news: News, of outsiders: Outsiders, _ outcome: inout Outcome) {
    let now = Self.now
    let isUnread = { outsiders.horizon.isMissing($0) }
    state.takeUp(news.queues)
    state.takeUp(news.walltimeChanges)
    state.grant(news.wantedStates, at: now, &outcome)
    let (checked, retyped) = state.takeUp(news.events, at: now, &outcome, isUnread: isUnread)
    if !checked.isEmpty { outcome.changes.append(.eventsChecked(checked)) }
    state.takeUp(news.deletions, at: now, &outcome, isUnread: isUnread)
    commit(outcome)
    if !retyped.isEmpty { readTypes(of: retyped) }
    if news.events.count >= News.eventLimit { outsiders.written.insert("event_logs") }
  }
}

extension ClusterState {
  /// In a database of our own a state that somebody else wrote is what an admin wants.
  fileprivate mutating func takeUpStates(
    of stored: [Resource], at now: Instant, _ outcome: inout Outcome
  ) {
    let wishes = stored.compactMap { row -> WantedState? in
      guard let known = resources[row.id], known.state != row.state else { return nil }
      return WantedState(resource: row.id, state: row.state, byServer: false)
    }
    grant(wishes, at: now, &outcome)
  }
}

extension Job {
  /// The greatest number of its moldables.
  fileprivate var lastMoldableID: MoldableID {
    request.moldables.indices.map { moldableID(at: $0) }.max() ?? 0
  }
}
