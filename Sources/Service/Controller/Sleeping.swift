// Hosts that sleep while nobody needs them: what the plan says about them is done here, and what becomes of
// it is seen.

import ClusterModel
import Kamelot
import Kao
import NodeConnections
import Storage
import Wire

/// A host that was told to wake or to sleep and is not there yet.
struct HostTransition: Hashable {
  var change: EnergyHost.Change
  var since: Instant
  /// When it is taken to have failed.
  var deadline: Instant
}

extension ClusterState {
  /// Seconds after which a host that was told to sleep and still answers is taken to stay awake.
  static let haltLimit: Seconds = 300

  // MARK: Decisions

  /// Tells hosts to wake for what is planned, and idle ones to sleep.
  ///
  /// - Returns: what is wrong with the settings.
  mutating func decideSleep(
    settings: ServerSettings, at now: Instant, _ outcome: inout Outcome
  ) -> [String] {
    guard let sleep = settings.sleep else { return [] }
    let decision = Energy.plan(
      energyHosts(settings, at: now), settings: sleep.policy, now: now)
    wake(decision.wake, within: sleep.wakeTimeout(of: decision.wake.count), at: now, &outcome)
    halt(decision.halt, at: now, &outcome)
    return decision.problems
  }

  /// What is to be told to hosts, without telling them.
  mutating func sleepDecision(
    settings: ServerSettings, _ sleep: SleepSettings, at now: Instant
  ) -> EnergyPlan {
    Energy.plan(energyHosts(settings, at: now), settings: sleep.policy, now: now)
  }

  private mutating func energyHosts(_ settings: ServerSettings, at now: Instant) -> [EnergyHost] {
    var planned = Plan()
    planned.predictions = Array(placements.values)
    // Suspended jobs have their processes there: their hosts are as busy as any.
    let holders = holding.sorted().compactMap { jobs[$0] }.map { job in
      HoldingJob(
        id: job.id, resources: job.assignedResources, start: job.startTime, walltime: job.walltime,
        isBesteffort: false, isEnding: false)
    }
    var hosts = EnergyHost.all(
      on: platform(order: settings.resourceOrder), holding: holders, plan: planned,
      securityTime: settings.planning.jobSecurityTime)
    let promises = waitingPromises
    for place in hosts.indices {
      let host = hosts[place].name
      hosts[place].change = transitions[host]?.change
      hosts[place].lastWake = lastWakes[host] ?? 0
      for index in hosts[place].resources.indices {
        let id = hosts[place].resources[index].id
        if let date = lastJobDates[id] { hosts[place].resources[index].lastJobDate = date }
      }
      let own = Set(hosts[place].resources.map(\.id))
      for job in promises where !own.isDisjoint(with: job.promised) {
        hosts[place].uses.append(
          PlannedUse(
            job: job.id, start: max(now, job.startTime), end: job.startTime + job.walltime,
            resources: job.promised.filter(own.contains)))
      }
    }
    return hosts
  }

  private mutating func wake(
    _ moves: [EnergyPlan.Move], within limit: Seconds, at now: Instant, _ outcome: inout Outcome
  ) {
    guard !moves.isEmpty else { return }
    for move in moves {
      transitions[move.host] = HostTransition(
        change: .waking, since: now, deadline: now + limit)
      lastWakes[move.host] = now
      note("WAKEUP_NODE", move, at: now, &outcome)
    }
    outcome.effects.append(.wakeHosts(moves.map(\.host)))
  }

  /// Nobody may start on a host before it is told to sleep: it is Absent first.
  private mutating func halt(
    _ moves: [EnergyPlan.Move], at now: Instant, _ outcome: inout Outcome
  ) {
    guard !moves.isEmpty else { return }
    for move in moves {
      transitions[move.host] = HostTransition(
        change: .halting, since: now, deadline: now + Self.haltLimit)
      setState(
        of: resources(of: move.host, in: .alive), to: .absent, byServer: false, at: now, &outcome)
      note("HALT_NODE", move, at: now, &outcome)
    }
    outcome.effects.append(.haltHosts(moves.map(\.host)))
  }

