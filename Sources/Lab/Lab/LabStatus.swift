// How a lab is: which hosts are up, and which of their services answer.

import Compositions

/// The state of a lab at one moment.
public struct LabStatus: Sendable, Equatable {
  public struct Service: Sendable, Equatable {
    public var name: String
    public var answers: Bool
  }

  public struct Host: Sendable, Equatable {
    public var name: String
    public var role: String
    public var address: String
    public var isUp: Bool
    public var isPaused: Bool
    public var link: LinkState
    /// Empty for a host that is down.
    public var services: [Service]
  }

  public var name: String
  public var directory: String
  public var composition: String
  public var backend: BackendKind
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
    let backend = try state.settings.backend.backend(for: self)
    let hosts = state.hosts.map { host in
      let isUp = backend.isAlive(host, in: state)
      return LabStatus.Host(
        name: host.name, role: host.role, address: HostAddress(index: host.index).description,
        isUp: isUp, isPaused: host.isPaused, link: host.link,
        services: isUp && !host.isPaused ? services(of: host, in: state, backend) : [])
    }
    return LabStatus(
      name: name, directory: paths.directory, composition: state.settings.composition.name,
      backend: state.settings.backend, isComplete: state.phase == .running, hosts: hosts)
  }

  private func services(
    of host: LabState.Host, in state: LabState, _ backend: any Backend
  ) -> [LabStatus.Service] {
    guard let plan = try? Kept.read(HostPlan.self, from: paths.plan(host.name)) else { return [] }
    return plan.services.map {
      LabStatus.Service(
        name: $0.name, answers: backend.answers($0.readiness, of: plan, in: state))
    }
  }
}
