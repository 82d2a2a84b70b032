// A host's first process: makes the file system, the network and the name of the host it finds
// itself in, starts the services, and then reaps what dies.

import CLinux
import Compositions
import Glibc

struct HostBoot {
  var paths: LabPaths
  var plan: HostPlan
  var hierarchies: [CgroupHierarchy]

  /// The descriptor of the switch's network namespace, handed over by the tool.
  static let switchNetwork: Int32 = 4

  /// What the hidden command `liburna lab __host DIRECTORY HOST` does, as pid 1 of its namespaces.
  static func run(_ paths: LabPaths, host: String) -> Int32 {
    let channel = BootChannel()
    do {
      guard getpid() == 1 else { throw LabError("this command is for hosts only") }
      guard let state = try LabState(reading: paths.state) else {
        throw LabError("\(paths.state) is missing")
      }
      let boot = HostBoot(
        paths: paths, plan: try Kept.read(HostPlan.self, from: paths.plan(host)),
        hierarchies: state.cgroups.hierarchies)
      let logs = try boot.makeHost()
      if boot.plan.firstProcess == .systemd { return try boot.becomeSystemd(channel) }
      try Preparation.run(boot.plan)
      var services = try RunningServices.start(boot.plan, logs: logs)
      channel.send(.ready)
      guard channel.waitUntilRemembered() else { return 1 }
      clinux_ns_outlive()
      services.reapForever(channel)
    } catch {
      channel.send(.failed("\(error)"))
      return 1
    }
  }

