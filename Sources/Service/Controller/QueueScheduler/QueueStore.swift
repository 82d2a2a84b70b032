// What a queue's scheduler reads from the database and writes there.

import ClusterModel
import Storage

/// The database of a pass.
struct QueueStore {
  private let storage: any SharedStorage

  /// Opens the database that `oar.conf` names, as one among others who write there.
  static func open(_ settings: ServerSettings) async throws -> QueueStore {
    QueueStore(storage: try await settings.database.open(.shared))
  }

  init(storage: any SharedStorage) { self.storage = storage }

  /// Everything that a pass depends on.
  func scene(for call: QueueCall, _ settings: ServerSettings) async throws -> QueueScene {
    let (cluster, plan) = try await storage.loadWithPlan()
    var scene = QueueScene(cluster: cluster, planned: plan.predictions)
    if settings.order.needsUsage {
      scene.past = try await storage.pastUse(
        from: call.now - settings.order.fairShare.window, to: call.now)
    }
    let strangers = Self.strangers(in: scene.cluster.jobs, queue: call.queue)
    if !strangers.isEmpty { scene.ended = try await storage.existing(strangers.sorted()) }
    return scene
  }

  /// Jobs on which waiting jobs of a queue depend and that are not live.
  private static func strangers(in jobs: [Job], queue: String) -> Set<JobID> {
    var required: Set<JobID> = []
    for job in jobs where !job.request.dependencies.isEmpty && job.isPlannedAnew(by: queue) {
      required.formUnion(job.request.dependencies)
    }
    return required.isEmpty ? [] : required.subtracting(jobs.lazy.map(\.id))
  }

  /// Writes what was decided, all or nothing.
  func write(_ decision: QueueDecision) async throws {
    var changes = decision.messages.map { Change.jobMessage($0.job, $0.text) }
    if !decision.withdrawn.isEmpty { changes.append(.withdrawn(decision.withdrawn)) }
    if !decision.placed.isEmpty { changes.append(.placed(decision.placed)) }
    if !changes.isEmpty { try await storage.commit(changes) }
  }

  func close() async { await storage.close() }
}
