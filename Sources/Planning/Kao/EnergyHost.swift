// What decides about the sleep of a host.

import ClusterModel
import Kamelot

/// What `resources.available_upto` allows.
public struct SleepRights: Hashable, Sendable {
  /// Whether it may be put to sleep.
  public var mayHalt: Bool
  /// Until when jobs may use it once it is woken; `nil` if it may not be woken.
  public var wakeUntil: Instant?

  public init(availableUpto: Instant) {
    switch availableUpto {
    case ...0: (mayHalt, wakeUntil) = (false, nil)
    case 1: (mayHalt, wakeUntil) = (true, nil)
    case endOfTime - 1: (mayHalt, wakeUntil) = (true, .max)
    case endOfTime...: (mayHalt, wakeUntil) = (false, .max)
    default: (mayHalt, wakeUntil) = (true, availableUpto)
    }
  }
}

/// A job that is planned on a host.
public struct PlannedUse: Hashable, Sendable {
  public var job: JobID
  public var start: Instant
  /// The first instant after its walltime.
  public var end: Instant
  /// Those of its resources that are on the host.
  public var resources: [ResourceID]

  public init(job: JobID, start: Instant, end: Instant, resources: [ResourceID]) {
    self.job = job
    self.start = start
    self.end = end
    self.resources = resources
  }
}

/// A host as energy saving sees it.
public struct EnergyHost: Sendable {
  /// What a host was told to do and has not done yet.
  public enum Change: Hashable, Sendable {
    case waking
    case halting
  }

  public var name: String
  public var resources: [Resource]
  /// Whether a job holds any of its resources now.
  public var isBusy = false
  public var uses: [PlannedUse] = []
  public var change: Change?
  /// When it was last told to wake; 0 if it never was.
  public var lastWake: Instant = 0

  public init(name: String, resources: [Resource]) {
    self.name = name
    self.resources = resources
  }

  /// The hosts of a platform, in the order in which planning prefers them, with what jobs have and
  /// will have there. Resources without a host are left out.
  public static func all(
    on platform: Platform, holding: [HoldingJob], plan: Plan, securityTime: Seconds
  ) -> [EnergyHost] {
    var hosts: [EnergyHost] = []
    var places: [String: Int] = [:]
    var hostOf: [ResourceID: Int] = [:]
    for resource in platform.resources where !resource.networkAddress.isEmpty {
      let place = places[resource.networkAddress] ?? hosts.count
      if place == hosts.count {
        places[resource.networkAddress] = place
        hosts.append(EnergyHost(name: resource.networkAddress, resources: []))
      }
      hosts[place].resources.append(resource)
      hostOf[resource.id] = place
    }
    for job in holding {
      for resource in job.resources {
        if let place = hostOf[resource] { hosts[place].isBusy = true }
      }
    }
    for placement in plan.starts + plan.predictions {
      let end = min(placement.end, 2 * endOfTime) + 1 - max(0, securityTime)
      let byHost = Dictionary(grouping: placement.resources) { hostOf[$0] ?? -1 }
      for (place, resources) in byHost where place >= 0 {
        hosts[place].uses.append(
          PlannedUse(
            job: placement.job, start: placement.start, end: end, resources: resources))
      }
    }
    return hosts
  }
}

extension EnergyHost {
  /// Whether it is up, or will be as soon as it has done what it was told.
  var isAwake: Bool {
    switch change {
    case .waking: true
    case .halting: false
    case nil: resources.contains { $0.state == .alive }
    }
  }

  /// Whether it sleeps, as far as is known, and no one has told it to wake.
  var isAsleep: Bool {
    change == nil && resources.contains { $0.state == .absent }
      && !resources.contains { $0.state == .alive }
  }

  /// Whether its rights and its state let it be put to sleep.
  var mayHalt: Bool {
    let inUse = resources.filter { $0.state != .dead }
    return change == nil && !inUse.isEmpty
      && inUse.allSatisfy {
        $0.state == .alive && SleepRights(availableUpto: $0.availableUpto).mayHalt
      }
  }

  /// Whether the resource `id` sleeps here and may be woken for a job that ends before `end`.
  func canWake(_ id: ResourceID, until end: Instant) -> Bool {
    resources.contains { $0.id == id && $0.canWake(until: end) }
  }
}

extension Resource {
  /// Whether it sleeps and may be woken for a job that ends by `end`.
  func canWake(until end: Instant) -> Bool {
    guard state == .absent, let limit = SleepRights(availableUpto: availableUpto).wakeUntil else {
      return false
    }
    return end <= limit
  }
}
