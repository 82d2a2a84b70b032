// The holder: one process per lab that owns what outlives its hosts, the network namespace with the
// switch and the file system with the disks. It sets them up and then only exists.

import CLinux
import Glibc

enum Holder {
  static let bridge = "switch"

  /// What the hidden command `liburna lab __holder DIRECTORY` does, in namespaces made for it.
  static func run(_ paths: LabPaths) -> Int32 {
    let channel = BootChannel()
    do {
      try setUp(paths)
    } catch {
      channel.send(.failed("\(error)"))
      return 1
    }
    channel.send(.ready)
    guard channel.waitUntilRemembered() else { return 1 }
    clinux_ns_outlive()
    close(BootChannel.descriptor)
    while true { pause() }
  }

  private static func setUp(_ paths: LabPaths) throws {
    try Mounts.makeAllPrivate()
    try Mounts.new("tmpfs", on: paths.disks, "mode=0755,size=50%")
    let plan = try Kept.read(HostPlan.self, from: paths.plan(LabPaths.holder))
    for directory in plan.shared { try Files.makeDirectories(paths.shared(directory)) }
    try Installer.install(plan.disk, below: paths.shared("/home"))
    var copies = RootCopies(directory: paths.rootCopies)
    for layer in plan.layers { try copies.make(layer) }
    guard plan.network == .own else { return }
    let network = try Netlink()
    try network.switchOn(index: Netlink.loopbackIndex)
    try network.makeBridge(named: bridge)
    try network.address(index: Netlink.bridgeIndex, .ofSwitch)
  }
}
