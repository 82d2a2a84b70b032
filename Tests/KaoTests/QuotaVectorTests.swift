// Plans with quotas that OAR 3's kamelot made, made again by a planner that tries every start.

import ClusterModel
import Encoding
import Foundation
import Kamelot
import Testing

struct QuotaVectorTests {
  @Test("every plan with quotas that OAR 3 made is made again, to the resource")
  func plansOfTheOriginal() throws {
    let vectors = try Vector.load("quota-vectors.jsonl")
    let documents = try Self.documents()
    #expect(vectors.count == 12 && documents.count == 12)
    for (vector, document) in zip(vectors, documents) {
      let quotas = try Quotas(document, allResources: vector.scenario.platform.resources)
      #expect(quotas.problems.isEmpty)
      var planner = QuotaPlanner(vector.scenario, quotas)
      let made = vector.scenario.jobs.compactMap { planner.place($0) }
      #expect(made == vector.plan, "\(vector.scenario.name)")
    }
  }

  /// The `quotas` of each line.
  private static func documents(from file: String = #filePath) throws -> [JSONValue] {
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    let text = try String(
      contentsOf: folder.appendingPathComponent("Fixtures/quota-vectors.jsonl"), encoding: .utf8)
    return try text.split(separator: "\n").compactMap {
      try JSONReader.read(String($0))["scenario"]?["quotas"]
    }
  }
}

/// A planner that tries every start in order: now, and the ends of jobs. Its machine is made of blocks
/// of consecutive resources, and its jobs have one moldable with one group.
private struct QuotaPlanner {
  let now: Instant
  let size: Int
  let blockSizes: [String: Int]
  var ledger: QuotaLedger
  var allocations: [(start: Instant, end: Instant, resources: [Int])] = []

  init(_ scenario: Scenario, _ quotas: Quotas) {
    now = scenario.now
    size = scenario.platform.resources
    blockSizes = scenario.platform.levels.merging([scenario.platform.unit: 1]) { first, _ in first }
    ledger = QuotaLedger(quotas, now: now)
  }

  mutating func place(_ job: Scenario.ScenarioJob) -> Vector.PlannedJob? {
    let account = ledger.account(queue: job.queue, project: job.project, types: [], user: job.user)
    let shape = job.moldables[0]
    var retryAt = now
    for start in Set([now] + allocations.map(\.end)).sorted() where start >= retryAt {
      let end = start + shape.walltime
      guard let picked = pick(shape.groups[0].levels[...], of: 0..<size, free(from: start, to: end))
      else { continue }
      let verdict = ledger.earliestAllowed(
        account, resources: picked.count, duration: shape.walltime, from: start)
      if case .exceeded(let excess) = verdict {
        // Nothing is lost by going on from there: the plan would not be the same otherwise.
        guard let next = excess.retryAt else { return nil }
        retryAt = next
        continue
      }
      ledger.add(account, resources: picked.count, from: start, to: end)
      allocations.append((start, end, picked))
      return Vector.PlannedJob(
        job: job.id, start: start, end: end - 1, moldable: 0,
        resources: rangesText(of: picked.map { $0 + 1 }))
    }
    return nil
  }

  private func free(from start: Instant, to end: Instant) -> [Bool] {
    var free = Array(repeating: true, count: size)
    for allocation in allocations where allocation.start < end && start < allocation.end {
      for resource in allocation.resources { free[resource] = false }
    }
    return free
  }

  /// The first blocks that serve the levels; the last level wants whole blocks.
  private func pick(
    _ levels: ArraySlice<Scenario.Level>, of range: Range<Int>, _ free: [Bool]
  ) -> [Int]? {
    guard let level = levels.first, let blockSize = blockSizes[level.property] else { return [] }
    var (picked, count) = ([Int](), 0)
    for start in stride(from: range.lowerBound, to: range.upperBound, by: blockSize) {
      guard count < level.count else { break }
      let block = start..<start + blockSize
      if levels.count == 1 {
        guard free[block].allSatisfy({ $0 }) else { continue }
        picked += Array(block)
      } else {
        guard let inner = pick(levels.dropFirst(), of: block, free) else { continue }
        picked += inner
      }
      count += 1
    }
    return count == level.count ? picked : nil
  }
}
