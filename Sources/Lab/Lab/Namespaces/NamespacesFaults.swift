// Hosts of namespaces that stand still or lose their link.

import CLinux
import Glibc

extension NamespacesBackend {
  func pause(_ host: String, _ isPaused: Bool, in state: LabState) throws {
    if state.cgroups.hierarchies.isEmpty, let first = state.host(host)?.first {
      return try FirstProcesses.stop(first, isPaused)
    }
    try state.cgroups.freeze(host, isPaused)
  }

  func link(_ host: String, _ link: LinkState, in state: LabState) throws {
    guard let holder = state.holder, let first = state.host(host)?.first,
      let plug = HostBoot.plug(ofNetwork: "/proc/\(first.pid)/ns/net")
    else { throw LabError("its link can't be found", host: host) }
    let network = Glibc.open("/proc/\(holder.pid)/ns/net", O_RDONLY | O_CLOEXEC)
    guard network >= 0 else { throw LabError.system("reach", "the lab's switch") }
    defer { close(network) }
    // What was slow before is so no longer; there may have been nothing.
    _ = try? TrafficControl(holder: holder.pid).run(["qdisc", "del", "dev", plug, "root"])
    try Netlink(network: network).setUp(plug, link != .cut)
    if case .slow(let slowness) = link {
      try TrafficControl(holder: holder.pid).slow(plug, slowness)
    }
  }
}

extension Cgroups {
  /// How long processes may take to stand still, in seconds.
  private static let freezeDeadline = 10

  /// Lets all processes of a group stand still, or go on; returns when they do.
  func freeze(_ group: String, _ isFrozen: Bool) throws {
    if let old = hierarchies.first(where: { $0.controllers.contains("freezer") }) {
      let state = isFrozen ? "FROZEN" : "THAWED"
      let file = "\(old.directory)/\(group)/freezer.state"
      try Files.set(state, in: file)
      try wait("processes of \(group) to be \(state)") { Files.value(file) == state }
    } else if let unified = hierarchies.first(where: \.isUnified) {
      let directory = "\(unified.directory)/\(group)"
      try Files.set(isFrozen ? "1" : "0", in: directory + "/cgroup.freeze")
      let wanted = "frozen \(isFrozen ? 1 : 0)"
      try wait("processes of \(group) to be \(isFrozen ? "frozen" : "thawed")") {
        Files.value(directory + "/cgroup.events")?.contains(wanted) ?? false
      }
    } else {
      throw LabError("this machine has no freezer among its cgroups")
    }
  }

  private func wait(_ purpose: String, until isDone: () -> Bool) throws {
    let deadline = Deadline(seconds: Self.freezeDeadline)
    while !isDone() {
      guard !deadline.isOver else { throw LabError("waited in vain for \(purpose)") }
      usleep(500)
    }
  }
}

/// The kernel's shaping of traffic, by its own tool, in the network of the lab's switch.
struct TrafficControl {
  /// The process that has that network.
  var holder: pid_t

  func slow(_ plug: String, _ slowness: LinkSlowness) throws {
    if let delay = slowness.delay {
      let rate = slowness.rate.map { ["rate", "\($0)kbit"] } ?? []
      let code = try run(
        ["qdisc", "add", "dev", plug, "root", "netem", "delay", "\(delay)ms"] + rate)
      guard code == 0 else {
        throw LabError(
          "this kernel can't delay packets (it has no netem); slow the link by a rate instead")
      }
    } else if let rate = slowness.rate {
      let words = ["rate", "\(rate)kbit", "burst", "16kb", "latency", "400ms"]
      let code = try run(["qdisc", "add", "dev", plug, "root", "tbf"] + words)
      guard code == 0 else { throw LabError("this kernel can't limit the rate of a link (tbf)") }
    }
  }

  /// Runs `tc` and gives its exit code.
  func run(_ words: [String]) throws -> Int32 {
    let process = clinux_ns_pidfd(holder)
    guard process >= 0 else { throw LabError.system("reach", "the lab's switch") }
    defer { close(process) }
    let quiet = Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(quiet) }
    do {
      return try Launch(
        program: .search("tc", in: HostEntry.searchPath), arguments: ["tc"] + words,
        descriptors: [quiet, quiet, quiet], join: (process, clinux_ns_network)
      ).start().wait()
    } catch let error as StartError where error.code == ENOENT {
      throw LabError("tc is missing; apt-get install iproute2")
    }
  }
}
