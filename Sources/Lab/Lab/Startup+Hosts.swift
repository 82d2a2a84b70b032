// The processes that a start brings to life: the holder, then all missing hosts at once.

import CLinux
import Glibc

/// A host that was started and is being watched until all its services answer.
struct StartingHost {
  var plan: HostPlan
  var child: Child
  var channel: ControlChannel
  var isUp = false
  var awaited: [PlannedService]
}

extension Startup {
  // MARK: - The holder

  func startHolder() throws {
    let (ours, theirs) = try ControlChannel.pair()
    var channel = ours
    defer {
      close(channel.descriptor)
    }
    let child: Child
    do {
      defer { close(theirs) }
      child = try launchHolder(theirs)
    }
    defer { close(child.descriptor) }
    let report = waitForReport(&channel, child)
    guard report == .ready else {
      throw explain(report, host: LabPaths.holder)
    }
    if state.cgroups.isScope {
      try state.cgroups.create(LabPaths.holder)
      try state.cgroups.move(child.pid, to: LabPaths.holder)
      try state.cgroups.create()
    }
    state.holder = KnownProcess(pid: child.pid)
    try save()
    try channel.confirm()
  }

  private func launchHolder(_ channel: Int32) throws -> Child {
    var launch = Launch(
      program: .descriptor(executable),
      arguments: ["liburna", "lab", Lab.holderCommand, lab.paths.directory],
      makes: clinux_ns_mount | clinux_ns_network, directory: "/", newSession: true)
    if state.cgroups.isScope,
      let scope = state.cgroups.hierarchies[0].directory.split(separator: "/").last
    {
      // The scope's group is made around the holder, which the tool then moves to its place.
      launch.arguments =
        ["systemd-run", "--quiet", "--scope", "--collect", "--slice=\(Cgroups.systemdSlice)"]
        + [
          "--unit=\(scope)", "--property=Delegate=yes", "--property=TasksMax=infinity", "--",
          "/proc/\(getpid())/fd/\(executable)",
        ]
        + launch.arguments.dropFirst()
      launch.program = .search("systemd-run", in: HostEntry.searchPath)
    } else {
      launch.cgroup = try state.cgroups.open(LabPaths.holder, leafOnly: true)
    }
    defer { launch.cgroup.close() }
    return try start(&launch, log: LabPaths.holder, channel)
  }

  /// Starts a process of the lab with its log and the channel.
  private func start(_ launch: inout Launch, log host: String, _ more: Int32...) throws -> Child {
    let path = lab.paths.log(host, LabPaths.bootLog)
    let log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else { throw LabError.system("open", path) }
    defer { close(log) }
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(input) }
    launch.descriptors = [input, log, log] + more
    return try launch.start()
  }

  private func waitForReport(_ channel: inout ControlChannel, _ child: Child) -> BootReport? {
    while !deadline.isOver {
      var wait = pollfd(fd: channel.descriptor, events: Int16(POLLIN), revents: 0)
      _ = poll(&wait, 1, deadline.remaining)
      guard let reports = channel.reports() else { return nil }
      if let report = reports.first { return report }
    }
    return nil
  }

  // MARK: - Hosts

  func startHosts(_ names: [String]) throws {
    guard !names.isEmpty else { return }
    guard let holder = state.holder else { throw LabError("the lab has no switch") }
    let network = open("/proc/\(holder.pid)/ns/net", O_RDONLY | O_CLOEXEC)
    let process = clinux_ns_pidfd(holder.pid)
    guard network >= 0, process >= 0 else { throw LabError.system("reach", "the lab's switch") }
    defer {
      close(network)
      close(process)
    }
    for name in names {
      do {
        starting.append(try startHost(name, holder: process, network: network))
      } catch {
        throw LabError("\(error)", host: name)
      }
    }
    try awaitBoots()
  }

  private func startHost(_ name: String, holder: Int32, network: Int32) throws -> StartingHost {
    let plan = try Kept.read(HostPlan.self, from: lab.paths.plan(name))
    try state.cgroups.remove(name)
    try state.cgroups.create(name)
    try Files.makeDirectories(lab.paths.logs(name), mode: 0o700)
    let (ours, theirs) = try ControlChannel.pair()
    defer { close(theirs) }
    var launch = Launch(
      program: .descriptor(executable),
      arguments: ["liburna", "lab", Lab.hostCommand, lab.paths.directory, name],
      environment: RunningServices.environment,
      cgroup: try state.cgroups.open(name, leafOnly: false),
      join: (holder, clinux_ns_mount),
      makes: clinux_ns_mount | clinux_ns_hostname | clinux_ns_ipc | clinux_ns_pid
        | clinux_ns_network | clinux_ns_cgroup,
      directory: "/", newSession: true)
    defer { launch.cgroup.close() }
    do {
      let child = try start(&launch, log: name, theirs, network)
      return StartingHost(plan: plan, child: child, channel: ours, awaited: plan.services)
    } catch {
      close(ours.descriptor)
      throw error
    }
  }

  /// Waits until every started host is set up and remembered.
  private func awaitBoots() throws {
    while let waiting = starting.first(where: { !$0.isUp }) {
      guard !deadline.isOver else {
        throw explain(nil, host: waiting.plan.name)
      }
      var waits = starting.filter { !$0.isUp }
        .map { pollfd(fd: $0.channel.descriptor, events: Int16(POLLIN), revents: 0) }
      _ = poll(&waits, nfds_t(waits.count), deadline.remaining)
      for place in starting.indices where !starting[place].isUp { try hear(place) }
    }
  }

  private func hear(_ place: Int) throws {
    let name = starting[place].plan.name
    guard let reports = starting[place].channel.reports() else {
      throw explain(.failed("its first process died"), host: name)
    }
    guard let report = reports.first else { return }
    guard report == .ready else { throw explain(report, host: name) }
    starting[place].isUp = true
    state.set(name, KnownProcess(pid: starting[place].child.pid))
    try save()
    try starting[place].channel.confirm()
    say("up at \(starting[place].plan.address)", of: name)
  }

  /// Why a process of the lab is not ready: what it reported, or that time ran out.
  func explain(_ report: BootReport?, host: String) -> LabError {
    let tail = Files.tail(lab.paths.log(host, LabPaths.bootLog), lines: Self.logLines)
    switch report {
    case .failed(let why): return LabError(why, host: host, logTail: tail)
    case .ended(let service, let code):
      return LabError(
        "\(service) ended with exit code \(code)", host: host,
        logTail: Files.tail(lab.paths.log(host, service), lines: Self.logLines))
    case .ready, nil: return LabError("it was not set up in time", host: host, logTail: tail)
    }
  }
}
