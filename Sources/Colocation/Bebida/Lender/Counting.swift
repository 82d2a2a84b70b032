// What is counted: how long jobs wait for hosts, how much of idle hosts is lent, how much of pods' work is lost.

import KubernetesClient
import Wire

extension Lender {
  // MARK: Delays

  /// A host came into another phase, or is clear.
  func countPhase(of name: String, before phase: Phase?) {
    guard let host = hosts[name] else { return }
    let now = Self.now
    if host.wantedSince != nil, let phase {
      counts.phaseDelay[phase, default: 0] += (now - host.phaseSince).seconds
    }
    hosts[name]?.phaseSince = now
  }

  /// A host is a job's.
  func countDelay(of name: String) {
    guard let since = hosts[name]?.wantedSince else { return }
    hosts[name]?.wantedSince = nil
    counts.add(delay: (Self.now - since).seconds)
  }

  // MARK: Idle hosts

  /// Adds up since the last call.
  func countTime() {
    let now = Self.now
    let seconds = (now - countedUntil).seconds
    countedUntil = now
    for (name, host) in hosts
    where host.demand.isLendable && host.demand.holders.isEmpty && nodeOfHost[name] != nil {
      counts.idle += seconds
      if host.record.phase == .lent { counts.harvested += seconds }
    }
  }

  // MARK: Pods

  /// A pod is as it is now. Only what runs on lent hosts is counted, not what may stay there.
  func count(_ pod: Pod) {
    guard PodView(pod, allowing: settings.daemonSets)?.mayStay != true else { return }
    let uid = pod.metadata.uid
    if pod.isOver || pod.isTerminating {
      countEnd(of: pod)
    } else if pod.isAnyContainerRunning, podsSince[uid] == nil, hostOfNode[pod.nodeName] != nil {
      podsSince[uid] = Self.now
    }
  }

  /// A pod has ended or is about to: because its host is taken, or of itself.
  func countEnd(of pod: Pod) {
    guard let since = podsSince.removeValue(forKey: pod.metadata.uid) else { return }
    let seconds = (Self.now - since).seconds
    let host = hostOfNode[pod.nodeName].flatMap { hosts[$0] }
    let isLost = host?.record.phase != .lent && pod.phase != "Succeeded"
    if isLost { counts.lostPodTime += seconds } else { counts.podTime += seconds }
  }

  // MARK: Violations

  func countIntruders(_ report: LendingReport, on name: String) {
    guard let host = hosts[name] else { return }
    if host.record.phase == .batch, host.toldClear {
      if !report.isProvenClean { counts.violations += 1 }
      counts.intruders += max(0, report.killed - host.killed)
    }
    hosts[name]?.killed = report.killed
  }
}
