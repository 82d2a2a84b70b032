// What waiting `oarsub`s of OAR 2 are told, and when: read off the changes that were made durable, so that
// no decision needs to know who waits.

import ClusterModel
import Glibc
import Storage

extension Controller {
  /// The words that follow from changes, once they are durable.
  func clientDeliveries(after changes: [Change]) -> [(job: JobID, delivery: ClientDelivery)] {
    guard let side = withOAR2 else { return [] }
    var refused: Set<JobID> = []
    var words: [JobID: [ClientWord]] = [:]
    for change in changes {
      switch change {
      case .jobsSubmitted(let jobs):
        if let first = jobs.first, let last = jobs.last {
          side.horizon.add(own: first.id..<(last.id + 1))
        }
      case .reservationAccepted(let id, _, _, _): words[id] = [.goodReservation]
      case .reservationRefused(let id): refused.insert(id)
      case .jobState(let id, .hold, _): words[id] = [.heldPrediction]
      case .jobState(let id, let step, _) where step == .launching || step == .running:
        // `bipbip` says so itself; so does nobody when a suspended job goes on.
        guard let job = state.jobs[id], opensOwnSession(job), !job.wasSuspended, !isOARs(id) else {
          continue
        }
        words[id, default: []].append(step == .launching ? .starting : .goodJob)
      case .jobEnded(let id, _, _, _):
        words[id] = farewell(to: id, isRefused: refused.contains(id))
      default: break
      }
    }
    return words.sorted { $0.key < $1.key }.compactMap { id, words in
      side.clients[id].map { (id, ClientDelivery(client: $0, words: words)) }
    }
  }

  /// What is told of a job that ended before it ran; nothing of one that ran.
  private func farewell(to id: JobID, isRefused: Bool) -> [ClientWord] {
    guard let record = state.ended[id], record.assignedMoldable == nil else { return [] }
    return isRefused ? [.text(record.message), .badJob] : [.jobKilled]
  }

  /// Sends words on another thread. Who waits and can't be told loses the job, as in OAR: nobody would use
  /// it.
  func tellClients(_ deliveries: [(job: JobID, delivery: ClientDelivery)]) {
    guard let side = withOAR2 else { return }
    let due = deliveries.filter { !$0.delivery.words.isEmpty }
    for (job, _) in deliveries where state.jobs[job] == nil || isAnswered(job) {
      side.clients[job] = nil
      side.toldPredictions[job] = nil
    }
    guard !due.isEmpty else { return }
    Task {
      let arrived = await Task.detached { ClientWords.send(due.map(\.delivery)) }.value
      for (index, isThere) in arrived.enumerated() where !isThere { lose(clientOf: due[index].job) }
    }
  }

  /// Whether a reservation was decided: its `oarsub` has its answer and ends.
  private func isAnswered(_ id: JobID) -> Bool { state.jobs[id]?.reservation == .scheduled }

  private func lose(clientOf id: JobID) {
    guard let job = state.jobs[id] else { return }
    let isReservation = job.state == .waiting && job.reservation == .scheduled
    let isSession = job.state == .running && opensOwnSession(job)
    guard isReservation || isSession else { return }
    let now = Self.now
    var outcome = Outcome()
    outcome.changes.append(
      .event(
        JobEvent("CANNOT_NOTIFY_OARSUB", job: id, at: now, "oarsub of job \(id) can't be told")))
    state.requestEnd(of: id, asker: "root", at: now, &outcome)
    commit(outcome)
  }

  // MARK: Predictions

  /// Tells those that wait for an interactive job when it will start, if that is new.
  func tellPredictions(at now: Instant) {
    guard let side = withOAR2, !side.clients.isEmpty else { return }
    var due: [(job: JobID, delivery: ClientDelivery)] = []
    for (id, client) in side.clients {
      guard let job = state.jobs[id], job.state == .waiting, job.request.kind == .interactive,
        let start = state.placements[id]?.start
      else { continue }
      let date = Self.date(start)
      guard side.toldPredictions[id] != date else { continue }
      side.toldPredictions[id] = date
      let word = ClientWord.prediction(now: Self.date(now), start: date, message: job.message)
      due.append((id, ClientDelivery(client: client, words: [word])))
    }
    tellClients(due)
  }

  /// A date as OAR writes it, in the server's time zone.
  private static func date(_ instant: Instant) -> String {
    var (time, parts) = (time_t(instant), tm())
    guard localtime_r(&time, &parts) != nil else { return "\(instant)" }
    var buffer = [CChar](repeating: 0, count: 32)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
