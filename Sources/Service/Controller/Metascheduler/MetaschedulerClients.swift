// Those who wait at a terminal for OAR 2's `oarsub`: reservations are acknowledged or refused, interactive jobs
// hear when they will start.

import ClusterModel
import Kamelot
import RequestLanguage
import Storage

extension MetaschedulerPass {
  /// Tells everybody who waits for a word of this pass, and takes the steps that follow.
  mutating func tellClients() async throws {
    await tellStarts()
    var outcome = Outcome()
    refuse(&outcome)
    acknowledge(&outcome)
    guard !outcome.changes.isEmpty else { return }
    try await commit(outcome.changes)
    _ = almighty.send([.checkStates])
  }

  /// OAR's dates.
  func date(_ instant: Instant) -> String {
    CivilDate(instant, utcOffset: settings.planner.clock.offset(at: instant))?.text ?? "\(instant)"
  }

  // MARK: Interactive jobs

  /// Tells when interactive jobs will start, those of which that changed.
  private func tellStarts() async {
    let starts = Dictionary(
      former.predictions.map { ($0.moldable, $0.start) }, uniquingKeysWith: { $1 })
    let news = state.placements.values.filter { placement in
      guard let job = state.jobs[placement.job], job.request.kind == .interactive,
        clients[job.id] != nil, placement.start > now
      else { return false }
      return starts[job.moldableID(at: placement.moldable)] != placement.start
    }.sorted { $0.job < $1.job }
    guard !news.isEmpty else { return }
    let messages = await messages(of: news.map(\.job))
    let deliveries = news.compactMap { placement in
      clients[placement.job].map { client in
        ClientDelivery(
          client: client,
          words: [
            .prediction(
              now: date(now), start: date(placement.start), message: messages[placement.job] ?? "")
          ])
      }
    }
    for (placement, arrived) in zip(news, ClientWords.send(deliveries)) where !arrived {
      log.debug("the oarsub of job \(placement.job) does not listen")
    }
  }

  /// Messages as they are now: the scheduler of a queue may have written them.
  private func messages(of jobs: [JobID]) async -> [JobID: String] {
    var filter = JobFilter()
    filter.ids = jobs
    let records = (try? await storage.jobs(matching: filter, limit: jobs.count)) ?? []
    return Dictionary(records.map { ($0.id, $0.message) }, uniquingKeysWith: { $1 })
  }

  // MARK: Reservations

  /// Jobs that are to become an error: the reason, then `BAD JOB`; whoever has gone needs none.
  private mutating func refuse(_ outcome: inout Outcome) {
    let jobs = jobs(in: .toError)
    let deliveries = jobs.compactMap { job in
      clients[job.id].map { ClientDelivery(client: $0, words: [.text(job.message), .badJob]) }
    }
    _ = ClientWords.send(deliveries)
    for job in jobs {
      log.info("job \(job.id) is an error: \(job.message)")
      state.end(job.id, as: .error, status: nil, at: now, &outcome)
    }
  }

  /// Reservations that were accepted: `GOOD RESERVATION`, and they wait for their date. If nobody hears it,
  /// nobody wants the reservation.
  private mutating func acknowledge(_ outcome: inout Outcome) {
    let jobs = jobs(in: .toAckReservation)
    let listening = jobs.filter { clients[$0.id] != nil }
    let deliveries = listening.compactMap { job in
      clients[job.id].map { ClientDelivery(client: $0, words: [.goodReservation]) }
    }
    let arrived = ClientWords.send(deliveries)
    let lost = Set(zip(listening, arrived).filter { !$0.1 }.map(\.0.id))
    for job in jobs {
      if lost.contains(job.id) {
        giveUp(job.id, &outcome)
      } else {
        state.move(job.id, to: .waiting, at: now, &outcome)
        // Its date may be now.
        if job.startTime <= now + 1, result == .goOn { result = .again }
      }
    }
  }

  private func jobs(in step: JobState) -> [Job] {
    state.jobs.values.filter { $0.state == step }.sorted { $0.id < $1.id }
  }

  /// Has Leon end a job whose `oarsub` is gone.
  private mutating func giveUp(_ id: JobID, _ outcome: inout Outcome) {
    log.info("the oarsub of reservation \(id) does not listen: the job ends")
    outcome.changes += [
      .event(
        JobEvent(
          "CANNOT_NOTIFY_OARSUB", job: id, at: now,
          "[MetaSched] the oarsub of job \(id) does not listen any more")),
      .jobDeletion(id, .asked, at: now),
      .event(
        JobEvent(
          ClusterState.deletionEvent, job: id, at: now, "User root requested to frag the job \(id)")
      ),
    ]
    result = .endJobs
  }
}
