// Virtual machines that stand still or lose their link, and copies of their disks.

import CLinux
import Encoding
import Glibc

extension VirtualBackend {
  /// The processors of the machine stand still, or go on.
  func pause(_ host: String, _ isPaused: Bool, in state: LabState) throws {
    let monitor = try Monitor(lab.paths.monitor(host))
    try monitor.run(isPaused ? "stop" : "cont")
  }

  /// Cut, the cable is out: the guest sees that its link is down.
  func link(_ host: String, _ link: LinkState, in state: LabState) throws {
    guard let holder = state.holder, let index = state.host(host)?.index else {
      throw LabError("its link can't be found", host: host)
    }
    let monitor = try Monitor(lab.paths.monitor(host))
    try monitor.run("set_link", "{\"name\": \"link\", \"up\": \(link != .cut)}")
    let plug = GuestLaunch.plugName(index)
    // What was slow before is so no longer; there may have been nothing.
    _ = try? TrafficControl(holder: holder.pid).run(["qdisc", "del", "dev", plug, "root"])
    if case .slow(let slowness) = link {
      try TrafficControl(holder: holder.pid).slow(plug, slowness)
    }
  }

  /// A guest keeps what it writes in memory for a while.
  func settle(_ hosts: [String], in state: LabState) throws {
    for host in hosts {
      let (code, _) = try Child.output(limit: 1 << 16) { descriptors in
        try start(HostCommand(["sync"]), on: host, in: state, descriptors: descriptors)
      }
      guard code == 0 else { throw LabError("its disk can't be written out", host: host) }
    }
  }

  func save(_ snapshot: String, of state: LabState) throws {
    try namespaces.save(snapshot, of: state)
  }

  func restore(_ snapshot: String, of state: LabState) throws {
    try namespaces.restore(snapshot, of: state)
  }
}
