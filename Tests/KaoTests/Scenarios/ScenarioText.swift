// A scenario and its plan as people read them, for tests that fail.

import ClusterModel
import Kamelot

extension Snapshot {
  /// Everything that the plan depends on, a line for each thing.
  var description: String {
    let settings = self.settings
    var lines = [
      "now \(now), security \(settings.jobSecurityTime), besteffort \(settings.besteffortDuration), "
        + "patience \(settings.reservationPatience), ahead \(settings.besteffortKillAhead), "
        + "holes from \(settings.holeMinimum)"
    ]
    lines += platform.resources.map { resource in
      "  resource \(resource.id) of \(resource.networkAddress), \(resource.state.rawValue)"
        + (resource.availableUpto == endOfTime ? "" : ", up to \(resource.availableUpto)")
    }
    lines += queues.map {
      "  queue \($0.name), priority \($0.priority)\($0.isActive ? "" : ", closed")"
    }
    lines += holding.map(describe) + waiting.map(describe)
    if let quotas { lines += describe(quotas) }
    if !order.isFIFO { lines.append("  order: \(order)") }
    return lines.joined(separator: "\n")
  }

  private func describe(_ quotas: Quotas) -> [String] {
    var lines = quotas.ruleSets.map { set in
      let rules = set.rules.map { rule in
        let limits = [rule.limits.resources, rule.limits.jobs, rule.limits.resourceSeconds]
        return "\(rule.text) \(limits.map { $0.map(String.init) ?? "-" })"
      }
      return "  rules \(set.name): \(rules.joined(separator: "; "))"
    }
    guard quotas.calendar.isTemporal else { return lines }
    lines.append("  window \(quotas.windowLimit)")
    var instant = now
    while instant < now + 700 {
      let (rules, until) = quotas.rules(at: instant)
      lines.append("  from \(instant): rules \(quotas.ruleSets[rules].name)")
      instant = until
    }
    return lines
  }

  private func describe(_ job: HoldingJob) -> String {
    "  has: job \(job.id) of \(job.user) \"\(job.name)\" in \(job.project), \(job.queue), \(rangesText(of: job.resources.sorted())), "
      + "\(job.start) + \(job.walltime), \(job.types)"
      + (job.isBesteffort ? ", besteffort" : "") + (job.isEnding ? ", ending" : "")
      + (job.checkpoint > 0 ? ", saves for \(job.checkpoint)" : "")
      + (job.checkpointedAt.map { ", told at \($0)" } ?? "")
  }

  private func describe(_ job: WaitingJob) -> String {
    let shapes = job.moldables.map { moldable in
      let groups = moldable.groups.map { group in
        (group.properties.isEmpty ? "" : "{\(group.properties)}")
          + group.levels.map { "/\($0.property)=\($0.count.text)" }.joined()
      }
      return "\(groups.joined(separator: "+")) for \(moldable.walltime)"
    }
    var text = "  waits: job \(job.id) of \(job.user) \"\(job.name)\" "
    text += "in \(job.project), \(job.queue), "
    text += shapes.joined(separator: " or ")
    if !job.properties.isEmpty { text += ", where \(job.properties)" }
    if !job.types.isEmpty { text += ", \(job.types)" }
    if !job.dependencies.isEmpty { text += ", after \(job.dependencies)" }
    if let reservation = job.reservation {
      text += ", reserved at \(reservation.start)"
      text += reservation.promised.map { " on \(rangesText(of: $0.resources))" } ?? " (new)"
    }
    return text
  }
}

extension Plan {
  var description: String {
    var lines = starts.map { "  starts: job \($0.job) \(describe($0))" }
    for placement in predictions {
      let reason = reasons[placement.job]?.text ?? "no reason"
      lines.append("  later: job \(placement.job) \(describe(placement)): \(reason)")
    }
    let placed = Set((starts + predictions).map(\.job))
    for job in reasons.jobs.sorted() where !placed.contains(job) {
      lines.append("  no place: job \(job): \(reasons[job]?.text ?? "")")
    }
    lines.append("  end: \(victims), save: \(checkpoints)")
    return lines.joined(separator: "\n")
  }

  private func describe(_ placement: Placement) -> String { KaoTests.describe(placement) }
}
