// Starting the holder: the one process of a lab that owns the switch and the disks.

import CLinux
import Glibc

struct HolderLaunch {
  let lab: Lab
  var network = HostNetwork.own

  /// Starts the holder and remembers it. On a machine with v2 and systemd, the lab's scope is made
  /// around it.
  func start(_ startup: Startup) throws {
    var (child, channel) = try launch(startup)
    defer {
      close(channel.descriptor)
      close(child.descriptor)
    }
    let report = firstReport(&channel, before: startup.deadline)
    guard report == .ready else { throw startup.explain(report, host: LabPaths.holder) }
    let cgroups = startup.state.cgroups
    if cgroups.isScope {
      try cgroups.create(LabPaths.holder)
      try cgroups.move(child.pid, to: LabPaths.holder)
      try cgroups.create()
    }
    startup.state.holder = KnownProcess(pid: child.pid)
    try startup.save()
    try channel.confirm()
  }

  private func launch(_ startup: Startup) throws -> (Child, ControlChannel) {
    let cgroups = startup.state.cgroups
    var launch = Launch(
      program: .descriptor(startup.executable),
      arguments: ["liburna", "lab", Lab.holderCommand, lab.paths.directory],
      makes: network == .own ? clinux_ns_mount | clinux_ns_network : clinux_ns_mount,
      directory: "/", newSession: true, bound: cgroups.hierarchies.isEmpty)
    if cgroups.isScope, let scope = cgroups.hierarchies[0].directory.split(separator: "/").last {
      launch.arguments =
        [
          "systemd-run", "--quiet", "--scope", "--collect", "--slice=\(Cgroups.systemdSlice)",
          "--unit=\(scope)", "--property=Delegate=yes", "--property=TasksMax=infinity", "--",
          "/proc/\(getpid())/fd/\(startup.executable)",
        ] + launch.arguments.dropFirst()
      launch.program = .search("systemd-run", in: HostEntry.searchPath)
    } else {
      launch.cgroup = try cgroups.open(LabPaths.holder, leafOnly: true)
    }
    defer { launch.cgroup.close() }
    return try lab.start(&launch, log: LabPaths.holder)
  }

  private func firstReport(
    _ channel: inout ControlChannel, before deadline: Deadline
  ) -> BootReport? {
    while !deadline.isOver {
      var wait = pollfd(fd: channel.descriptor, events: Int16(POLLIN), revents: 0)
      _ = poll(&wait, 1, deadline.remaining)
      guard let reports = channel.reports() else { return nil }
      if let report = reports.first { return report }
    }
    return nil
  }
}