  /// The story of a boot, until services can be started. Gives the directory of their logs, open.
  private func makeHost() throws -> Int32 {
    try Mounts.makeAllPrivate()
    let logs = open(paths.logs(plan.name), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard logs >= 0 else { throw LabError.system("open", paths.logs(plan.name)) }
    let root = try mountDisk()
    try installDisk(root)
    try mountShared(root)
    try mountKernel(root)
    try mountDevices(root)
    try mountCgroups(root)
    // Last, for /run and /tmp are new.
    for (number, volume) in plan.volumes.enumerated() { try mount(volume, number, below: root) }
    if plan.firstProcess == .systemd { try prepareSystemd(root) }
    if plan.network == .own { try joinNetwork() }
    try HostName.set(plan.name)
    let error = clinux_ns_enter_root(root)
    guard error == 0 else { throw LabError.system("enter", root, error) }
    try Installer.install(plan.boot, below: "")
    return logs
  }

  // MARK: - Disk

  /// The image, or the machine's own root, with the host's disk on top of it.
  private func mountDisk() throws -> String {
    let root = paths.disk(plan.name) + "/root"
    try Files.makeDirectories(root)
    guard plan.image.isEmpty else {
      try overlay(plan.image, named: "main", on: root)
      return root
    }
    guard plan.skeleton.isEmpty else {
      try mountPieces(root)
      return root
    }
    for layer in ["/"] + plan.layers {
      let name = layer == "/" ? "main" : layer.dropFirst().replacing("/", with: ":")
      try overlay([layer], named: String(name), on: layer == "/" ? root : root + layer)
    }
    return root
  }

  /// Mounts directories, topmost first, with a part of the host's disk on top.
  func overlay(_ lower: [String], named name: String, on target: String) throws {
    let upper = "\(paths.disk(plan.name))/upper:\(name)"
    let work = "\(paths.disk(plan.name))/work:\(name)"
    try Files.makeDirectories(upper)
    try Files.makeDirectories(work)
    let layers = lower.map(Overlay.escape).joined(separator: ":")
    // Without root, the marks of what was removed are attributes that users may set.
    try Mounts.new(
      "overlay", on: target,
      "lowerdir=\(layers),upperdir=\(Overlay.escape(upper)),workdir=\(Overlay.escape(work))"
        + (Rootless.isActive ? ",userxattr" : ""))
  }

  private func installDisk(_ root: String) throws {
    let mark = paths.disk(plan.name) + "/installed"
    guard !Files.exists(mark) else { return }
    // The machine's own root directory stays with the machine.
    try Files.makeDirectories(paths.disk(plan.name) + "/home-of-root", mode: 0o700)
    try Mounts.bind(paths.disk(plan.name) + "/home-of-root", to: root + "/root")
    try Installer.install(plan.disk, below: root)
    guard umount2(root + "/root", 0) == 0 else { throw LabError.system("unmount", root + "/root") }
    try Files.write("", to: mark)
  }

  private func mountShared(_ root: String) throws {
    for directory in plan.shared {
      let target = Files.place(of: directory, below: root)
      try Files.makeDirectories(target)
      try Mounts.bind(paths.shared(directory), to: target)
    }
    try Files.makeDirectories(root + "/root")
    try Mounts.bind(paths.disk(plan.name) + "/home-of-root", to: root + "/root")
    // Shared, so that a host that joins later is known to those that run already.
    if !Files.exists(root + "/etc/hosts") { try Files.write("", to: root + "/etc/hosts") }
    try Mounts.bind(paths.hostsFile, to: root + "/etc/hosts")
  }

  private func mount(_ volume: Volume, _ number: Int, below root: String) throws {
    let target = Files.place(of: volume.target, below: root)
    try Mounts.makePlace(target, for: volume.source)
    guard volume.mode != .cow else {
      return try overlay([volume.source], named: "volume\(number)", on: target)
    }
    try Mounts.bind(volume.source, to: target, deep: true)
    if volume.mode == .ro { try Mounts.makeReadOnly(target) }
  }

  // MARK: - What the kernel provides

  private func mountKernel(_ root: String) throws {
    let flags = UInt(MS_NOSUID) | UInt(MS_NODEV)
    try Mounts.new("proc", on: root + "/proc", flags: flags | UInt(MS_NOEXEC))
    try Mounts.new("sysfs", on: root + "/sys", flags: flags | UInt(MS_NOEXEC) | UInt(MS_RDONLY))
    try Mounts.new("tmpfs", on: root + "/run", "mode=0755", flags: flags)
    try Mounts.new("tmpfs", on: root + "/tmp", "mode=1777", flags: flags)
    // A host may set its own network's parameters while it boots; afterwards these belong to the
    // machine, which must not be changed or restarted from here.
    if plan.network == .own {
      try? Files.set("1", in: root + "/proc/sys/net/ipv6/conf/all/disable_ipv6")
      try? Files.set("0 2147483647", in: root + "/proc/sys/net/ipv4/ping_group_range")
    }
    for path in ["/proc/sys", "/proc/sysrq-trigger"] where Files.exists(root + path) {
      try Mounts.bind(root + path, to: root + path)
      try Mounts.makeReadOnly(root + path)
    }
    // Those who make networks of containers go on setting the parameters of the host's own.
    guard plan.containers else { return }
    try Mounts.bind(root + "/proc/sys/net", to: root + "/proc/sys/net")
    try Mounts.makeWritable(root + "/proc/sys/net")
  }

  private func mountDevices(_ root: String) throws {
    let devices = root + "/dev"
    try Mounts.new("tmpfs", on: devices, "mode=0755", flags: UInt(MS_NOSUID))
    for name in ["null", "zero", "full", "random", "urandom", "tty"] {
      try Files.write("", to: devices + "/" + name)
      try Mounts.bind("/dev/" + name, to: devices + "/" + name)
    }
    try Files.makeDirectories(devices + "/pts")
    try Files.makeDirectories(devices + "/shm")
    try Mounts.new(
      "devpts", on: devices + "/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5",
      flags: UInt(MS_NOSUID) | UInt(MS_NOEXEC))
    try Mounts.new(
      "tmpfs", on: devices + "/shm", "mode=1777", flags: UInt(MS_NOSUID) | UInt(MS_NODEV))
    let links = [
      ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
      ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
    ]
    try Installer.install(links.map { .link("/" + $0.0, to: $0.1) }, below: devices)
  }

  /// Our own cgroup namespace makes the roots of these mounts the host's own groups.
  private func mountCgroups(_ root: String) throws {
    let base = root + "/sys/fs/cgroup"
    let flags = UInt(MS_NOSUID) | UInt(MS_NODEV) | UInt(MS_NOEXEC)
    let hasOld = hierarchies.contains { !$0.isUnified }
    if hasOld { try Mounts.new("tmpfs", on: base, "mode=0755", flags: flags) }
    for hierarchy in hierarchies {
      let target =
        hierarchy.isUnified
        ? (hasOld ? base + "/unified" : base)
        : base + "/" + hierarchy.name
      try Files.makeDirectories(target)
      if hierarchy.isUnified {
        try Mounts.new("cgroup2", on: target, flags: flags)
        Cgroups.enableControllers(in: target)
      } else {
        try Mounts.new("cgroup", on: target, hierarchy.options, flags: flags)
        for controller in hierarchy.controllers where controller != hierarchy.name {
          symlink(hierarchy.name, base + "/" + controller)
        }
      }
    }
  }

  // MARK: - Network

  /// The name of the switch's end of the link of a host, by its network namespace: its number is used
  /// by no other while it lives.
  static func plug(ofNetwork path: String) -> String? {
    var status = stat()
    return stat(path, &status) == 0 ? "v\(status.st_ino)" : nil
  }

  private func joinNetwork() throws {
    guard let peer = Self.plug(ofNetwork: "/proc/self/ns/net") else {
      throw LabError.system("examine", "/proc/self/ns/net")
    }
    let own = try Netlink()
    try own.makePair(
      named: "eth0", hardware: plan.address.hardware, peer: peer, network: Self.switchNetwork)
    try Netlink(network: Self.switchNetwork).plug(peer)
    close(Self.switchNetwork)
    let index = Int32(bitPattern: if_nametoindex("eth0"))
    guard index > 0 else { throw LabError.system("find", "eth0") }
    try own.switchOn(index: Netlink.loopbackIndex)
    try own.address(index: index, plan.address)
    try own.switchOn(index: index)
  }
}
