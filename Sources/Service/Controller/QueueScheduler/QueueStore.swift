// What a queue's scheduler reads from the database and writes there.

import ClusterModel
import SQLiteStorage
import Storage

/// The database of a pass.
struct QueueStore {
  private let storage: any Storage

  /// Opens the database that `oar.conf` names, as one among others who write there.
  static func open(_ settings: ServerSettings) async throws -> QueueStore {
    QueueStore(storage: try await SQLiteStorage.open(path: settings.databasePath))
  }

  /// Everything that a pass depends on.
  func scene(for call: QueueCall, _ settings: ServerSettings) async throws -> QueueScene {
    var scene = QueueScene(cluster: try await storage.load())
    if settings.order.needsUsage {
      scene.past = try await storage.pastUse(
        from: call.now - settings.order.fairShare.window, to: call.now)
    }
    return scene
  }

  /// Writes what was decided, all or nothing.
  func write(_ decision: QueueDecision) async throws {
    let changes = decision.messages.map { Change.jobMessage($0.job, $0.text) }
    if !changes.isEmpty { try await storage.commit(changes) }
  }

  func close() async { await storage.close() }
}
