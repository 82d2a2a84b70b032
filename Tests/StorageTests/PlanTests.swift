// The record of the plan: whatever was in the tables, they come to hold the plan, and little is written
// when little changes.

import ClusterModel
import Testing

@testable import SQLStorage
@testable import SQLiteStorage
@testable import Storage

@Suite("The record of the plan", .onEachStore)
struct PlanTests {
  @Test("after each of many plans the tables hold it", arguments: 1...5)
  func randomPlans(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let place = try Place()
    var store = try await newStore(in: place)
    var plan: [Prediction] = []
    for date in 1...30 {
      change(&plan, &random)
      try await store.commit([.predictions(plan.shuffled(using: &random), at: date)])
      try expect(plan, date, in: place)
      guard Int.random(in: 0..<4, using: &random) == 0 else { continue }
      await store.close()
      if Bool.random(using: &random) { try disturb(place, &random) }
      store = try await newStore(in: place)
    }
    await store.close()
  }

  @Test("a plan after one that was undone is written, whatever the undone one had")
  func afterUndoneOne() async throws {
    let place = try Place()
    let store = try await newStore(in: place)
    var plan = [Prediction(moldable: 4, start: 500, resources: [1, 2, 9])]
    try await store.commit([.predictions(plan, at: 1)])
    await #expect(throws: StorageError.self) {
      try await store.commit([
        .predictions([Prediction(moldable: 5, start: 1, resources: [3])], at: 2),
        .jobMessage(99, "nobody"),
      ])
    }
    try expect(plan, 1, in: place)
    plan[0].resources = [2, 9, 10]
    try await store.commit([.predictions(plan, at: 3)])
    try expect(plan, 3, in: place)
  }

  @Test("tables of another shape than ours are filled all the same")
  func otherShape() async throws {
    let place = try Place()
    try await newStore(in: place).close()
    try write(
      """
      DROP TABLE gantt_jobs_resources_visu;
      CREATE TABLE gantt_jobs_resources_visu (
        resource_id integer, moldable_job_id integer, remark text);
      INSERT INTO gantt_jobs_resources_visu VALUES (1, 7, 'x'), (1, 7, 'x'), (null, null, null);
      """, in: place)
    let store = try await newStore(in: place)
    var plan = [Prediction(moldable: 4, start: 500, resources: Array(1...40))]
    for date in 1...2 {
      try await store.commit([.predictions(plan, at: date)])
      try expect(plan, date, in: place)
      plan[0].resources.removeFirst(15)
    }
  }

  // MARK: The difference

  @Test("a pass that starts one job touches that job's rows only")
  func startOfOne() {
    let before = planRows((1...50).map { prediction($0, at: 100 * $0) }, at: 1)
    var now = (1...50).map { prediction($0, at: 100 * $0) }
    now[6] = prediction(7, at: 10)
    now[6].resources = [7, 8, 500]
    let difference = PlanDifference(from: before, to: planRows(now, at: 2))
    #expect(difference.starts.map(\.moldable) == [0, 7] && difference.gone.isEmpty)
    #expect(difference.additions == [PlanRow(moldable: 7, start: 10, resources: [500])])
    #expect(difference.removals == [.init(moldable: 7, resources: 9...9)])
    #expect(difference.changedResources == 2)
  }

  @Test("when all starts move, no resource is written")
  func allMove() {
    let before = planRows((1...50).map { prediction($0, at: $0) }, at: 1)
    let after = planRows((1...50).map { prediction($0, at: $0 + 3) }, at: 1)
    let difference = PlanDifference(from: before, to: after)
    #expect(difference.starts.count == 50 && difference.changedResources == 0)
    #expect(difference.removals.isEmpty && difference.additions.isEmpty)
  }

  @Test("resources between two that stay go at once")
  func removals() {
    let before = [PlanRow(moldable: 1, start: 0, resources: [1, 2, 3, 10, 11, 12, 40])]
    let after = [PlanRow(moldable: 1, start: 0, resources: [0, 3, 5, 41])]
    let difference = PlanDifference(from: before, to: after)
    #expect(difference.removals.map(\.resources) == [1...2, 10...40])
    #expect(difference.additions.map(\.resources) == [[0, 5, 41]])
    #expect(difference.changedResources == 9)
  }

  private func prediction(_ moldable: MoldableID, at start: Instant) -> Prediction {
    Prediction(moldable: moldable, start: start, resources: [moldable, moldable + 1, moldable + 2])
  }

  // MARK: Random plans

  /// From small steps to another plan altogether.
  private func change(_ plan: inout [Prediction], _ random: inout SeededGenerator) {
    let range = 1...(Bool.random(using: &random) ? 60 : 3)
    for _ in 0..<Int.random(in: range, using: &random) {
      let moldable = Int.random(in: 1...80, using: &random)
      let index = plan.firstIndex { $0.moldable == moldable }
      switch (Int.random(in: 0..<4, using: &random), index) {
      case (0, let index?): plan.remove(at: index)
      case (1, let index?): plan[index].start += 1
      case (2, let index?):
        plan[index].resources.removeAll { _ in Bool.random(using: &random) }
      case (_, let index?): plan[index].resources = resources(&random)
      case (_, nil):
        let start = Int.random(in: 1...9999, using: &random)
        plan.append(Prediction(moldable: moldable, start: start, resources: resources(&random)))
      }
    }
  }

  private func resources(_ random: inout SeededGenerator) -> [ResourceID] {
    let first = Int.random(in: 1...100, using: &random)
    let all = Array(first...(first + Int.random(in: 0...70, using: &random)))
    return Bool.random(using: &random) ? all : all.filter { _ in Bool.random(using: &random) }
  }

  /// What another program may have done while no server ran.
  private func disturb(_ place: Place, _ random: inout SeededGenerator) throws {
    let suffix = Bool.random(using: &random) ? "_visu" : ""
    let moldable = Int.random(in: 1...80, using: &random)
    try write(
      """
      DELETE FROM gantt_jobs_predictions\(suffix) WHERE moldable_job_id > \(moldable);
      DELETE FROM gantt_jobs_resources\(suffix) WHERE resource_id = \(moldable);
      INSERT INTO gantt_jobs_resources\(suffix) VALUES (\(moldable), 7), (9000, 1)
        ON CONFLICT DO NOTHING;
      UPDATE gantt_jobs_predictions\(suffix) SET start_time = 3;
      """, in: place)
  }

  private func write(_ sql: String, in place: Place) throws {
    try place.execute(sql)
  }

  private func expect(_ plan: [Prediction], _ date: Instant, in place: Place) throws {
    let rows = planRows(plan, at: date)
    for suffix in ["", "_visu"] {
      #expect(
        try StorageTests.rows(
          "SELECT * FROM gantt_jobs_predictions\(suffix) ORDER BY 1", in: place)
          == rows.map { "\($0.moldable)|\($0.start)" })
      #expect(
        try StorageTests.rows(
          """
          SELECT moldable_job_id, resource_id FROM gantt_jobs_resources\(suffix) ORDER BY 1, 2
          """, in: place)
          == rows.flatMap { row in row.resources.map { "\(row.moldable)|\($0)" } })
    }
  }
}
