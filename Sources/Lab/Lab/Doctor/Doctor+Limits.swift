// Checks of cgroups and of the limits that hosts meet: processes, memory, inotify, disk.

extension Doctor {
  /// The controllers that jobs are confined with.
  static let wantedControllers = ["cpuset", "cpu", "memory", "pids"]

  /// Controllers by the version that has them. On v2 what our own group may hand on counts; systemd
  /// hands a scope whatever the root has.
  private static func available(_ readings: Readings) -> (v1: Set<String>, v2: Set<String>) {
    let mounts = MountEntry.parse(readings.text("/proc/self/mountinfo") ?? "")
    var first: Set<String> = []
    var second: Set<String> = []
    for mount in mounts {
      if mount.type == "cgroup" {
        first.formUnion(mount.options.split(separator: ",").map(String.init))
      }
      guard mount.type == "cgroup2" else { continue }
      let text = readings.text(mount.point + "/cgroup.controllers") ?? ""
      second.formUnion(text.split(separator: " ").map(String.init))
    }
    return (first, second)
  }

  static func controllers(_ readings: Readings) -> Finding {
    let (first, second) = available(readings)
    let versions = [
      (name: "v1", has: first.intersection(wantedControllers + ["freezer"])),
      (name: "v2", has: second.intersection(wantedControllers)),
    ]
    let fact = versions.filter { !$0.has.isEmpty }
      .map { "\($0.name): \($0.has.sorted().joined(separator: ", "))" }.joined(separator: "; ")
    let missing = wantedControllers.filter { !first.contains($0) && !second.contains($0) }
    guard !fact.isEmpty else {
      return Finding(
        "cgroups", .missing, "no controller is mounted",
        remedy: "mount -t cgroup2 none /sys/fs/cgroup")
    }
    guard missing.isEmpty else {
      return Finding(
        "cgroups", .limited, "\(fact); without \(missing.joined(separator: ", "))",
        remedy: "jobs are confined by what is there; the kernel's command line may turn more on")
    }
    return Finding("cgroups", .fine, fact)
  }

  /// What an ordinary user may do with cgroups; nil for root, who may do everything.
  static func delegation(_ readings: Readings) -> Finding? {
    guard !readings.isRoot else { return nil }
    let subject = "cgroup delegation"
    let (first, _) = available(readings)
    guard first.isDisjoint(with: wantedControllers) else {
      return Finding(
        subject, .missing, "cgroups v1 are root's", remedy: "use sudo, or boot with cgroups v2 only"
      )
    }
    let service =
      "/sys/fs/cgroup/user.slice/user-\(readings.user).slice/user@\(readings.user).service"
    let handed = (readings.text(service + "/cgroup.controllers") ?? "").split(separator: " ")
    let missing = wantedControllers.filter { name in !handed.contains { $0 == name } }
    guard missing.isEmpty else {
      return Finding(
        subject, handed.isEmpty ? .missing : .limited,
        "systemd hands \(readings.userName) \(handed.isEmpty ? "none" : handed.joined(separator: ", "))",
        remedy: "a drop-in for user@.service with Delegate=cpu cpuset io memory pids")
    }
    return Finding(subject, .fine, handed.joined(separator: ", "))
  }

  /// As many hosts with systemd as a lab usually has.
  private static let usualHosts = 20

  static func inotify(_ readings: Readings) -> Finding {
    guard let instances = readings.number("/proc/sys/fs/inotify/max_user_instances") else {
      return Finding("inotify", .fine, "no limit is known")
    }
    let hosts = instances / SystemdNeeds.instances
    let fact = "\(instances) instances: \(hosts) hosts with systemd, any number without"
    guard hosts < usualHosts else { return Finding("inotify", .fine, fact) }
    return Finding(
      "inotify", .limited, fact, remedy: "sysctl -w fs.inotify.max_user_instances=1024")
  }

  /// A laptop of today holds more.
  private static let fewHosts = 12

  static func hosts(_ capacity: Capacity) -> Finding {
    let sums = capacity.limits.map { limit in
      let have = limit.isMemory ? Capacity.size(limit.have) : Capacity.grouped(limit.have)
      let need = limit.isMemory ? Capacity.size(limit.need) : "\(limit.need)"
      return limit.need == 1
        ? "\(have) \(limit.what)" : "\(have) \(limit.what) at \(need) a host"
    }
    let hosts = capacity.hosts
    let scarce = capacity.limits.min { $0.hosts < $1.hosts }?.what ?? ""
    let fact = "\(Capacity.grouped(hosts)) fit, by \(scarce) (\(sums.joined(separator: ", ")))"
    guard hosts < fewHosts else { return Finding("hosts", .fine, fact) }
    return Finding("hosts", hosts < 3 ? .missing : .limited, fact, remedy: "more \(scarce)")
  }

  /// Where images are kept, unless something else is said.
  private static var cacheDirectory: String { ImageStore.standardDirectory }
  /// Enough for a few images with packages, in bytes.
  private static let wantedSpace = 4_000_000_000

  static func cacheSpace(_ readings: Readings) -> Finding {
    guard let free = readings.freeSpace(cacheDirectory) else {
      return Finding("disk", .limited, "\(cacheDirectory) can't be looked at")
    }
    let fact = "\(Capacity.size(free)) free for images in \(cacheDirectory)"
    guard free < wantedSpace else { return Finding("disk", .fine, fact) }
    return Finding(
      "disk", .limited, fact, remedy: "\(Capacity.size(wantedSpace)) hold a few images")
  }
}
