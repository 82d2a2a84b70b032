// The first process of a host that was made by others: a container, a virtual machine, a machine. It
// is told what to become on its line, becomes it, and then serves requests and reaps for ever.

import CLinux
import Compositions
import Glibc

/// Places in such hosts.
enum GuestPaths {
  /// This program, where a backend puts it.
  static let program = "/usr/local/liburna/liburna-host"
  private static let state = "/var/lib/liburna-lab"
  /// A directory with the socket of the line, where a host is reached by one.
  static let lineDirectory = state + "/line"
  static let lineName = "socket"
  static var lineSocket: String { lineDirectory + "/" + lineName }
  /// There once the disk is as planned.
  static let mark = state + "/installed"
  /// A volume of which the host writes a copy: what it begins as, and the host's own part.
  static func volume(_ number: Int) -> String { state + "/volumes/\(number)" }
  static let logs = "/var/log/liburna-lab"
  static let hosts = "/etc/hosts"
}

struct GuestBoot {
  /// How long to wait for the orders, in seconds.
  static let patience = 120

  /// What `liburna-host init` does. Does not return while the host lives.
  static func run(_ line: HostLine) -> Int32 {
    signal(SIGPIPE, SIG_IGN)
    if getpid() != 1 { clinux_adopt_orphans("liburna-host") }
    var opened: OpenHostLine
    do {
      try writeToLog(line)
      opened = try OpenHostLine(line)
      try opened.awaitStream(before: Deadline(seconds: patience))
    } catch {
      return tell("\(error)")
    }
    let channel = BootChannel(input: opened.input, output: opened.output)
    do {
      let orders = try orders(on: channel)
      return try boot(orders, opened, channel)
    } catch {
      channel.send(.failed("\(error)"))
      return tell("\(error)")
    }
  }

  private static func orders(on channel: BootChannel) throws -> HostOrders {
    let request = try ByteStream.receive(
      HostRequest.self, from: channel.input, before: Deadline(seconds: patience))
    guard case .boot(let orders) = request else {
      throw LabError("a host is to be told first what to become")
    }
    return orders
  }

  /// The story of a boot.
  private static func boot(
    _ orders: HostOrders, _ line: OpenHostLine, _ channel: BootChannel
  ) throws -> Int32 {
    let plan = orders.plan
    let logs = open(GuestPaths.logs, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard logs >= 0 else { throw LabError.system("open", GuestPaths.logs) }
    if orders.setsName { try HostName.set(plan.name) }
    if orders.opensCgroups { try GuestCgroups.open() }
    try install(orders)
    switch plan.firstProcess {
    case .systemd:
      try Installer.install(SystemdUnits.items(plan), below: "")
      channel.send(.ready)
      guard channel.waitUntilRemembered() else { return 1 }
      return try becomeSystemd(plan, line)
    case .tiny:
      try Preparation.run(plan)
      let services = try RunningServices.start(plan, logs: logs)
      channel.send(.ready)
      guard channel.waitUntilRemembered() else { return 1 }
      var server = GuestServer(plan: plan, services: services, line: line)
      server.serveForever()
    }
  }

  /// The line stays with a process of its own: systemd closes what it is handed.
  private static func becomeSystemd(_ plan: HostPlan, _ line: OpenHostLine) throws -> Int32 {
    let server = clinux_fork()
    guard server >= 0 else { throw LabError.system("start", "the server of the line") }
    if server == 0 {
      setsid()
      clinux_adopt_orphans(HostProgram.name)
      var server = GuestServer(plan: plan, services: nil, line: line)
      server.serveForever()
    }
    throw LabError.system("run", SystemdUnits.program, SystemdUnits.run())
  }

  private static func install(_ orders: HostOrders) throws {
    let plan = orders.plan
    for overlay in orders.overlays { try overlay.mount() }
    if !Files.exists(GuestPaths.mark) {
      try Installer.install(plan.disk, below: "")
      try Installer.install([.file(GuestPaths.mark, "")], below: "")
    }
    try Installer.install(orders.always + plan.boot, below: "")
    if let hosts = orders.hosts { try Files.write(hosts, to: GuestPaths.hosts) }
  }

  /// What we say goes to the boot log, beside the logs of services.
  private static func writeToLog(_ line: HostLine) throws {
    try Files.makeDirectories(GuestPaths.logs)
    let path = GuestPaths.logs + "/" + LabPaths.bootLog + ".log"
    let log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else { throw LabError.system("open", path) }
    defer { close(log) }
    dup2(log, STDERR_FILENO)
    if case .open(_, STDOUT_FILENO) = line { return }
    dup2(log, STDOUT_FILENO)
  }

  private static func tell(_ text: String) -> Int32 {
    StandardError.say("liburna-host: \(text)")
  }
}

/// A directory that a host sees with changes of its own on top.
struct GuestOverlay: Codable, Equatable {
  /// What it begins as, in the host.
  var lower: String
  /// Where the changes are kept; the same file system must have room for the work directory.
  var upper: String
  var work: String
  var target: String

  func mount() throws {
    for directory in [upper, work, target] { try Files.makeDirectories(directory) }
    try Mounts.new(
      "overlay", on: target, "lowerdir=\(lower),upperdir=\(upper),workdir=\(work)")
  }
}

/// The cgroup file systems of a container.
enum GuestCgroups {
  /// Makes them writable, so that jobs can be confined. They are the container's own groups.
  static func open() throws {
    let mounts = MountEntry.parse(try Files.readText("/proc/self/mountinfo"))
    for mount in mounts where mount.type == "cgroup" || mount.type == "cgroup2" {
      let flags = UInt(MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC)
      guard Glibc.mount(nil, mount.point, nil, flags, nil) == 0 else {
        throw LabError.system("make writable", mount.point)
      }
    }
  }
}
