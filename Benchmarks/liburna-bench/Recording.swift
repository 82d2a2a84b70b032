// How long the record of a plan takes, on the disk of the current folder. Needs no cluster.

import ClusterModel
import Glibc
import SQLStorage
import SQLiteStorage
import Scenarios
import Storage
import Wire

/// The first plan of a scenario written, then what passes change in it: each from the plan in memory to
/// the synced database. `--scenario` names the file.
func measureRecord(_ arguments: Arguments) async throws -> [Figure] {
  let rounds = try arguments.integer("rounds", default: 10)
  let cluster = PlannedCluster(try scenario(arguments).snapshot())
  let file = "record-\(getpid()).sqlite"
  defer { for suffix in ["", "-wal", "-shm", ".lock"] { unlink(file + suffix) } }
  let record = try await Record(of: cluster, in: file)
  var figures = try await [
    record.figure("the first plan", .atMost(1500), rounds: 1) {},
    record.figure("nothing changed", rounds: rounds) { cluster.wait(1) },
    record.figure("a job was submitted", rounds: rounds) { cluster.submit() },
    record.figure("a job ended in time, others started", rounds: rounds) { cluster.waitForEnd() },
    record.figure("the next to end ended early", rounds: rounds) { cluster.endNext() },
    record.figure("the widest job ended early", rounds: rounds) { cluster.endWidest() },
    record.figure("every start moved", rounds: rounds) { cluster.delay(1) },
  ]
  await record.storage.close()
  let again = try await Record(of: cluster, in: file)
  figures.append(
    try await again.figure("the first after a restart", .atMost(1500), rounds: 1) {})
  await again.storage.close()
  return figures
}

private func scenario(_ arguments: Arguments) throws -> Scenario {
  guard let path = arguments.text("scenario") else {
    throw BenchmarkError("the file of a scenario is needed: --scenario FILE")
  }
  do {
    return try Scenario(parsing: readFile(path, limit: 1 << 30))
  } catch FileFailure.system(let code) {
    throw BenchmarkError("\(path) can't be read: \(String(cString: strerror(code)))")
  }
}

/// A database with the plan of a cluster in it.
private final class Record {
  let storage: DatabaseStorage
  private let cluster: PlannedCluster
  private var last: [MoldableID: Set<ResourceID>] = [:]

  init(of cluster: PlannedCluster, in path: String) async throws {
    self.cluster = cluster
    storage = try await SQLiteStorage.open(path: path)
  }

  /// How long the plan took to be written after each of some passes, the median.
  func figure(
    _ name: String, _ target: Target = .atMost(100), rounds: Int, _ change: () -> Void
  ) async throws -> Figure {
    var samples = Samples()
    var processor = Samples()
    var changes: [Int] = []
    for _ in 0..<rounds {
      change()
      cluster.plan()
      let (began, used) = (Clock.milliseconds, Clock.processor)
      let predictions = cluster.predictions
      try await storage.commit([.predictions(predictions, at: cluster.now)])
      samples.append(Clock.milliseconds - began)
      processor.append(Clock.processor - used)
      changes.append(countChanges(predictions))
    }
    changes.sort()
    return Figure(
      name: name, value: samples.median, unit: "ms", target: target,
      detail:
        "\(changes[changes.count / 2]) rows changed; \(decimal(processor.median)) ms of processor; "
        + samples.detail)
  }

  /// How many rows of resources differ from the plan before.
  private func countChanges(_ predictions: [Prediction]) -> Int {
    var changes = 0
    var present: [MoldableID: Set<ResourceID>] = [:]
    for prediction in predictions {
      let resources = Set(prediction.resources)
      present[prediction.moldable] = resources
      changes += resources.symmetricDifference(last[prediction.moldable] ?? []).count
    }
    for (moldable, old) in last where present[moldable] == nil { changes += old.count }
    last = present
    return changes
  }
}
