// The backend of virtual machines: a host is a QEMU with a kernel of its own, cgroup v2 and systemd.
// The network and the disks belong to the lab's holder, as with namespaces, so that addresses, names
// and the ways to ask whether services answer are the same.

import CLinux
import Compositions
import Glibc

struct VirtualBackend: Backend {
  let lab: Lab

  init(lab: Lab) { self.lab = lab }

  /// What shares the holder with us.
  var namespaces: NamespacesBackend { NamespacesBackend(lab: lab) }

  func check(_ settings: LabSettings) throws {
    guard geteuid() == 0 else {
      throw LabError("making hosts needs root; run this command with sudo")
    }
    let needs = [
      ("qemu-system-x86_64", "qemu-system-x86"), ("mksquashfs", "squashfs-tools"),
      ("ssh", "openssh-client"), ("mkfs.ext4", "e2fsprogs"),
    ]
    for (program, package) in needs where ToolRun.find(program) == nil {
      throw LabError("\(program) is missing; run Scripts/setup, or apt-get install \(package)")
    }
    guard Files.exists("/dev/net/tun") else {
      throw LabError("/dev/net/tun is missing, which connects virtual machines; modprobe tun")
    }
    _ = try Acceleration.wanted()
    try checkMemory(settings.composition)
  }

  /// Refuses more memory than there is.
  private func checkMemory(_ composition: Composition) throws {
    let line = (Files.value("/proc/meminfo") ?? "").split(separator: "\n")
      .first { $0.hasPrefix("MemAvailable:") }
    let words = line?.split(separator: " ") ?? []
    let machines = try composition.roles.filter { !$0.hosts.isEmpty }
      .map { ($0, try Hardware($0, .tcg)) }
    guard words.count > 1, let available = Int(words[1]) else { return }
    if let problem = Self.memoryProblem(machines, available: available / 1024) { throw problem }
  }

  /// Why machines do not fit, with the sum, or nil.
  ///
  /// - Parameter available: MiB.
  static func memoryProblem(_ machines: [(Role, Hardware)], available: Int) -> LabError? {
    let sum = machines.reduce(0) { sum, machine in
      sum + machine.0.hosts.count * (machine.1.memory + Hardware.overhead)
    }
    guard sum > available else { return nil }
    let parts = machines.map { role, hardware in
      "\(role.hosts.count) \(role.name) of \(hardware.memory)"
    }
    return LabError(
      "the virtual machines need \(sum) MiB of memory (\(parts.joined(separator: ", ")), and "
        + "\(Hardware.overhead) for each QEMU), and only \(available) are available; take fewer "
        + "hosts or less memory for each")
  }

  // MARK: - Starting

  func open(_ startup: Startup) throws { try namespaces.open(startup) }

  func launch(_ plan: HostPlan, _ startup: Startup) throws -> LaunchedHost {
    guard let holder = startup.state.holder else { throw LabError("the lab has no switch") }
    guard let place = plan.image.first else { throw LabError("there is no template for it") }
    let process = clinux_ns_pidfd(holder.pid)
    defer { close(process) }
    guard process >= 0, holder.isAlive else { throw LabError.system("reach", "the lab's switch") }
    let paths = lab.paths
    let isCopy = !Files.exists("/proc/\(holder.pid)/root\(paths.disk(plan.name))/disk")
    try Files.removeTree(paths.machine(plan.name))
    try Files.makeDirectories(paths.machine(plan.name), mode: 0o700)
    let template = Template(directory: place)
    try Kept.write(
      MachineRecord(template, isCopy: isCopy), to: paths.machine(plan.name) + "/record")
    let shell = RemoteShell(lab: lab, state: startup.state, host: plan.name)
    try shell.writeKnownHosts()
    let cgroups = startup.state.cgroups
    try cgroups.remove(plan.name)
    try cgroups.create(plan.name)
    var launch = Launch(
      program: .descriptor(startup.executable),
      arguments: ["liburna", "lab", GuestLaunch.machineCommand, paths.directory, plan.name],
      environment: RunningServices.environment,
      cgroup: try cgroups.open(plan.name, leafOnly: true),
      join: (process, clinux_ns_mount | clinux_ns_network), makes: clinux_ns_mount,
      directory: paths.machine(plan.name), newSession: true)
    defer { launch.cgroup.close() }
    let (child, channel) = try lab.start(&launch, log: plan.name)
    close(child.descriptor)
    let host = LaunchedHost(first: KnownProcess(pid: child.pid), channel: channel)
    do {
      if isCopy { try goOn(plan) }
      try order(plan, on: channel, startup)
    } catch {
      close(channel.descriptor)
      throw explain(error, plan.name)
    }
    return host
  }

  /// Lets a copy of a template run.
  private func goOn(_ plan: HostPlan) throws {
    let monitor = try Monitor(lab.paths.monitor(plan.name))
    try monitor.run("migrate-set-capabilities", Template.ignoreShared)
    try monitor.run("migrate-incoming", "{\"uri\": \"fd:\(MachineRecord.stateDescriptor)\"}")
  }

  private func order(_ plan: HostPlan, on channel: ControlChannel, _ startup: Startup) throws {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var random = SystemRandomNumberGenerator()
    let orders = MachineOrders(
      plan: plan, clock: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000,
      seed: (0..<MachineOrders.seedLength).map { _ in .random(in: 0...255, using: &random) },
      patience: max(1, Int(startup.deadline.end - Deadline.now) / 1000))
    // The machine reads them once it is that far; nobody waits for it here.
    var room: Int32 = 4 << 20
    setsockopt(
      channel.descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &room, socklen_t(MemoryLayout<Int32>.size))
    try ByteStream.send(orders, to: channel.descriptor)
  }

  private func explain(_ error: any Error, _ host: String) -> LabError {
    LabError(
      "its virtual machine does not start: \(error)", host: host,
      logTail: Console.tail(lab.paths.log(host, LabPaths.bootLog)))
  }

  // MARK: - Hosts that run

  func isAlive(_ host: LabState.Host, in state: LabState) -> Bool { host.first?.isAlive ?? false }

  func answers(_ readiness: Readiness, of plan: HostPlan, in state: LabState) -> Bool {
    guard let host = state.host(plan.name), isAlive(host, in: state) else { return false }
    switch readiness {
    case .port(let port):
      return Probe.accepts(port, at: plan.address, networkOf: state.holder?.pid)
    // The host asked these itself before it reported that it was ready.
    case .none, .file, .socket: return true
    }
  }

  func start(
    _ command: HostCommand, on host: String, in state: LabState, descriptors: [Int32]
  ) throws -> Child {
    try RemoteShell(lab: lab, state: state, host: host).start(command, descriptors: descriptors)
  }

  func runOnTerminal(_ command: HostCommand, on host: String, in state: LabState) throws -> Int32 {
    let child = try RemoteShell(lab: lab, state: state, host: host).start(
      command, descriptors: [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO], terminal: true)
    return SignalRelay.wait(for: child)
  }

  // MARK: - Ending

  func end(_ host: String, in state: LabState) throws { try namespaces.end(host, in: state) }

  func discard(_ host: String, in state: LabState) throws {
    try namespaces.discard(host, in: state)
  }

  func end(_ state: LabState) throws { try namespaces.end(state) }
}
