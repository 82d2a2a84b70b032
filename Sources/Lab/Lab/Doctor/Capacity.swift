// How many hosts fit on a machine, with the arithmetic: what a host needs, what there is, and what
// comes first.

/// What the machine has for hosts.
public struct Capacity: Equatable, Sendable {
  /// One of the things that hosts need.
  public struct Limit: Equatable, Sendable {
    public var what: String
    /// What a host needs of it, and what there is: bytes of memory, else a count.
    public var need: Int
    public var have: Int
    var isMemory = false

    /// How many hosts that is enough for.
    public var hosts: Int { max(0, have / max(1, need)) }
  }

  public var limits: [Limit]

  /// The most hosts of a lab on any machine, by their addresses and the ports of the switch.
  public static let hostLimit = HostAddress.limit

  /// What an idle host takes at most with its agent: its processes' own memory and the files it wrote,
  /// in bytes.
  static let memoryPerHost = 8_000_000
  /// Processes and threads of an idle host: first process, sshd, munged with its threads, agent, and
  /// room for a few commands.
  static let tasksPerHost = 24
  /// Files that the tool has open for each host while it starts.
  static let filesPerHost = 2
  /// Files that it has open anyway.
  private static let ownFiles = 64

  /// The most hosts that fit.
  public var hosts: Int { limits.map(\.hosts).min() ?? 0 }

  init(_ readings: Readings) {
    limits = [
      Limit(what: "addresses of a lab", need: 1, have: Self.hostLimit)
    ]
    if let memory = Self.memory(readings) {
      limits.append(
        Limit(what: "memory", need: Self.memoryPerHost, have: memory, isMemory: true))
    }
    if let tasks = Self.tasks(readings) {
      limits.append(Limit(what: "processes", need: Self.tasksPerHost, have: tasks))
    }
    if let files = readings.openFiles {
      limits.append(
        Limit(what: "open files", need: Self.filesPerHost, have: max(0, files - Self.ownFiles)))
    }
  }

  /// Refuses more hosts than this machine can hold, before anything is made.
  ///
  /// - Throws: ``LabError`` with the arithmetic
  public static func check(hosts: Int, _ readings: Readings = .live) throws {
    let capacity = Capacity(readings)
    guard hosts > capacity.hosts else { return }
    throw LabError(capacity.refusal(hosts))
  }

  /// Why so many hosts are too many for this machine.
  public static func refusal(hosts: Int) -> String { Capacity(.live).refusal(hosts) }

  func refusal(_ hosts: Int) -> String {
    let short = limits.filter { $0.hosts < hosts }
    let needs = short.map { "\(Self.amount(hosts, times: $0.need, $0.isMemory)) \($0.what)" }
    let haves = short.map { Self.amount(1, times: $0.have, $0.isMemory) }
    return "\(Self.grouped(hosts)) hosts need about \(needs.joined(separator: ", ")); this machine "
      + "has \(haves.joined(separator: ", ")): at most \(Self.grouped(self.hosts)) hosts"
  }

  private static func amount(_ hosts: Int, times need: Int, _ isMemory: Bool) -> String {
    let (product, isTooLarge) = hosts.multipliedReportingOverflow(by: need)
    guard !isTooLarge else { return "far too many" }
    return isMemory ? size(product) : grouped(product)
  }

  /// 10,000 is easier to read than 10000.
  static func grouped(_ number: Int) -> String {
    var text = ""
    for (place, digit) in String(number).reversed().enumerated() {
      if place > 0, place % 3 == 0, digit != "-" { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }

  static func size(_ bytes: Int) -> String {
    let tenths = bytes / 100_000
    return tenths < 10_000
      ? "\(tenths / 10).\(tenths % 10) MB" : "\(grouped(tenths / 10_000)).\(tenths / 1000 % 10) GB"
  }

  // MARK: - What there is

  /// Memory that can be had without swapping, in bytes.
  private static func memory(_ readings: Readings) -> Int? {
    guard let text = readings.text("/proc/meminfo") else { return nil }
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    guard let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      return nil
    }
    return min(kilobytes * 1024, ownLimit(readings, v1: "memory", "memory.max") ?? Int.max)
  }

  /// Processes that can still be made.
  private static func tasks(_ readings: Readings) -> Int? {
    let limits = [
      readings.number("/proc/sys/kernel/pid_max"), readings.number("/proc/sys/kernel/threads-max"),
      ownLimit(readings, v1: "pids", "pids.max"), readings.isRoot ? nil : readings.userProcesses,
    ].compactMap { $0 }
    guard let least = limits.min() else { return nil }
    // "0.12 0.34 0.56 2/345 6789": two of 345 run.
    let fields = readings.text("/proc/loadavg")?.split(separator: " ") ?? []
    let used = fields.count > 3 ? fields[3].split(separator: "/").last.flatMap { Int($0) } : nil
    return max(0, least - (used ?? 0))
  }

  /// The least limit of the cgroups that we are in, from our own upwards.
  private static func ownLimit(
    _ readings: Readings, v1 controller: Substring, _ file: String
  ) -> Int? {
    let own = Cgroups.ownGroups(readings.text("/proc/self/cgroup") ?? "")
    let mounts = MountEntry.parse(readings.text("/proc/self/mountinfo") ?? "")
    var least: Int?
    for mount in mounts where mount.type == "cgroup2" || mount.type == "cgroup" {
      let options = mount.options.split(separator: ",")
      guard mount.type == "cgroup2" || options.contains(controller) else { continue }
      let path = own.first { key, _ in
        mount.type == "cgroup2" ? key.isEmpty : key.split(separator: ",").contains(controller)
      }
      guard var group = path?.value else { continue }
      let name = mount.type == "cgroup" && file == "memory.max" ? "memory.limit_in_bytes" : file
      while !group.isEmpty {
        let directory = mount.point + (group == "/" ? "" : group)
        if let limit = readings.number(directory + "/" + name) {
          least = min(least ?? limit, limit)
        }
        guard group != "/", let slash = group.lastIndex(of: "/") else { break }
        group = slash == group.startIndex ? "/" : String(group[..<slash])
      }
    }
    return least
  }
}
