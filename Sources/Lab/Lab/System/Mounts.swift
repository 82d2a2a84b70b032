// mount(2) with errors that name what was to be mounted where.

import Glibc

enum Mounts {
  /// Mounts a new file system of a kind.
  static func new(
    _ type: String, on target: String, _ options: String = "", flags: UInt = 0
  ) throws {
    guard mount(type, target, type, flags, options) == 0 else {
      throw LabError.system("mount \(type) (\(options)) on", target)
    }
  }

  /// Shows a file or directory at another place as well; with `deep`, its mounts too.
  static func bind(_ source: String, to target: String, deep: Bool = false) throws {
    let flags = UInt(MS_BIND) | (deep ? UInt(MS_REC) : 0)
    guard mount(source, target, nil, flags, nil) == 0 else {
      throw LabError.system("bind \(source) to", target)
    }
  }

  /// Makes what a bind of a file or a directory needs to be mounted on, unless there is something.
  static func makePlace(_ target: String, for source: String) throws {
    if Files.exists(source) && !Files.isDirectory(source) {
      if !Files.exists(target) { try Installer.install([.file(target, "")], below: "") }
    } else {
      try Files.makeDirectories(target)
    }
  }

  static func makeReadOnly(_ target: String) throws {
    // What the mount forbids already must be said again; without root it can't be allowed.
    var found = statvfs()
    let kept = [MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_NODIRATIME, MS_RELATIME]
      .reduce(UInt(0)) { $0 | UInt($1) }
    let old = statvfs(target, &found) == 0 ? found.f_flag & kept : 0
    let flags = UInt(MS_BIND) | UInt(MS_REMOUNT) | UInt(MS_RDONLY) | old
    guard mount(nil, target, nil, flags, nil) == 0 else {
      throw LabError.system("make read-only", target)
    }
  }

  static func makeWritable(_ target: String) throws {
    guard mount(nil, target, nil, UInt(MS_BIND) | UInt(MS_REMOUNT), nil) == 0 else {
      throw LabError.system("make writable", target)
    }
  }

  /// Cuts the ties of all mounts with those of the machine.
  static func makeAllPrivate() throws {
    guard mount(nil, "/", nil, UInt(MS_REC) | UInt(MS_PRIVATE), nil) == 0 else {
      throw LabError.system("make private", "the mounts")
    }
  }

  /// The disk file systems of the machine, beside /, that belong to its software: overlays of / do
  /// not show them, so hosts need a layer for each. Outermost first.
  static func layers(_ mounts: [MountEntry]) -> [String] {
    let places = ["/usr", "/var", "/opt", "/etc", "/srv"]
    let points = mounts.filter { mount in
      diskTypes.contains(mount.type) && mount.point.split(separator: "/").count <= 2
        && places.contains { mount.point == $0 || mount.point.hasPrefix($0 + "/") }
        && Files.isDirectory(mount.point)
    }
    return Set(points.map(\.point)).sorted()
  }

  private static let diskTypes: Set<String> = [
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "overlay", "erofs", "squashfs",
  ]
}
