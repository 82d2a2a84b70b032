// Which hosts to wake for the jobs that will start there, and which to put to sleep.

import ClusterModel
import Kamelot
import RequestLanguage

/// Decides about the sleep of hosts. Pure: same hosts, same moves.
public enum Energy {
  /// - Parameter hosts: in the order in which planning prefers them: hosts at the end sleep first.
  public static func plan(
    _ hosts: [EnergyHost], settings: EnergySettings, now: Instant
  ) -> EnergyPlan {
    var pass = EnergyPass(hosts: hosts, settings: settings, now: now)
    // 1. A host is woken when a job will start there soon.
    pass.wakeForJobs()
    // 2. More are woken if fewer are awake than must be.
    pass.wakeToKeepAlive()
    // 3. Hosts that nobody used and nobody will use soon go to sleep, if enough others are awake.
    pass.haltIdleHosts()
    return pass.plan
  }
}

extension Pass {
  /// Decides about the sleep of hosts, with all placements known. A host where a suspended job stands
  /// still does not sleep.
  mutating func decideSleep(around holding: [HoldingJob]) {
    guard let settings = snapshot.energy else { return }
    let hosts = EnergyHost.all(
      on: snapshot.platform, holding: holding, plan: plan,
      securityTime: snapshot.settings.jobSecurityTime)
    plan.energy = Energy.plan(hosts, settings: settings, now: snapshot.now)
  }
}

/// The state of one decision.
private struct EnergyPass {
  let hosts: [EnergyHost]
  let settings: EnergySettings
  let now: Instant
  var plan = EnergyPlan()
  /// By the place of the host.
  private var isAwake: [Bool]
  /// For each rule, whether a host is of its kind, by the place of the host.
  private let kinds: [[Bool]]
  /// For each rule, how many hosts of its kind are awake.
  private var awake: [Int]

  init(hosts: [EnergyHost], settings: EnergySettings, now: Instant) {
    self.hosts = hosts
    self.settings = settings
    self.now = now
    let isAwake = hosts.map(\.isAwake)
    self.isAwake = isAwake
    kinds = settings.keepAlive.map { rule in
      hosts.map { host in host.resources.contains { rule.condition.matches($0) } }
    }
    awake = kinds.map { kind in hosts.indices.count { kind[$0] && isAwake[$0] } }
    findProblems()
  }

  /// A condition on a property that no resource has would match no host and protect none.
  private mutating func findProblems() {
    let site = hosts.reduce(into: Set<String>()) { known, host in
      for resource in host.resources { known.formUnion(resource.properties.keys) }
    }
    for rule in settings.keepAlive {
      let unknown = rule.condition.columns.filter {
        !site.contains($0) && !standardResourceColumns.contains($0)
      }
      guard let name = unknown.min() else { continue }
      plan.problems.append(
        "\(KeepAlive.variable): there is no property \"\(name)\" (in \"\(rule.text)\"); no host is "
          + "put to sleep.")
    }
  }

  mutating func wakeForJobs() {
    guard settings.wakesHosts else { return }
    let horizon = now + settings.wakeupTime
    for (place, host) in hosts.enumerated() where host.isAsleep {
      let soon = host.uses.filter { use in
        use.start <= horizon && use.resources.contains { host.canWake($0, until: use.end) }
      }
      guard let first = soon.min(by: { ($0.start, $0.job) < ($1.start, $1.job) }) else { continue }
      let delay = max(0, first.start - now)
      wake(place, "Job \(first.job) starts there in \(delay) s.")
    }
  }

  mutating func wakeToKeepAlive() {
    guard settings.wakesHosts else { return }
    for (index, rule) in settings.keepAlive.enumerated() {
      for (place, host) in hosts.enumerated() where kinds[index][place] && !isAwake[place] {
        if awake[index] >= rule.count { break }
        guard host.isAsleep, host.resources.contains(where: { $0.canWake(until: now + 1) }) else {
          continue
        }
        wake(place, "\(rule.count) hosts with \(rule.text) must be awake.")
      }
    }
  }

  mutating func haltIdleHosts() {
    guard settings.haltsHosts, plan.problems.isEmpty else { return }
    for (place, host) in hosts.enumerated().reversed() where canHalt(host) {
      let isNeeded = settings.keepAlive.indices.contains {
        kinds[$0][place] && awake[$0] <= settings.keepAlive[$0].count
      }
      if isNeeded { continue }
      set(place, awake: false)
      let last = host.resources.map(\.lastJobDate).max() ?? 0
      let idle = last > 0 ? "for \(now - last) s" : "yet"
      plan.halt.append(
        EnergyPlan.Move(
          host: host.name,
          reason: "No job ran there \(idle), and none will within \(settings.sleepTime) s."))
    }
    plan.halt.reverse()
  }

  private func canHalt(_ host: EnergyHost) -> Bool {
    guard host.mayHalt, !host.isBusy else { return false }
    let since = now - settings.idleTime
    func isLongAgo(_ date: Instant) -> Bool { date <= 0 || date < since }
    return isLongAgo(host.lastWake) && host.resources.allSatisfy { isLongAgo($0.lastJobDate) }
      && host.uses.allSatisfy { $0.start > now + settings.sleepTime }
  }

  private mutating func wake(_ place: Int, _ reason: String) {
    set(place, awake: true)
    plan.wake.append(EnergyPlan.Move(host: hosts[place].name, reason: reason))
  }

  private mutating func set(_ place: Int, awake isNow: Bool) {
    isAwake[place] = isNow
    for rule in kinds.indices where kinds[rule][place] { awake[rule] += isNow ? 1 : -1 }
  }
}
