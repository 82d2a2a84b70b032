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
      let snapshot = vector.scenario.snapshot()
      let quotas = try Quotas(document, allResources: vector.scenario.platform.resources)
      #expect(quotas.problems.isEmpty)
      var planner = QuotaPlanner(snapshot, quotas)
      let made = snapshot.waiting.compactMap { planner.place($0) }
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

/// The reference planner with quotas: every start in order, now and the ends of jobs.
private struct QuotaPlanner {
  var reference: ReferencePlanner
  var ledger: QuotaLedger

  init(_ snapshot: Snapshot, _ quotas: Quotas) {
    reference = ReferencePlanner(snapshot)
    ledger = QuotaLedger(quotas, now: snapshot.now)
  }

  mutating func place(_ job: WaitingJob) -> Vector.PlannedJob? {
    let account = ledger.account(
      queue: job.queue, project: job.project, types: job.types, user: job.user)
    let moldable = job.moldables[0]
    let starts = Set([reference.now] + reference.allocations.map(\.end)).sorted()
    var retryAt = reference.now
    for start in starts where start >= retryAt {
      let end = start + moldable.walltime
      let free = reference.free(from: start, to: end)
      guard let picked = reference.pick(moldable, of: job, from: free) else { continue }
      let verdict = ledger.earliestAllowed(
        account, resources: picked.count, duration: moldable.walltime, from: start)
      if case .exceeded(let excess) = verdict {
        guard let next = excess.retryAt else { return nil }
        // Nothing is lost by going on from there: the plan would not be the same otherwise.
        retryAt = next
        continue
      }
      ledger.add(account, resources: picked.count, from: start, to: end)
      reference.allocations.append(
        ReferencePlanner.Allocation(job: job.id, start: start, end: end, resources: picked))
      return Vector.PlannedJob(
        job: job.id, start: start, end: end - 1, moldable: 0,
        resources: rangesText(of: picked.sorted()))
    }
    return nil
  }
}
