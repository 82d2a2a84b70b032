// Looks at the shared database: when a word of OAR 2's comes, and every few seconds. What others wrote since
// is taken up, and acted upon as if our own commands had asked for it.

import ClusterModel
import Glibc
import Storage
import Wire

extension Controller {
  /// Nanoseconds between two looks at least, however many words come.
  private static let lookRest: UInt64 = 50_000_000
  /// Seconds until a submission that is under way is looked at again.
  private static let shortWait = 0.2

  // MARK: Start and stop

  /// Prepares the side towards OAR 2, over what was loaded.
  ///
  /// - Throws: ``StorageError`` if the database is not one that others may share.
  func beginWithOAR2(over stored: StoredCluster) async throws {
    guard let settings = settings.withOAR2 else { return }
    guard let store = storage as? any SharedStorage else {
      throw StorageError.unusable("the store is not one that OAR 2's programs can share")
    }
    let side = OAR2Side(
      settings: settings, store: store, programs: OARPrograms(loop: loop, settings: settings),
      userCommands: ServicePrograms(loop: loop, atOnce: Self.userCommandsAtOnce))
    withOAR2 = side
    let now = Self.now
    // Jobs whose submission was under way look as if they were held.
    let young = stored.jobs.filter {
      $0.state == .hold && now - $0.submissionTime < JobHorizon.longPatience
    }
    for job in young { state.jobs[job.id] = nil }
    // What was asked of jobs that wait and not done is read again.
    for job in stored.jobs where job.deletionAsked > 0 && !job.state.holdsResources {
      state.jobs[job.id]?.deletionAsked = 0
    }
    let near = max(1, stored.nextJob - JobHorizon.lookups)..<stored.nextJob
    side.horizon.begin(
      at: stored.nextJob, missing: near.filter { state.jobs[$0] == nil } + young.map(\.id), now: now
    )
    for (id, info) in try await store.waitingClients() {
      side.clients[id] = WaitingClient(info: info)
    }
    side.connections = WordConnections(
      loop: loop, admit: { self.admit($0, isLocal: false) }, hear: { self.hearWord($0) })
    lookSoon()
  }

  func endWithOAR2() {
    withOAR2?.connections?.endAll()
    withOAR2?.programs.stop()
    withOAR2?.userCommands.stop()
  }

  // MARK: Words

  /// A line that came over SERVER_PORT.
  func hearWord(_ line: String) {
    guard let side = withOAR2, !isStopping else { return }
    switch ServerWord(line) {
    case .look, .run: lookSoon()
    case .plan:
      state.needsPlan = true
      lookSoon()
    case .ended(let end): hear(end)
    case .exterminate(let job): exterminate(job)
    case .timer: break
    case nil:
      if let text = side.remarks.remark(on: line, at: EventLoop.monotonicNanoseconds) {
        log.say(text)
      }
    }
    scheduleWork()
  }

  // MARK: Rhythm

  /// Looks at the database as soon as the last look is done and some time has passed since it began.
  func lookSoon() {
    guard let side = withOAR2, !isStopping else { return }
    if side.isLooking {
      side.looksAgain = true
      return
    }
    let now = EventLoop.monotonicNanoseconds
    guard now >= side.lastLook + Self.lookRest else {
      return look(after: Double(side.lastLook + Self.lookRest - now) / 1e9)
    }
    side.isLooking = true
    side.looksAgain = false
    side.lastLook = now
    Task { await look() }
  }

  private func look(after seconds: Double) {
    guard let side = withOAR2, !side.isLookScheduled else { return }
    side.isLookScheduled = true
    loop.after(seconds) {
      self.withOAR2?.isLookScheduled = false
      self.lookSoon()
    }
  }

  /// Looks again for submissions that are under way, even if no word comes.
  private func lookAgainLater() {
    guard let side = withOAR2, !side.isRecheckScheduled else { return }
    side.isRecheckScheduled = true
    loop.after(Self.shortWait) {
      self.withOAR2?.isRecheckScheduled = false
      self.lookSoon()
    }
  }

  /// What the clock alone brings about.
  func tickWithOAR2(at now: Instant) {
    guard let side = withOAR2 else { return }
    let age = EventLoop.monotonicNanoseconds - side.lastLook
    if age >= UInt64(side.settings.lookInterval) * 1_000_000_000 { lookSoon() }
    side.takenEvents = side.takenEvents.filter { now - $0.value < OAR2Side.eventMemory }
    watchOARsJobs(at: now)
    payOwed()
  }

  // MARK: One look

