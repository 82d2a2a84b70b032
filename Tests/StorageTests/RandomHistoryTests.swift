// Random histories: whatever happens in whatever order, and whenever the server is killed, what is
// loaded is what was committed.

import ClusterModel
import Testing

@testable import SQLStorage
@testable import SQLiteStorage
@testable import Storage

@Suite("Random histories", .onEachStore)
struct RandomHistoryTests {
  @Test("after each commit a killed server's database holds what was committed", arguments: 1...8)
  func history(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    var model = ClusterOnPaper()
    var place = try Place()
    var store = try await newStore(in: place)
    for _ in 0..<20 {
      var changes: [Change] = []
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        let change = model.randomChange(&random)
        model.apply(change)
        changes.append(change)
      }
      try await store.commit(changes)
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        (place, store) = try await place.afterKill(of: store)
      case 1:
        await store.close()
        store = try await newStore(in: place)
      default: break
      }
      try await expectSame(store, model)
    }
    await store.close()
    #expect(try rows("SELECT * FROM gantt_jobs_predictions", in: place) == model.planRows)
    #expect(
      try rows("SELECT count(*) FROM job_state_logs WHERE date_stop = 0", in: place)
        == rows("SELECT count(*) FROM jobs", in: place))
  }

  private func expectSame(_ store: DatabaseStorage, _ model: ClusterOnPaper) async throws {
    let loaded = try await store.load()
    #expect(loaded.jobs.map(described) == model.liveJobs.map(described))
    #expect(loaded.resources == model.resources.values.sorted { $0.id < $1.id })
    #expect(loaded.properties == model.properties)
    #expect(loaded.queues == model.queues)
    #expect(loaded.nextJob == model.nextJob)
    #expect(loaded.nextMoldable == model.nextMoldable)
    #expect(loaded.nextResource == model.nextResource)
  }
}

/// Random numbers that are the same every time.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
