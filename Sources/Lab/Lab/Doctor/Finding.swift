// What a machine can and can't do for labs, as data: one finding for each thing that was looked at.

/// Something that was looked at on this machine.
public struct Finding: Equatable, Sendable {
  public enum State: String, Equatable, Sendable, CaseIterable {
    case fine
    /// It works, with less than there could be.
    case limited
    case missing
  }

  /// What was looked at, in a few words.
  public var subject: String
  public var state: State
  /// What was found.
  public var fact: String
  /// What to do about it, or nil if there is nothing to do.
  public var remedy: String?

  init(_ subject: String, _ state: State, _ fact: String, remedy: String? = nil) {
    self.subject = subject
    self.state = state
    self.fact = fact
    self.remedy = remedy
  }
}

/// Everything that was found.
public struct Diagnosis: Equatable, Sendable {
  public var machine: [Finding]
  /// The backends by their names, in order.
  public var backends: [Finding]
  public var capacity: Capacity

  /// Whether labs can be made without further words.
  public var defaultWorks: Bool { backends.first.map { $0.state != .missing } ?? false }
}

/// Looks at a machine. Every check is a function of readings, so that tests can play other machines.
public enum Doctor {
  public static func examine(_ readings: Readings = .live) -> Diagnosis {
    let capacity = Capacity(readings)
    let kernel = [
      user(readings), overlay(readings), namespaces(readings), userNamespaces(readings),
    ]
    let limits = [controllers(readings), delegation(readings), inotify(readings), hosts(capacity)]
    let machine =
      (kernel + limits + [cacheSpace(readings), kvm(readings)]).compactMap { $0 }
      + tools.map { tool($0, readings) }
    return Diagnosis(
      machine: machine,
      backends: [
        namespacesBackend(readings), engine("podman", readings), engine("docker", readings),
        virtualMachines(readings), machines(readings),
      ], capacity: capacity)
  }
}
