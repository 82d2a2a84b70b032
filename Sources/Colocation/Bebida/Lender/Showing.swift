// What the lender says of itself: to commands, and as figures.

import Wire

extension Lender {
  /// How hosts stand, by name; all for none named.
  public func status(of names: [String]) -> LendingStatus {
    let wanted = names.isEmpty ? Array(hosts.keys) : names
    return LendingStatus(
      server: client.access.server, isFollowed: following.isCurrent,
      hosts: wanted.sorted().compactMap { status(of: $0) }, counts: figures)
  }

  /// How a host stands, in a few words; `nil` for one that is not known.
  public func standing(of name: String) -> String? {
    hosts[name].map { "\($0.record.phase.rawValue), \($0.record.reason)" }
  }

  private func status(of name: String) -> LentHostStatus? {
    guard let host = hosts[name] else { return nil }
    let now = Self.now
    let pods = view(of: name).pods.filter { !$0.mayStay }.map { pod in
      ("\(pod.namespace)/\(pod.name)", host.goodbyes[pod.uid]?.obstacle ?? "")
    }
    let agent = host.agent
    return LentHostStatus(
      host: name, node: nodeOfHost[name], phase: host.record.phase.rawValue,
      reason: host.record.reason, epoch: host.record.epoch, age: (now - host.record.since).seconds,
      jobs: host.demand.holders.sorted(),
      nextStart: host.demand.nextStart.map { ($0 - now).seconds },
      wish: host.demand.order.flatMap { LendingWish(rawValue: $0.rawValue) },
      agent: agent.isConnected
        ? LendingReport(
          epoch: agent.epoch, isOpen: agent.isOpen, isProvenClean: agent.isProvenClean,
          problem: agent.problem) : nil,
      pods: Dictionary(pods) { first, _ in first })
  }

  /// Names are those of Prometheus, without a prefix.
  private var figures: [String: Double] {
    var figures = [
      "lent_total": Double(counts.lent), "reclaimed_total": Double(counts.reclaimed),
      "faults_total": Double(counts.faults), "pods_evicted_total": Double(counts.evicted),
      "pods_deleted_total": Double(counts.deleted),
      "evictions_refused_total": Double(counts.refused),
      "failed_calls_total": Double(counts.failedCalls),
      "interruptions_total": Double(counts.interruptions),
      "start_delay_seconds_sum": counts.delay, "start_delay_seconds_max": counts.longestDelay,
      "start_delay_seconds_count": Double(counts.delays),
      "start_delay_seconds_bucket{le=\"+Inf\"}": Double(counts.delays),
      "idle_host_seconds_total": counts.idle, "lent_host_seconds_total": counts.harvested,
      "pod_seconds_total": counts.podTime + counts.lostPodTime,
      "pod_seconds_lost_total": counts.lostPodTime,
      "violations_total": Double(counts.violations),
      "intruders_total": Double(counts.intruders),
    ]
    for (bound, count) in zip(LenderCounts.bounds, counts.quickDelays) {
      figures["start_delay_seconds_bucket{le=\"\(bound)\"}"] = Double(count)
    }
    for (phase, seconds) in counts.phaseDelay {
      figures["start_delay_phase_seconds_sum{phase=\"\(phase.rawValue)\"}"] = seconds
    }
    // Shares of 1, once there is something to share.
    if counts.idle > 0 { figures["harvest_ratio"] = counts.harvested / counts.idle }
    let podTime = counts.podTime + counts.lostPodTime
    if podTime > 0 { figures["effectiveness_ratio"] = counts.podTime / podTime }
    for phase in Phase.allCases {
      figures["nodes{phase=\"\(phase.rawValue)\"}"] = Double(
        hosts.values.count { $0.record.phase == phase })
    }
    return figures
  }
}

extension Duration {
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
