// The process that makes a pass over a queue: settings, database, plan, one transaction.

import ClusterModel
import Glibc
import Storage
import Wire

/// Makes one pass.
enum QueueWorker {
  /// The exit code of a pass that failed and has said why.
  static let failed: Int32 = 1
  /// Bytes of address space that a pass may take: far more than a million waiting jobs need.
  private static let memoryLimit: UInt = 8 << 30
  /// After the limit of the pass and so many seconds the process ends even if nobody watches over it.
  private static let grace: Seconds = 5

  /// - Parameter limit: seconds that the pass may take; `nil` for any number.
  static func main(_ call: QueueCall, limit: Seconds?) -> Never {
    signal(SIGPIPE, SIG_IGN)
    limitMemory()
    if let limit { alarm(UInt32(limit + grace)) }
    Task {
      do {
        try await run(call)
        exit(0)
      } catch {
        QueueLog.say("[ERROR] \(error)")
        exit(failed)
      }
    }
    while true { pause() }
  }

  private static func limitMemory() {
    let kind = __rlimit_resource_t(RLIMIT_AS.rawValue)
    var limits = rlimit()
    guard getrlimit(kind, &limits) == 0 else { return }
    limits.rlim_cur = min(limits.rlim_max, memoryLimit)
    setrlimit(kind, &limits)
  }

  /// The pass.
  private static func run(_ call: QueueCall) async throws {
    let (settings, configuration) = try QueueSettings.read()
    let storage = try await QueueStore.open(settings)
    let scene = try await storage.scene(for: call, settings)
    guard scene.cluster.queues.contains(where: { $0.name == call.queue }) else {
      throw StorageError.failed("the database has no queue \"\(call.queue)\"")
    }
    for line in HierarchyLabels(configuration).remarks(on: scene.cluster, queue: call.queue) {
      QueueLog.say("[WARNING] \(line)")
    }
    var pass = QueuePass(scene, queue: call.queue, now: call.now, settings: settings)
    let decision = pass.decide()
    for problem in decision.problems { QueueLog.say("[WARNING] \(problem)") }
    try await storage.write(decision)
    await storage.close()
  }
}
