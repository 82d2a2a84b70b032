// How a lab is: which hosts are up, and which of their services answer.

/// The state of a lab at one moment.
public struct LabStatus: Sendable, Equatable {
  public struct Service: Sendable, Equatable {
    public var name: String
    public var answers: Bool
  }

  public struct Host: Sendable, Equatable {
    public var name: String
    public var address: String
    public var isUp: Bool
    /// Empty for a host that is down.
    public var services: [Service]
  }

  public var name: String
  public var directory: String
  /// Whether a start was completed.
  public var isComplete: Bool
  public var hosts: [Host]

  public var allAnswer: Bool {
    isComplete && hosts.allSatisfy { $0.isUp && $0.services.allSatisfy(\.answers) }
  }
}

extension Lab {
  /// How the lab is now, or nil if there is none.
  public func status() throws -> LabStatus? {
    guard let state = try state() else { return nil }
    let hosts = state.hosts.enumerated().map { place, host in
      LabStatus.Host(
        name: host.name, address: HostAddress(index: place + 1).description, isUp: host.isAlive,
        services: services(of: host, state))
    }
    return LabStatus(
      name: name, directory: paths.directory, isComplete: state.phase == .running, hosts: hosts)
  }

  private func services(of host: LabState.Host, _ state: LabState) -> [LabStatus.Service] {
    guard let first = host.first, first.isAlive,
      let plan = try? Kept.read(HostPlan.self, from: paths.plan(host.name))
    else { return [] }
    let probe = Probe(host: plan, process: first.pid, switchProcess: state.holder?.pid)
    return plan.services.map {
      LabStatus.Service(name: $0.name, answers: probe.answers($0.readiness))
    }
  }
}
