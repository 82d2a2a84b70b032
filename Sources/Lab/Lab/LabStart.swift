// Starting a lab: from whatever is there to what is wanted, one step after another, each with a
// deadline. A start that is repeated brings back what has died and adds what is new.

import CLinux
import Glibc

/// A step that was reached, for whoever watches.
public struct LabProgress: Sendable {
  /// The host, or nil for the lab as a whole.
  public var host: String?
  public var step: String
  /// Milliseconds since the start began.
  public var milliseconds: Int
}

extension Lab {
  /// Brings the lab up as composed, and returns when every service answers.
  ///
  /// - Parameters:
  ///   - program: an executable whose `lab` sub-command calls `Lab.runHidden`.
  ///   - timeout: the most seconds that the whole start may take.
  public func start(
    _ composition: Composition, program: String, timeout: Int = 60,
    progress: @escaping (LabProgress) -> Void = { _ in }
  ) throws {
    let group = self.group
    try start(
      composition, program: program, timeout: timeout, progress: progress,
      cgroups: { try Cgroups.detect(group: group) })
  }

  /// The same, with the cgroups that a new lab gets.
  func start(
    _ composition: Composition, program: String, timeout: Int,
    progress: @escaping (LabProgress) -> Void, cgroups: @escaping () throws -> Cgroups
  ) throws {
    try Self.check(composition)
    let lock = try LabLock(making: paths.directory)
    defer { lock.release() }
    let executable = open(program, O_RDONLY | O_CLOEXEC)
    guard executable >= 0 else { throw LabError.system("open", program) }
    defer { close(executable) }
    let startup = Startup(
      lab: self, composition: composition, executable: executable,
      deadline: Deadline(seconds: timeout), progress: progress, cgroups: cgroups)
    try startup.run()
  }

  /// Whether this machine can hold such a lab at all.
  private static func check(_ composition: Composition) throws {
    guard geteuid() == 0 else {
      throw LabError("making hosts needs root; run this command with sudo")
    }
    guard (1...HostAddress.limit).contains(composition.hosts.count) else {
      throw LabError(
        "a lab has 1 to \(HostAddress.limit) hosts, not \(composition.hosts.count)")
    }
    for (program, package) in BaseSystem.needs where !Files.exists(program) {
      throw LabError("\(program) is missing; run Scripts/setup, or apt-get install \(package)")
    }
    if let binaries = composition.binaries {
      for program in Composition.programs where !composition.commands.isEmpty {
        guard access(binaries + "/" + program, X_OK) == 0 else {
          throw LabError("\(binaries)/\(program) is missing; build it, or name another --binaries")
        }
      }
      var status = stat()
      guard stat(binaries, &status) == 0, status.st_mode & 0o005 == 0o005 else {
        throw LabError("\(binaries) is not open to ordinary users; chmod o+rx it")
      }
    }
  }
}

/// One start under way. The lab's lock is held.
final class Startup {
  let lab: Lab
  let composition: Composition
  let executable: Int32
  let deadline: Deadline
  private let progress: (LabProgress) -> Void
  private let cgroups: () throws -> Cgroups
  private let began = Deadline.now
  var state: LabState
  var starting: [StartingHost] = []

  /// How many lines of a log explain a failure.
  static let logLines = 8

  init(
    lab: Lab, composition: Composition, executable: Int32, deadline: Deadline,
    progress: @escaping (LabProgress) -> Void, cgroups: @escaping () throws -> Cgroups
  ) {
    self.lab = lab
    self.composition = composition
    self.executable = executable
    self.deadline = deadline
    self.progress = progress
    self.cgroups = cgroups
    state = LabState(
      name: lab.name, kind: composition.kind, nodes: composition.nodes,
      binaries: composition.binaries, data: composition.data,
      cgroups: Cgroups(hierarchies: []))
  }

  func run() throws {
    defer {
      for host in starting {
        close(host.channel.descriptor)
        close(host.child.descriptor)
      }
    }
    if let found = try lab.state(), found.phase == .running, found.holder?.isAlive == true {
      guard found.kind == composition.kind else {
        throw LabError(
          "lab \(lab.name) runs as \(found.kind); stop it before it starts as \(composition.kind)")
      }
      state = found
      try adapt()
    } else {
      try lab.clear()
      try startAfresh()
    }
    let missing = state.hosts.filter { !$0.isAlive }.map(\.name)
    try startHosts(missing)
    try awaitServices()
    try provision()
    state.phase = .running
    try save()
  }

  func say(_ step: String, of host: String? = nil) {
    progress(LabProgress(host: host, step: step, milliseconds: Int(Deadline.now - began)))
  }

  func save() throws { try state.write(to: lab.paths.state) }

  // MARK: - The lab as a whole

  private func startAfresh() throws {
    let paths = lab.paths
    state.cgroups = try cgroups()
    state.hosts = composition.hosts.map { LabState.Host(name: $0, first: nil) }
    try save()
    for directory in [paths.plans, paths.disks, paths.logs(LabPaths.holder)] {
      try Files.makeDirectories(directory, mode: 0o700)
    }
    // A systemd scope makes the group itself, with the holder in it; see `startHolder`.
    if !state.cgroups.isScope {
      try state.cgroups.create()
      try state.cgroups.create(LabPaths.holder)
    }
    try makeKeys()
    try writePlans()
    try startHolder()
    say("the switch is on")
  }

  /// Fits a running lab to the composition: more hosts, fewer, or other programs.
  private func adapt() throws {
    for host in state.hosts where !composition.hosts.contains(host.name) {
      try state.cgroups.remove(host.name)
      say("removed", of: host.name)
    }
    state.nodes = composition.nodes
    state.binaries = composition.binaries
    state.data = composition.data
    state.hosts = composition.hosts.map { LabState.Host(name: $0, first: state.host($0)?.first) }
    try save()
    try writePlans()
  }

  private func makeKeys() throws {
    // Before a scope exists there is no group to be in.
    let entry =
      state.cgroups.isScope
      ? CgroupEntry() : try state.cgroups.open(LabPaths.holder, leafOnly: true)
    defer { entry.close() }
    try Keys.make(in: lab.paths.keys, cgroup: entry)
  }

  private func writePlans() throws {
    let keys = try Keys(reading: lab.paths.keys)
    let system = try BaseSystem(composition, machine: try Accounts(root: ""))
    let layers = Mounts.layers(MountEntry.parse(try Files.readText("/proc/self/mountinfo")))
    var index = 0
    for role in composition.roles {
      for host in role.hosts {
        index += 1
        let plan = try system.plan(
          host: host, role: role, index: index, keys: keys, layers: layers)
        try Kept.write(plan, to: lab.paths.plan(host))
      }
    }
    var holder = HostPlan(name: LabPaths.holder, index: 0)
    holder.disk = system.sharedHomes(keys)
    try Kept.write(holder, to: lab.paths.plan(LabPaths.holder))
    try Files.write(BaseSystem.hostsFile(composition.hosts), to: lab.paths.hostsFile)
  }
}
