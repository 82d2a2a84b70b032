// The very first process of a virtual machine: it makes the root file system out of the image, the
// kernel's modules and the host's own disk, and becomes systemd. `liburna-host` as /init.

import CLinux
import Glibc

enum GuestInit {
  /// How long a disk may take to appear, in seconds.
  private static let patience = 60
  /// Devices in the order in which QEMU is told of them.
  private static let (imageDevice, modulesDevice, diskDevice) = ("/dev/vda", "/dev/vdb", "/dev/vdc")
  private static let root = "/new"
  /// The host's own disk as the host sees it, beside what lies over the image.
  static let disk = "/run/liburna-lab/disk"
  static let program = "/run/liburna-lab/liburna-host"
  private static let service = "liburna-lab.service"

  /// Does not return unless something is wrong.
  static func run() -> Int32 {
    do {
      try mountKernel()
      try loadModules()
      try mountRoot()
      try bringService()
      try enter()
      return fail("cannot run \(SystemdUnits.program)", SystemdUnits.run())
    } catch {
      return fail("\(error)")
    }
  }

  private static func mountKernel() throws {
    // /proc is there: nothing written in Swift starts without it.
    for directory in ["/sys", "/dev"] { try Files.makeDirectories(directory) }
    try Mounts.new("devtmpfs", on: "/dev")
    try Mounts.new("sysfs", on: "/sys")
  }

  private static func loadModules() throws {
    for name in Files.list(InitialDisk.modules) {
      let path = InitialDisk.modules + "/" + name
      let file = open(path, O_RDONLY | O_CLOEXEC)
      guard file >= 0 else { throw LabError.system("open", path) }
      defer { close(file) }
      let error = clinux_vm_load_module(file, !name.hasSuffix(".ko"))
      guard error == 0 else { throw LabError.system("load the module", name, error) }
    }
  }

  private static func mountRoot() throws {
    let deadline = Deadline(seconds: patience)
    for device in [imageDevice, modulesDevice, diskDevice] {
      while !Files.exists(device) {
        guard !deadline.isOver else { throw LabError("there is no \(device)") }
        usleep(2000)
      }
    }
    for place in ["/image", "/modules-of-all", "/disk", root] { try Files.makeDirectories(place) }
    try mount(imageDevice, "squashfs", "/image", readOnly: true)
    try mount(modulesDevice, "squashfs", "/modules-of-all", readOnly: true)
    try mount(diskDevice, "ext4", "/disk", readOnly: false)
    for directory in ["/disk/upper", "/disk/work", "/disk/more"] {
      try Files.makeDirectories(directory)
    }
    try Mounts.new(
      "overlay", on: root, "lowerdir=/modules-of-all:/image,upperdir=/disk/upper,workdir=/disk/work"
    )
  }

  private static func mount(
    _ device: String, _ type: String, _ target: String, readOnly: Bool
  ) throws {
    let flags = readOnly ? UInt(MS_RDONLY) : UInt(MS_NOATIME)
    guard Glibc.mount(device, target, type, flags, nil) == 0 else {
      throw LabError.system("mount \(device) on", target)
    }
  }

  // MARK: - What systemd finds

  /// Our part of the host is a service, in a file system that every boot makes anew.
  private static func bringService() throws {
    try Files.makeDirectories(root + "/run")
    try Mounts.new(
      "tmpfs", on: root + "/run", "mode=0755", flags: UInt(MS_NOSUID) | UInt(MS_NODEV))
    try Files.makeDirectories(root + disk)
    try Mounts.bind("/disk/more", to: root + disk)
    try Files.write(try Files.read("/init", limit: 128 << 20), to: root + program, mode: 0o755)
    let units = root + "/run/systemd/system/"
    try Files.makeDirectories(units)
    try Files.write(unit, to: units + service)
    try Installer.install(
      [.link("/multi-user.target.wants/" + service, to: "../" + service)]
        + masked.map { .link("/" + $0, to: "/dev/null") }, below: units)
    // systemd runs them all whenever it reads its units, which is half of a start.
    let generators = root + "/run/systemd/system-generators/"
    try Installer.install(
      Self.generators.map { .link("/systemd-\($0)-generator", to: "/dev/null") }, below: generators)
    // An empty one means that the system is to be set up for the first time, which takes its time.
    let identity = root + "/etc/machine-id"
    if (Files.value(identity) ?? "").count != 32 {
      try Installer.install([.file("/etc/machine-id", machineID + "\n")], below: root)
    }
    // The services of a host that boots again are started when all is there that they need.
    let wanted = root + "/etc/systemd/system/\(SystemdUnits.target).wants/"
    for name in Files.list(wanted) where name.hasPrefix("lab-") { unlink(wanted + name) }
  }

  /// Every host has the same: it is of no use in a lab, and the journal of a copy must find itself.
  private static let machineID = "11bdba000000400080000000006c6162"

  private static let unit = """
    [Unit]
    Description=Becomes a host of the lab
    After=basic.target
    [Service]
    Type=simple
    ExecStart=\(program) guest
    StandardOutput=tty
    StandardError=tty
    TTYPath=/dev/ttyS0
    OOMScoreAdjust=-900
    KillMode=process
    [Install]
    WantedBy=\(SystemdUnits.target)

    """

  /// What a host of a lab does not need, and what would do things of its own accord.
  private static let masked =
    SystemdUnits.replaced + [
      "getty.target", "getty@.service", "serial-getty@.service", "console-getty.service",
      "systemd-timesyncd.service", "systemd-networkd.service", "systemd-networkd.socket",
      "systemd-networkd-wait-online.service", "systemd-resolved.service", "networking.service",
      "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
      "e2scrub_reap.service", "fstrim.timer", "man-db.timer", "logrotate.timer",
      "systemd-tmpfiles-clean.timer", "systemd-pcrphase.service",
      "systemd-pcrphase-sysinit.service",
      "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service",
      "systemd-random-seed.service", "systemd-remount-fs.service", "dev-hugepages.mount",
      "systemd-boot-random-seed.service", "systemd-machine-id-commit.service",
    ]

  /// What makes units of kernel parameters, disks and consoles that a host of a lab has not.
  private static let generators = [
    "cryptsetup", "debug", "fstab", "getty", "gpt-auto", "hibernate-resume", "integritysetup",
    "rc-local", "run", "system-update", "sysv", "veritysetup", "bless-boot", "ssh",
  ]

  // MARK: - Over to it

  private static func enter() throws {
    for directory in ["/dev", "/proc", "/sys"] {
      try Files.makeDirectories(root + directory)
      try move(directory, to: root + directory)
    }
    guard chdir(root) == 0 else { throw LabError.system("enter", root) }
    // The memory of the first file system is free for others.
    unlink("/init")
    for name in Files.list(InitialDisk.modules) { unlink(InitialDisk.modules + "/" + name) }
    try move(".", to: "/")
    guard chroot(".") == 0, chdir("/") == 0 else { throw LabError.system("enter", root) }
  }

  private static func move(_ source: String, to target: String) throws {
    guard Glibc.mount(source, target, nil, UInt(MS_MOVE), nil) == 0 else {
      throw LabError.system("move \(source) to", target)
    }
  }

  private static func fail(_ text: String, _ error: Int32 = 0) -> Int32 {
    let reason = error == 0 ? "" : ": " + String(cString: strerror(error))
    return StandardError.say("liburna-host: \(text)\(reason)")
  }
}
