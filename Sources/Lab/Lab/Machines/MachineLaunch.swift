// Making a machine a host, on the machine: the lab's holder, the host's first process, and the line
// between that process and the tool, which is relayed for as long as the tool listens.

import CLinux
import Compositions
import Glibc

struct MachineLaunch {
  let agent: MachineAgent

  /// How long the tool may take to remember a host that is set up, in seconds. A connection that is
  /// dead without saying so must not keep a host.
  private static let patience = 900

  func run() throws -> Int32 {
    let order = try agent.order()
    do {
      let channel = try start(order)
      return relay(channel)
    } catch {
      Files.send(Array((BootReport.failed("\(error)").line + "\n").utf8))
      return 1
    }
  }

  private func start(_ order: MachineOrder) throws -> Int32 {
    let (lab, backend) = (agent.lab, agent.backend)
    try refuseEnded()
    let lock = try LabLock(making: lab.paths.directory)
    defer { lock.release() }
    do {
      try refuseEnded()
    } catch {
      agent.removeEmpty()
      throw error
    }
    let executable = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
    guard executable >= 0 else { throw LabError.system("open", "/proc/self/exe") }
    let composition = Composition(name: "machine", roles: [])
    let startup = Startup(
      lab: lab, settings: LabSettings(composition), backend: backend, program: "/proc/self/exe",
      executable: executable, timeout: Self.patience, progress: { _ in })
    try resume(startup, order)
    let plan = try prepare(order, startup)
    let launched = try backend.launch(plan, startup)
    startup.state.update(plan.name) { $0.first = launched.first }
    startup.state.phase = .running
    try startup.save()
    return launched.channel.descriptor
  }

  /// A tool that was killed may be followed by its own late request.
  private func refuseEnded() throws {
    let directory = agent.request.directory
    guard Files.exists(MachinePlace.program(in: directory)),
      !Files.exists(MachinePlace.ended(in: directory))
    else { throw LabError("the lab has been ended meanwhile") }
  }

  /// Takes up the lab that is here, or makes it.
  private func resume(_ startup: Startup, _ order: MachineOrder) throws {
    let paths = agent.lab.paths
    if let state = try agent.state() {
      startup.state = state
    } else {
      try agent.lab.clear()
      for directory in [paths.plans, paths.disks, paths.logs(LabPaths.holder)] {
        try Files.makeDirectories(directory, mode: 0o700)
      }
      try Files.write(MachineAgent.boot, to: agent.bootMark)
      try startup.save()
    }
    try agent.write(order)
    guard startup.state.holder == nil else { return }
    var holder = order.holder
    holder.network = .machine
    try Kept.write(holder, to: paths.plan(LabPaths.holder))
    try agent.backend.open(startup)
  }

  /// Makes way for the host, and fits its plan to this machine.
  private func prepare(_ order: MachineOrder, _ startup: Startup) throws -> HostPlan {
    let paths = agent.lab.paths
    var plan = order.plan
    plan.layers = Mounts.layers(MountEntry.parse(try Files.readText("/proc/self/mountinfo")))
    if startup.state.host(plan.name) != nil {
      try agent.backend.end(plan.name, in: startup.state)
    } else {
      startup.state.hosts = [LabState.Host(name: plan.name, role: plan.role, index: plan.index)]
    }
    for volume in plan.volumes where !Files.exists(volume.source) {
      throw LabError("the volume \(volume.source) is not on this machine")
    }
    try refuseUsedPorts(plan)
    try Files.makeDirectories(paths.logs(plan.name), mode: 0o700)
    try Kept.write(plan, to: paths.plan(plan.name))
    return plan
  }

  /// The ports of a host are the machine's own.
  private func refuseUsedPorts(_ plan: HostPlan) throws {
    let listening = try ListeningPorts.read()
    for service in plan.services {
      guard case .port(let port) = service.readiness, let inodes = listening[port] else { continue }
      let owner = ListeningPorts.owner(of: inodes).map { " by \($0)" } ?? ""
      throw LabError(
        "port \(port), which \(service.name) needs, is in use on this machine\(owner); end that, or "
          + "choose another port")
    }
  }

  // MARK: - The line

  /// Passes reports to the tool and its word to the host. Ends with the first of both.
  private func relay(_ channel: Int32) -> Int32 {
    var isRemembered = false
    let deadline = Deadline(seconds: Self.patience)
    while true {
      var waits = [STDIN_FILENO, channel].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      _ = poll(&waits, 2, isRemembered ? -1 : deadline.remaining)
      if !isRemembered && deadline.isOver { return 1 }
      if waits[1].revents != 0 {
        guard pass(from: channel, to: STDOUT_FILENO) else { return 0 }
      }
      if waits[0].revents != 0 {
        guard pass(from: STDIN_FILENO, to: channel) else { return 0 }
        isRemembered = true
      }
    }
  }

  private func pass(from source: Int32, to target: Int32) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let got = read(source, &chunk, chunk.count)
    if got < 0 && (errno == EINTR || errno == EAGAIN) { return true }
    guard got > 0 else { return false }
    return (try? Files.writeAll(Array(chunk[0..<got]), to: target, path: "the line")) != nil
  }
}
