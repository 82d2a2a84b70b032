// A lab: a cluster of hosts, whichever backend makes them. This file is what others call; the story of a
// start is in LabStart.swift.

import CLinux
import Compositions
import Glibc

public struct Lab: Sendable {
  public var name: String
  let paths: LabPaths

  /// Where labs are kept unless LIBURNA_LAB_DIR says otherwise; each has a directory of its name.
  public static let standardDirectory = "/run/liburna-lab"
  public static let standardName = "lab"
  /// The variable of the environment that names another place.
  static let placeVariable = "LIBURNA_LAB_DIR"
  /// The most hosts of one lab.
  public static let hostLimit = HostAddress.limit
  /// Hidden commands, by which the tool's own program becomes a process of the lab.
  public static let holderCommand = "__holder"
  public static let hostCommand = "__host"
  public static let machineCommand = "__machine"

  /// A lab that may or may not exist. The directory is the lab's own.
  public init(name: String, directory: String) throws {
    guard Self.isName(name) else {
      throw LabError(
        "\(name) can't name a lab; use 1 to 32 small letters, digits and dashes, no dash first")
    }
    guard directory.hasPrefix("/"), !directory.contains(where: { $0 == ":" || $0 == "," }),
      directory.utf8.count <= 200
    else {
      throw LabError(
        "\(directory) can't be a lab's directory; use an absolute path without : and , "
          + "of at most 200 bytes")
    }
    self.name = name
    paths = LabPaths(directory: directory)
  }

  /// Whether a word can name a lab, a snapshot and the like, and so be a part of paths: 1 to 32 small
  /// letters, digits and dashes, no dash first.
  static func isName(_ word: String) -> Bool {
    let allowed = word.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }
    return allowed && (1...32).contains(word.utf8.count) && !word.hasPrefix("-")
  }

  /// The lab of a name in the place where labs are kept.
  public init(name: String) throws {
    try self.init(name: name, directory: Lab.place + "/" + name)
  }

  /// The directory that the lab's own is in.
  var place: String {
    String(paths.directory[..<(paths.directory.lastIndex(of: "/") ?? paths.directory.startIndex)])
  }

  /// Runs a process of the lab when the arguments of `liburna lab` ask for one; nil if they don't.
  public static func runHidden(_ arguments: [String]) -> Int32? {
    switch (arguments.first, arguments.count) {
    case (holderCommand, 2): return Holder.run(LabPaths(directory: arguments[1]))
    case (hostCommand, 3):
      return HostBoot.run(LabPaths(directory: arguments[1]), host: arguments[2])
    case (machineCommand, 2): return MachineAgent.run(arguments[1])
    case (ImageStore.buildCommand, 2): return Builder.run(arguments[1])
    case (GuestLaunch.machineCommand, 3):
      return GuestLaunch.runMachine(LabPaths(directory: arguments[1]), host: arguments[2])
    case (GuestLaunch.templateCommand, 2...):
      return GuestLaunch.runTemplate(Array(arguments.dropFirst()))
    default: return nil
    }
  }

  /// The lab's own cgroup in every hierarchy. Labs of one name in two places must not meet there, so
  /// it carries a fingerprint of the place.
  var group: String {
    "\(Self.groupPrefix)\(name)-\(Fingerprint.short(paths.directory))"
  }

  // MARK: - What is there

  func state() throws -> LabState? { try LabState(reading: paths.state) }

  /// The state of a lab that must exist.
  func existing() throws -> LabState {
    guard let state = try state() else { throw absent }
    return state
  }

  var absent: LabError {
    LabError("there is no lab \(name); `liburna lab start` makes one")
  }

  /// How the lab was started before, or nil if it is not there.
  public func settings() throws -> LabSettings? { try state()?.settings }

  // MARK: - Ending

  /// Ends the lab and removes everything of it. Fine if there is nothing, or only a part.
  public func stop() throws {
    if let lock = try LabLock(existing: paths.directory) {
      defer { lock.release() }
      try remove()
    }
    // The place of all labs goes with the last one; one that is not empty stays.
    if let slash = paths.directory.lastIndex(of: "/") {
      rmdir(String(paths.directory[..<slash]))
    }
  }

  /// Removes what there is of the lab. The caller holds the lock.
  func remove() throws {
    try clear()
    guard rmdir(paths.directory) == 0 else { throw LabError.system("remove", paths.directory) }
  }

  /// Removes all but the lab's own directory, which carries the lock. The state goes last: whoever
  /// finishes an interrupted removal needs it.
  func clear() throws {
    let state: LabState?
    do {
      state = try self.state()
    } catch {
      try endUnknown()
      state = nil
    }
    if let state { try state.settings.backend.backend(for: self).end(state) }
    for name in Files.list(paths.directory) where paths.directory + "/" + name != paths.state {
      try Files.removeTree(paths.directory + "/" + name)
    }
    try Files.removeTree(paths.state)
  }

  /// Ends what there is on this machine of a lab whose state can't be read, because another version
  /// wrote it or a disk failed: by the lab's groups, its processes' words and its containers' labels.
  private func endUnknown() throws {
    try Cgroups.detect(group: group).remove()
    try FirstProcesses.end(FirstProcesses.find(of: paths.directory))
    for kind in [BackendKind.podman, .docker] {
      // Where no engine answers there are no containers that it could end.
      guard let engine = try? ContainerEngine.find(kind) else { continue }
      for container in try engine.containers(of: group) { try engine.remove(container.id) }
      try engine.removeNetworks(of: group)
    }
  }

  func unknown(_ host: String, in state: LabState) -> LabError {
    let names = state.hosts.map(\.name).joined(separator: ", ")
    return LabError("there is no host \(host) in lab \(name); its hosts are \(names)")
  }

  // MARK: - Logs

  /// The paths of the logs of a host: its boot, then its services.
  public func logs(of host: String) throws -> [String] {
    let state = try existing()
    guard state.host(host) != nil else { throw unknown(host, in: state) }
    do {
      try state.settings.backend.backend(for: self).fetchLogs(of: host, in: state)
    } catch {
      // What was fetched before is better than nothing.
      guard !Files.list(paths.logs(host)).isEmpty else { throw error }
    }
    return Files.list(paths.logs(host)).map { paths.logs(host) + "/" + $0 }
  }
}
