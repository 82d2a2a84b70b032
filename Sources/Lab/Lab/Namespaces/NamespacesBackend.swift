// The backend of the machine's own kernel: a host is a set of namespaces and a cgroup, with an overlay
// of a root file system as its disk. What outlives hosts belongs to one process, the holder.

import CLinux
import Compositions
import Glibc

struct NamespacesBackend: Backend {
  let lab: Lab
  /// Which network hosts are in.
  var network = HostNetwork.own
  /// Where a new lab's processes live; a test may choose.
  var detectCgroups: @Sendable (String) throws -> Cgroups = { try Cgroups.detect(group: $0) }

  init(lab: Lab, network: HostNetwork = .own) { (self.lab, self.network) = (lab, network) }

  /// The backend for somebody who may not be root: this process becomes root of the lab.
  init(entering lab: Lab) throws {
    self.lab = lab
    try Rootless.enter(lab)
  }

  /// The namespaces that a host has of its own.
  private var kinds: UInt64 {
    let kinds =
      clinux_ns_mount | clinux_ns_hostname | clinux_ns_ipc | clinux_ns_pid | clinux_ns_cgroup
    return network == .own ? kinds | clinux_ns_network : kinds
  }

  func check(_ settings: LabSettings) throws {
    if settings.composition.firstProcess == .systemd {
      if let problem = SystemdNeeds.problem(settings.composition) { throw problem }
    }
    guard settings.composition.root == .host else { return }
    for (program, package) in BaseSystem.needs where !Files.exists(program) {
      throw LabError("\(program) is missing; run Scripts/setup, or apt-get install \(package)")
    }
  }

  func prepareRoot(of role: Role, _ startup: Startup) throws -> PreparedRoot {
    let image = try startup.image(of: role)
    guard image.directories.isEmpty else {
      try BaseSystem.check(image, of: role)
      return PreparedRoot(
        directories: image.directories, accounts: try Accounts(layers: image.directories))
    }
    let mounts = MountEntry.parse(try Files.readText("/proc/self/mountinfo"))
    if Rootless.isActive {
      let pieces = MachinePieces(mounts: mounts)
      return PreparedRoot(
        directories: [], layers: pieces.layers, skeleton: pieces.skeleton,
        accounts: try Accounts(root: ""))
    }
    return PreparedRoot(
      directories: [], layers: Mounts.layers(mounts), accounts: try Accounts(root: ""))
  }

  // MARK: - Starting

  func open(_ startup: Startup) throws {
    startup.state.cgroups = try detectCgroups(lab.group)
    try startup.save()
    let cgroups = startup.state.cgroups
    if startup.composition.firstProcess == .systemd, cgroups.hierarchies.isEmpty {
      throw LabError(
        "systemd in hosts needs cgroups; start the lab as root, or on a machine with cgroup v2 by "
          + "systemd-run --user --scope -p Delegate=yes")
    }
    // A systemd scope makes the group itself, with the holder in it.
    if !cgroups.isScope {
      try cgroups.create()
      try cgroups.create(LabPaths.holder)
    }
    try HolderLaunch(lab: lab, network: network).start(startup)
  }

  func launch(_ plan: HostPlan, _ startup: Startup) throws -> LaunchedHost {
    guard let holder = startup.state.holder else { throw LabError("the lab has no switch") }
    let network = Glibc.open("/proc/\(holder.pid)/ns/net", O_RDONLY | O_CLOEXEC)
    let process = clinux_ns_pidfd(holder.pid)
    defer {
      close(network)
      close(process)
    }
    guard network >= 0, process >= 0, holder.isAlive else {
      throw LabError.system("reach", "the lab's switch")
    }
    let cgroups = startup.state.cgroups
    try end(plan.name, in: startup.state)
    try cgroups.create(plan.name)
    var launch = Launch(
      program: .descriptor(startup.executable),
      arguments: ["liburna", "lab", Lab.hostCommand, lab.paths.directory, plan.name],
      environment: RunningServices.environment,
      cgroup: try cgroups.open(plan.name, leafOnly: false), join: (process, clinux_ns_mount),
      makes: kinds, directory: "/", newSession: true, bound: cgroups.hierarchies.isEmpty)
    defer { launch.cgroup.close() }
    let (child, channel) = try lab.start(&launch, log: plan.name, network)
    close(child.descriptor)
    return LaunchedHost(first: KnownProcess(pid: child.pid), channel: channel)
  }

  // MARK: - Hosts that run

  func isAlive(_ host: LabState.Host, in state: LabState) -> Bool { host.first?.isAlive ?? false }

  func answers(_ readiness: Readiness, of plan: HostPlan, in state: LabState) -> Bool {
    guard let first = state.host(plan.name)?.first else { return false }
    // Links such as /var/run would lead to the machine's own files.
    func place(_ path: String) -> String {
      Files.place(of: path, below: "/proc/\(first.pid)/root")
    }
    switch readiness {
    case .none: return true
    case .file(let path): return Files.exists(place(path))
    case .socket(let path): return Probe.accepts(socket: place(path))
    case .port(let port):
      guard network == .own else { return Probe.accepts(port) }
      return Probe.accepts(port, at: plan.address, networkOf: state.holder?.pid)
    }
  }

  func start(
    _ command: HostCommand, on host: String, in state: LabState, descriptors: [Int32]
  ) throws -> Child {
    try HostEntry(lab: lab, state: state, host: host).start(command, descriptors: descriptors)
  }

  func runOnTerminal(_ command: HostCommand, on host: String, in state: LabState) throws -> Int32 {
    let entry = try HostEntry(lab: lab, state: state, host: host)
    let terminal = try HostTerminal(below: entry.root)
    return try terminal.run { try entry.start(command, descriptors: $0, terminal: true) }
  }

  // MARK: - Ending

  func end(_ host: String, in state: LabState) throws {
    try state.cgroups.remove(host)
    guard let first = state.host(host)?.first else { return }
    if state.cgroups.hierarchies.isEmpty { try FirstProcesses.end([first]) }
    first.reap()
  }

  func end(_ state: LabState) throws {
    try state.cgroups.remove()
    let known = (state.hosts.map(\.first) + [state.holder]).compactMap { $0 }
    if state.cgroups.hierarchies.isEmpty {
      try FirstProcesses.end(known + FirstProcesses.find(of: lab.paths.directory))
    }
    for process in known { process.reap() }
  }
}

extension Lab {
  /// Starts a process of the lab that reports on a line, with a log; descriptors after the line's are
  /// handed over as well.
  func start(
    _ launch: inout Launch, log host: String, _ more: Int32...
  ) throws -> (Child, ControlChannel) {
    let path = paths.log(host, LabPaths.bootLog)
    let log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else { throw LabError.system("open", path) }
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    let (ours, theirs) = try ControlChannel.pair()
    defer { for descriptor in [log, input, theirs] { close(descriptor) } }
    launch.descriptors = [input, log, log, theirs] + more
    do {
      return (try launch.start(), ours)
    } catch {
      close(ours.descriptor)
      throw error
    }
  }
}