  private func look() async {
    guard let side = withOAR2 else { return }
    defer {
      side.isLooking = false
      if side.looksAgain { lookSoon() }
    }
    let mark = NewsMark(
      nextJob: side.horizon.next, missingJobs: side.horizon.lookedFor,
      watchedJobs: state.runByOAR.union(side.undecided.keys).sorted())
    let before = isAtRest ? committer.count : nil
    do {
      let news = try await side.store.news(after: mark)
      guard !isStopping else { return }
      if side.trouble != nil { log.say("the database can be read again") }
      side.trouble = nil
      // While changes of ours are on their way, what both may change says nothing.
      take(news, isCalm: isAtRest && committer.count == before, at: Self.now)
      if side.resourceMark != news.resourceMark {
        try await readResources(as: news.resourceMark)
      }
    } catch {
      guard !isStopping else { return }
      let text = "\(error)"
      if side.trouble == nil {
        log.say("cannot read the database: \(text); what runs goes on, and it is tried again")
      }
      side.trouble = text
    }
  }

  private var isAtRest: Bool { !committer.hasWork && !committer.isWriting }

  /// Takes up what others wrote.
  private func take(_ news: News, isCalm: Bool, at now: Instant) {
    guard let side = withOAR2 else { return }
    var outcome = Outcome()
    var news = news
    // What was said of a job waits until it is known whose it is.
    news.events.removeAll {
      side.takenEvents[$0.id] != nil || side.undecided[$0.event.job] != nil
    }
    for problem in news.problems { log.say(problem) }
    let problems = side.horizon.settle(news, at: now) {
      self.state.jobs[$0] != nil || self.state.ended[$0] != nil
    }
    for problem in problems { log.say(problem) }
    takeJobs(news, at: now, &outcome)
    if isCalm {
      state.takeUp(news.queues)
      state.takeUp(news.walltimeChanges)
    }
    state.grant(news.wantedStates, at: now, &outcome)
    for (id, row) in news.watched.sorted(by: { $0.key < $1.key }) { follow(row, of: id, &outcome) }
    heed(&news, at: now, &outcome)
    let isUnread = { (id: JobID) in id >= side.horizon.next || side.horizon.isMissing(id) }
    let (checked, retyped) = state.takeUp(news.events, at: now, &outcome, isUnread: isUnread)
    for id in checked { side.takenEvents[id] = now }
    if !checked.isEmpty { outcome.changes.append(.eventsChecked(checked)) }
    state.takeUp(news.deletions, at: now, &outcome, isUnread: isUnread)
    if !outcome.changes.isEmpty || !outcome.effects.isEmpty { commit(outcome) }
    if !retyped.isEmpty { readTypes(of: retyped) }
    if news.jobs.count >= News.jobLimit || news.events.count >= News.eventLimit {
      side.looksAgain = true
    } else if side.horizon.hasIncomplete {
      lookAgainLater()
    }
    scheduleWork()
  }

  private func takeJobs(_ news: News, at now: Instant, _ outcome: inout Outcome) {
    guard let side = withOAR2 else { return }
    for job in news.jobs where !side.horizon.isOwn(job.id) {
      if let info = news.clients[job.id] { side.clients[job.id] = WaitingClient(info: info) }
      let isNew = state.jobs[job.id] == nil
      if !state.takeUp(job, isAlone: submissions == 0, at: now, &outcome) {
        side.horizon.postpone(job.id, at: now)
      } else if isNew, job.state.holdsResources {
        adopt(job)
      } else if isNew, job.message.isEmpty {
        state.describe(job.id, order: settings.resourceOrder, &outcome)
      }
    }
  }

  // MARK: What is read apart

  private func readResources(as mark: ResourceMark) async throws {
    guard let side = withOAR2 else { return }
    let (resources, properties) = try await side.store.currentResources()
    guard !isStopping else { return }
    side.resourceMark = mark
    var outcome = Outcome()
    state.takeUp(resources, properties, at: Self.now, &outcome)
    commit(outcome)
  }

  /// Reads the types of jobs that an admin changed.
  func readTypes(of jobs: Set<JobID>) {
    Task {
      var filter = JobFilter()
      filter.ids = jobs.sorted()
      do {
        for record in try await storage.jobs(matching: filter, limit: jobs.count) {
          state.takeUp(types: record.types, queue: record.queue, of: record.id)
        }
        scheduleWork()
      } catch {
        log.say("cannot read the types of jobs \(jobs.sorted()): \(error)")
      }
    }
  }
}
