// Which hosts a lab has, for those who name them.

import Glibc

/// A host of a lab.
public struct LabHost: Equatable, Sendable {
  public var name: String
  public var role: String

  public init(name: String, role: String) {
    self.name = name
    self.role = role
  }
}

extension Lab {
  /// The hosts of the lab in order, whether up or down.
  public func hosts() throws -> [LabHost] {
    try existing().hosts.map { LabHost(name: $0.name, role: $0.role) }
  }

  /// The program of this process, by its path.
  public static var ownProgram: String { Files.resolve("/proc/self/exe") ?? "liburna" }

  /// A name for what belongs to this lab on the machine, such as the socket of its tmux. Labs in other
  /// places than the usual one have names of their own.
  public var terminalName: String {
    paths.directory == Self.standardDirectory + "/" + name
      ? "liburna-\(name)" : "liburna-" + group.dropFirst("liburna-lab-".count)
  }
}
