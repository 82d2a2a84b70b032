// A pass over one queue of a cluster whose server is OAR's: jobs of other queues keep what the plan has for
// them, and the jobs of this one get their places. Pure: same scene, same decision.

import ClusterModel
import Kamelot
import Kao
import Storage

/// What a pass over a queue leads to.
struct QueueDecision {
  /// Rows of the plan that are new or not as before.
  var placed: [Prediction] = []
  /// Moldables of this queue whose rows in the plan are out of date.
  var withdrawn: [MoldableID] = []
  /// Texts of the message column that are not as before.
  var messages: [(job: JobID, text: String)] = []
  /// How many jobs of the queue have a place in the plan, and how many have none.
  var placedCount = 0
  var unplacedCount = 0
  /// What the site should know, a sentence each.
  var problems: [String] = []
}

/// Plans one queue.
struct QueuePass {
  let queue: String
  /// The clock of the metascheduler's pass.
  let now: Instant
  let settings: ServerSettings
  private let scene: QueueScene
  private var state: ClusterState
  private let view: QueueView

  init(_ scene: QueueScene, queue: String, now: Instant, settings: ServerSettings) {
    self.queue = queue
    self.now = now
    self.settings = settings
    self.scene = scene
    var state = ClusterState(stored: scene.cluster)
    // All jobs are in the database, and those of other queues are not planned.
    state.durableBelow = .max
    state.lines = state.lines.filter { $0.key == queue }
    state.reserved = []
    state.queues = Self.queues(scene.cluster.queues, with: queue)
    let begin = now - settings.order.fairShare.window
    if settings.order.needsUsage { state.count(scene.past, from: begin, at: now) }
    view = QueueView(scene, of: queue, in: state)
    self.state = state
  }

  /// Whoever calls for a queue wants it planned, whether it is active or not.
  private static func queues(_ queues: [Queue], with name: String) -> [Queue] {
    var own = queues.first { $0.name == name } ?? Queue(name: name, priority: 0)
    own.isActive = true
    return [own]
  }

  /// Plans the jobs of the queue.
  mutating func decide() -> QueueDecision {
    let plan = Kao.plan(snapshot())
    var decision = QueueDecision()
    decision.problems = scene.cluster.problems
    let rows = rows(of: plan, &decision)
    decision.placed = rows.filter { view.former[$0.moldable] != $0 }
    let moldables = Set(rows.map(\.moldable))
    decision.withdrawn = view.former.keys.filter { !moldables.contains($0) }.sorted()
    return decision
  }

  // MARK: Before the pass

  /// What planning depends on: the jobs of the queue, and all others where they are.
  private mutating func snapshot() -> Snapshot {
    var snapshot = state.snapshotBesideOAR2(settings: settings, ended: scene.ended, at: now)
    snapshot.waiting += fixedJobs(besides: snapshot.holding)
    return snapshot
  }

  /// The jobs that keep their places, containers before what runs in them.
  private func fixedJobs(besides holding: [HoldingJob]) -> [WaitingJob] {
    var jobs = view.fixed.compactMap(fixed)
    guard jobs.contains(where: { !$0.types.isEmpty }) else { return jobs }
    let offset = settings.clock.offset(at: now)
    var open = Set(
      holding.compactMap { Self.traits($0.types, $0.id, $0.user, $0.name, offset).container })
    let isContainer = jobs.map {
      Self.traits($0.types, $0.id, $0.user, $0.name, offset).container
    }
    open.formUnion(isContainer.compactMap(\.self))
    jobs = zip(jobs, isContainer).sorted { $0.1 != nil && $1.1 == nil }.map(\.0)
    for index in jobs.indices {
      // What runs in a container that is not there holds what it has all the same.
      jobs[index].types.removeAll { type in
        type.hasPrefix("inner=") && !open.contains(String(type.dropFirst("inner=".count)))
      }
    }
    return jobs
  }

  private static func traits(
    _ types: [String], _ job: JobID, _ user: String, _ name: String, _ offset: Seconds
  ) -> JobTraits {
    let traits = try? JobTraits(types: types, job: job, user: user, name: name, utcOffset: offset)
    return traits ?? .none
  }

  /// A job that keeps its place, as planning keeps the promises of reservations.
  private func fixed(_ fixed: QueueView.Fixed) -> WaitingJob? {
    guard let job = state.jobs[fixed.job] else { return nil }
    var waiting = state.waitingJob(job)
    waiting.dependencies = []
    waiting.reservation = Reservation(
      start: fixed.start,
      promised: .init(moldable: fixed.moldable, resources: fixed.resources))
    return waiting
  }

  // MARK: After it

  /// The jobs of the queue that got places, as rows; what their users are told goes into the decision.
  private func rows(of plan: Plan, _ decision: inout QueueDecision) -> [Prediction] {
    let words = QueueMessage(settings: settings, usage: state.usage)
    var rows: [Prediction] = []
    rows.reserveCapacity(plan.starts.count + plan.predictions.count)
    var placed: Set<JobID> = []
    for placement in [plan.starts, plan.predictions].joined() {
      // A later start has no room in OAR's column, and one row that fails would take all others along.
      guard let job = state.jobs[placement.job], job.isPlannedAnew(by: queue),
        placement.start < endOfTime
      else { continue }
      let row = Prediction(
        moldable: job.moldableID(at: placement.moldable), start: placement.start,
        resources: placement.resources)
      placed.insert(job.id)
      let text = words.placed(job, resources: row.resources.count, moldable: placement.moldable)
      if text != job.message { decision.messages.append((job.id, text)) }
      rows.append(row)
    }
    for id in plan.order where !placed.contains(id) {
      guard let job = state.jobs[id], job.isPlannedAnew(by: queue) else { continue }
      decision.unplacedCount += 1
      guard let reason = plan.reasons[id] else { continue }
      let text = QueueMessage.unplaced(because: reason)
      if text != job.message { decision.messages.append((id, text)) }
    }
    decision.placedCount = placed.count
    return rows
  }
}
