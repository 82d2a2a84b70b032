// The way into a running host: all its namespaces and its cgroups, as any of its users.

import CLinux
import Glibc

/// A host that was found running.
struct HostEntry {
  private let first: KnownProcess
  private let name: String
  private let plan: HostPlan
  private let cgroups: Cgroups

  static let searchPath = HostCommand.searchPath
  private static let kinds =
    clinux_ns_mount | clinux_ns_hostname | clinux_ns_ipc | clinux_ns_pid | clinux_ns_network
    | clinux_ns_cgroup

  init(lab: Lab, state: LabState, host: String) throws {
    guard let found = state.host(host) else { throw lab.unknown(host, in: state) }
    guard let first = found.first, first.isAlive else {
      throw LabError("it is down", host: host)
    }
    self.first = first
    name = host
    plan = try Kept.read(HostPlan.self, from: lab.paths.plan(host))
    cgroups = state.cgroups
  }

  /// The host's file system, as the machine sees it.
  var root: String { "/proc/\(first.pid)/root" }

  /// Starts a command in the host. With `terminal`, descriptor 0 is the terminal of its session.
  func start(
    _ command: HostCommand, descriptors: [Int32], terminal: Bool = false
  ) throws -> Child {
    let accounts = try Accounts(root: root)
    guard let account = accounts[command.user] else {
      throw LabError("there is no user \(command.user)", host: name)
    }
    let process = clinux_ns_pidfd(first.pid)
    // Opened first, then checked: the pid can't become another's while we hold its descriptor.
    defer { close(process) }
    guard process >= 0, first.isAlive else { throw LabError("it has just died", host: name) }
    let entry = try cgroups.open(name, leafOnly: true)
    defer { entry.close() }
    let kind = getenv("TERM").map { String(cString: $0) }
    var launch = command.launch(
      as: account, groups: accounts.groups(of: account), environment: plan.environment,
      terminalKind: kind, below: root)
    launch.descriptors = descriptors
    launch.cgroup = entry
    launch.join = (process, Self.kinds)
    launch.newSession = terminal
    launch.controllingTerminal = terminal
    launch.makesDevices = plan.containers
    do {
      return try launch.start()
    } catch let error as StartError where Rootless.isActive && error.code == EACCES {
      // From another session of the user the kernel lets nobody into the lab's groups. The command ends
      // with the host all the same: it is in its pid namespace.
      launch.cgroup = CgroupEntry()
      return try launch.start()
    }
  }
}

extension Child {
  /// Waits for the end of the process until a deadline; true if it has ended.
  func ends(before deadline: Deadline) -> Bool {
    while !deadline.isOver {
      if ends(within: deadline.remaining) { return true }
    }
    return ends(within: 0)
  }
}
