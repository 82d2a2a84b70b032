// Which hosts a lab has, and which labs there are.

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

  /// The directory that has a directory for each lab.
  public static var place: String {
    let place = getenv("LIBURNA_LAB_DIR").map { String(cString: $0) } ?? ""
    return place.isEmpty ? standardDirectory : place
  }

  /// Every lab that is kept in the usual place, whole or not.
  public static func all() -> [Lab] {
    Files.list(place).compactMap { name in
      Files.isDirectory(place + "/" + name) ? try? Lab(name: name) : nil
    }
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