  private func note(
    _ type: String, _ move: EnergyPlan.Move, at now: Instant, _ outcome: inout Outcome
  ) {
    outcome.changes.append(
      .event(JobEvent(type, job: 0, at: now, move.reason, hosts: [move.host])))
  }

  private func resources(of host: String, in state: ResourceState) -> [ResourceID] {
    resources.values.filter { $0.networkAddress == host && $0.state == state }.map(\.id).sorted()
  }

  // MARK: What becomes of them

  /// Takes note of hosts that have woken, sleep now, or failed to.
  ///
  /// - Parameter isConnected: whether a host's agent answers.
  mutating func followTransitions(
    at now: Instant, isConnected: (String) -> Bool, _ outcome: inout Outcome
  ) {
    for (host, transition) in transitions.sorted(by: { $0.key < $1.key }) {
      let isOverdue = now >= transition.deadline
      switch (transition.change, isConnected(host)) {
      case (.waking, true): awaken(host, at: now, &outcome)
      case (.waking, false) where isOverdue: giveUp(host, at: now, &outcome)
      case (.halting, false): transitions[host] = nil
      // It stays awake; perhaps the command failed.
      case (.halting, true) where isOverdue: awaken(host, at: now, &outcome)
      default: break
      }
    }
  }

  /// The resources of a host that may be woken are there.
  private mutating func awaken(_ host: String, at now: Instant, _ outcome: inout Outcome) {
    transitions[host] = nil
    lastWakes[host] = now
    let ids = resources(of: host, in: .absent).filter { id in
      // An admin has taken the others away.
      resources[id].map { SleepRights(availableUpto: $0.availableUpto) }.map {
        $0.wakeUntil != nil || $0.mayHalt
      } ?? false
    }
    setState(of: ids, to: .alive, byServer: false, at: now, &outcome)
  }

  /// A host that does not wake is suspected until it answers.
  private mutating func giveUp(_ host: String, at now: Instant, _ outcome: inout Outcome) {
    transitions[host] = nil
    setState(
      of: resources(of: host, in: .absent), to: .suspected, byServer: true, at: now, &outcome)
    outcome.changes.append(
      .event(
        JobEvent(
          "LOG_SUSPECTED", job: 0, at: now, "\(host) was told to wake and does not answer",
          hosts: [host])))
  }
}

extension Controller {
  /// Seconds between two looks at idle hosts while nothing happens.
  private static let sleepInterval: Seconds = 10

  /// After a pass over all waiting jobs, and from time to time: which hosts sleep, which wake.
  func manageSleep(at now: Instant) {
    guard settings.sleep != nil, committer.trouble == nil else { return }
    nextSleepDecision = now + Self.sleepInterval
    var outcome = Outcome()
    state.followTransitions(
      at: now, isConnected: { self.links[$0]?.isConnected ?? false }, &outcome)
    let problems = state.decideSleep(settings: settings, at: now, &outcome)
    if problems != sleepProblems {
      for problem in problems { log.say(problem) }
      sleepProblems = problems
    }
    if !outcome.changes.isEmpty || !outcome.effects.isEmpty { commit(outcome) }
  }

  /// The clock's part of it. What was not planned yet may need a host: then a pass comes first.
  func manageSleepIfDue(at now: Instant) {
    guard settings.sleep != nil, !state.needsPlan,
      now >= nextSleepDecision || !state.transitions.isEmpty
    else { return }
    manageSleep(at: now)
  }

  func wake(_ hosts: [String]) { run(settings.sleep?.wakeCommand, "wake", hosts) }

  func halt(_ hosts: [String]) { run(settings.sleep?.sleepCommand, "sleep", hosts) }

  private func run(_ command: SiteCommand?, _ verb: String, _ hosts: [String]) {
    guard let command else { return }
    let names = hosts.joined(separator: " ")
    log.say("told to \(verb): \(names)")
    command.run(input: names + "\n", on: loop) { problem in
      // What became of the hosts is seen from their agents.
      if let problem { self.log.say("the command that tells hosts to \(verb): \(problem)") }
    }
  }
}
