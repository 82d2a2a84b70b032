// How a lab is: which hosts are up, which of their services answer, and what they use.

import Compositions
import Glibc

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
    /// Nil for a host that is down, or whose processes can not be seen from here.
    public var usage: HostUsage?
  }

  public var name: String
  public var directory: String
  public var composition: String
  public var backend: BackendKind
  /// Seconds since it was started.
  public var age: Int
  /// Whether a start was completed.
  public var isComplete: Bool
  public var hosts: [Host]

  public var allAnswer: Bool {
    isComplete && hosts.allSatisfy { $0.isUp && !$0.isPaused && $0.services.allSatisfy(\.answers) }
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
        name: host.name, role: host.role, address: state.address(of: host),
        isUp: isUp, isPaused: host.isPaused, link: host.link,
        services: isUp && !host.isPaused ? services(of: host, in: state, backend) : [],
        usage: isUp ? state.cgroups.usage(host.name) : nil)
    }
    return LabStatus(
      name: name, directory: paths.directory, composition: state.settings.composition.name,
      backend: state.settings.backend, age: age, isComplete: state.phase == .running, hosts: hosts)
  }

  /// Its keys are made when it is new, and never again.
  private var age: Int {
    var status = stat()
    guard stat(paths.keys, &status) == 0 else { return 0 }
    return max(0, Int(time(nil)) - Int(status.st_ctim.tv_sec))
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
