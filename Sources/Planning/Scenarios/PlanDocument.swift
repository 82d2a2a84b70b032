// A plan as the JSON document that kamelot prints. Written byte by byte: it may have a hundred
// thousand jobs.

import ClusterModel
import Kamelot
import Kao

/// What is told about the planning of a scenario beside the plan.
public struct PlanTiming: Hashable, Sendable {
  /// Microseconds that it took to read the scenario.
  public var loading: Int
  /// Microseconds of each pass.
  public var planning: [Int]
  /// Microseconds of each explanation; empty if there is none.
  public var explaining: [Int]
  /// Microseconds that it took each time to plan the last jobs alone; empty if they were not.
  public var joining: [Int]

  public init(
    loading: Int, planning: [Int] = [], explaining: [Int] = [], joining: [Int] = []
  ) {
    self.loading = loading
    self.planning = planning
    self.explaining = explaining
    self.joining = joining
  }
}

extension Scenario {
  /// Whether the scenario has such a job that waits.
  public func isWaiting(_ job: JobID) -> Bool {
    waiting.contains { $0.id == job } || setAside.contains { $0.job == job }
  }

  /// The document of a plan: placements and unplaced jobs in the order of their ids.
  ///
  /// - Parameters:
  ///   - explained: the job of which is told why it does not start earlier.
  ///   - explanation: what there is to tell of it beside the plan's reason.
  public func document(
    of plan: Plan, timing: PlanTiming, explaining explained: JobID? = nil,
    _ explanation: Kao.Explanation? = nil
  ) -> [UInt8] {
    let placements = (plan.starts + plan.predictions).sorted { $0.job < $1.job }
    var writer = DocumentWriter()
    writer.raw("{\"plan\":")
    writer.list(placements) { $0.placement($1) }
    writer.raw(",\n\"waiting\":")
    writer.list(unplaced(plan, placements)) { $0.unplaced($1) }
    if let explained {
      writer.raw(",\n\"explain\":")
      writer.explanation(
        ExplainedJob(
          job: explained, reason: reason(explained, plan),
          placement: placements.first { $0.job == explained },
          priority: plan.priorities?[explained], explanation: explanation))
    }
    writer.raw(",\n\"timing\":")
    writer.timing(timing)
    writer.raw("}\n")
    return writer.bytes
  }

  /// The jobs without a placement, those without an id last.
  private func unplaced(_ plan: Plan, _ placements: [Placement]) -> [SetAside] {
    let placed = Set(placements.lazy.map(\.job))
    var result = setAside
    for job in waiting where !placed.contains(job.id) {
      let reason = plan.reasons[job.id] ?? Reason(.impossible, "The plan says nothing about it.")
      result.append(SetAside(job: job.id, reason: reason))
    }
    return result.sorted { $0.job ?? .max < $1.job ?? .max }
  }

  /// Why a job does not start now; `nil` if it does.
  private func reason(_ job: JobID, _ plan: Plan) -> Reason? {
    plan.reasons[job] ?? setAside.first { $0.job == job }?.reason
  }
}

// The parts of a plan.
extension DocumentWriter {
  mutating func placement(_ placement: Placement) {
    raw("{\"job\":")
    integer(placement.job)
    raw(",")
    place(placement)
    raw("}")
  }

  mutating func place(_ placement: Placement) {
    raw("\"start\":")
    integer(placement.start)
    raw(",\"end\":")
    integer(placement.end)
    raw(",\"moldable\":")
    integer(placement.moldable)
    raw(",\"resources\":\"")
    ranges(placement.resources)
    raw("\"")
  }

  fileprivate mutating func unplaced(_ entry: Scenario.SetAside) {
    raw("{\"job\":")
    if let job = entry.job { integer(job) } else { raw("null") }
    raw(",\"reason\":{")
    reason(entry.reason)
    raw("}}")
  }

  mutating func reason(_ reason: Reason) {
    raw("\"kind\":")
    text(reason.kind.rawValue)
    raw(",\"text\":")
    text(reason.text)
  }

  fileprivate mutating func timing(_ timing: PlanTiming) {
    raw("{\"load_ms\":")
    milliseconds(timing.loading)
    raw(",\"plan_ms\":")
    milliseconds(timing.planning)
    for (name, times) in [("explain_ms", timing.explaining), ("join_ms", timing.joining)]
    where !times.isEmpty {
      raw(",\"\(name)\":")
      milliseconds(times)
    }
    raw("}")
  }

  private mutating func milliseconds(_ list: [Int]) {
    raw("[")
    for (index, microseconds) in list.enumerated() {
      if index > 0 { raw(",") }
      milliseconds(microseconds)
    }
    raw("]")
  }

  private mutating func milliseconds(_ microseconds: Int) {
    integer(microseconds / 1000)
    raw(".")
    for unit in [100, 10, 1] { integer(microseconds / unit % 10) }
  }
}
