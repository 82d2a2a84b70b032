// Our service in a virtual machine: it waits for orders, makes a host of the machine that runs
// already, and says when its services answer. A template is kept while this waits.

import CLinux
import Compositions
import Glibc

/// What a machine is to become.
struct MachineOrders: Codable, Equatable {
  var plan: HostPlan
  /// Microseconds since 1970: a copy's clock stands still until now.
  var clock: Int64
  /// Copies of one machine would have the same random numbers.
  var seed: [UInt8]
  /// Seconds that the services may take.
  var patience: Int

  static let seedLength = 64
}

struct GuestService {
  /// What it writes when it waits for orders.
  static let greeting = "waiting"
  private static let share = "/run/liburna-lab/share"
  private static let mark = "/run/liburna-lab/disk/installed"
  /// The plan, for the commands that are run in the host.
  static let plan = "/run/liburna-lab/plan"
  /// How long the other end may leave us waiting for the rest of its orders, in seconds.
  private static let patience = 3600
  /// How long systemd may take with what was started before us, in seconds.
  private static let bootPatience = 300
  /// How often services are asked whether they answer, in microseconds, and systemd whether they have
  /// failed, in rounds of that.
  private static let pause: UInt32 = 20_000
  private static let roundsOfFailures = 100

  let channel: BootChannel

  /// What `liburna-host guest` does.
  static func run() -> Int32 {
    signal(SIGPIPE, SIG_IGN)
    do {
      let line = try openLine()
      let service = GuestService(channel: BootChannel(input: line, output: line))
      try warmUp()
      try ByteStream.write(greeting + "\n", to: line)
      let orders = try ByteStream.receive(
        MachineOrders.self, from: line, before: Deadline(seconds: patience))
      guard let orders else { throw LabError("nobody told this machine what to become") }
      return service.follow(orders)
    } catch {
      return tell("\(error)")
    }
  }

  /// The port of the line: it is found by its name, without anybody who makes links in /dev.
  private static func openLine() throws -> Int32 {
    let ports = "/sys/class/virtio-ports"
    let found = Files.list(ports).first {
      Files.value("\(ports)/\($0)/name") == MachineFiles.lineName
    }
    guard let found else { throw LabError("this machine has no line to a lab") }
    let line = open("/dev/" + found, O_RDWR | O_CLOEXEC)
    guard line >= 0 else { throw LabError.system("open", "/dev/" + found) }
    return line
  }

  private func follow(_ orders: MachineOrders) -> Int32 {
    do {
      try become(orders)
      guard try awaitServices(orders) else { return 1 }
      channel.send(.ready)
      return channel.waitUntilRemembered() ? 0 : 1
    } catch {
      channel.send(.failed("\(error)"))
      return Self.tell("\(error)")
    }
  }

  // MARK: - Becoming a host

  /// The story of it.
  private func become(_ orders: MachineOrders) throws {
    let plan = orders.plan
    try setClock(orders)
    try HostName.set(plan.name)
    try joinNetwork(plan)
    try mountShare(plan)
    if !Files.exists(Self.mark) {
      try Installer.install(plan.disk, below: "")
      try Files.write("", to: Self.mark)
    }
    try Installer.install(plan.boot, below: "")
    try Kept.write(plan, to: Self.plan)
    try Preparation.run(plan, confined: false)
    try startServices(plan)
  }

  private func setClock(_ orders: MachineOrders) throws {
    var time = timespec()
    time.tv_sec = Int(orders.clock / 1_000_000)
    time.tv_nsec = Int(orders.clock % 1_000_000) * 1000
    guard clock_settime(CLOCK_REALTIME, &time) == 0 else {
      throw LabError.system("set", "the clock")
    }
    let error = clinux_vm_reseed(orders.seed, orders.seed.count)
    guard error == 0 else { throw LabError.system("renew", "the random numbers", error) }
  }

  private func joinNetwork(_ plan: HostPlan) throws {
    let index = Int32(bitPattern: if_nametoindex("eth0"))
    guard index > 0 else { throw LabError.system("find", "eth0") }
    let network = try Netlink()
    try network.switchOn(index: Netlink.loopbackIndex)
    try network.hardware(index: index, plan.address.hardware)
    try network.address(index: index, plan.address)
    try network.switchOn(index: index)
  }

  // MARK: - What is shared with the machine outside

  private func mountShare(_ plan: HostPlan) throws {
    try Files.makeDirectories(Self.share, mode: 0o700)
    let options = "trans=virtio,version=9p2000.L,msize=512000,cache=none,access=client"
    guard mount(MachineFiles.exportName, Self.share, "9p", 0, options) == 0 else {
      throw LabError.system("mount", "what the lab shares")
    }
    if !Files.exists("/etc/hosts") { try Files.write("", to: "/etc/hosts") }
    try Mounts.bind(Self.share + "/" + MachineExport.hosts, to: "/etc/hosts")
    for (number, directory) in plan.shared.enumerated() {
      try Files.makeDirectories(directory)
      try Mounts.bind(Self.share + "/" + MachineExport.shared(number), to: directory)
    }
    for (number, volume) in plan.volumes.enumerated() { try show(volume, number) }
  }

  private func show(_ volume: Volume, _ number: Int) throws {
    let source = Self.share + "/" + MachineExport.volume(number)
    try Mounts.makePlace(volume.target, for: source)
    guard volume.mode == .cow else { return try Mounts.bind(source, to: volume.target) }
    let own = "\(GuestInit.disk)/volume\(number)"
    for part in ["/upper", "/work"] { try Files.makeDirectories(own + part) }
    try Mounts.new(
      "overlay", on: volume.target,
      "lowerdir=\(source),upperdir=\(own)/upper,workdir=\(own)/work")
  }

  // MARK: - Services

  private var logs: String { Self.share + "/" + MachineExport.logs }

  private func startServices(_ plan: HostPlan) throws {
    let items = SystemdUnits.items(plan, masksDevices: false, logs: logs)
    // Its target is up already. systemd finds units that it has never seen without being told, and
    // telling it to read all anew would be half of a start.
    try Installer.install(items.filter { !$0.path.hasSuffix("/default.target") }, below: "")
    // What else there is, such as directories that a boot makes, was done here already.
    try Self.systemctl(
      ["start", "--no-block"] + plan.services.map { SystemdUnits.name($0.name) })
  }

  /// Does once what every host will do, so that its copies find all of it in memory.
  private static func warmUp() throws {
    // A copy of a machine that is still booting would do the rest of it each time.
    _ = try ToolRun.run(
      ["systemctl", "is-system-running", "--wait"], deadline: Deadline(seconds: bootPatience))
    for words in [[BaseSystem.sshd, "-t"], [BaseSystem.munged, "--help"], [GuestInit.program]] {
      _ = try? ToolRun.run(words, deadline: Deadline(seconds: bootPatience))
    }
  }

  private static func systemctl(_ words: [String]) throws {
    let answer = try ToolRun.run(
      ["systemctl"] + words, deadline: Deadline(seconds: patience))
    guard answer.code == 0 else {
      throw LabError("systemctl \(words[0]): \(answer.complaint)")
    }
  }

  /// Waits for what only this host itself can ask. False if a service has failed, which was said.
  private func awaitServices(_ orders: MachineOrders) throws -> Bool {
    let deadline = Deadline(seconds: orders.patience)
    var round = 0
    while let waiting = orders.plan.services.first(where: { !isReady($0.readiness) }) {
      guard !deadline.isOver else { throw LabError("\(waiting.name) did not answer in time") }
      round += 1
      if round % Self.roundsOfFailures == 0, let (failed, code) = try failure(orders.plan) {
        channel.send(.ended(failed, code))
        return false
      }
      usleep(Self.pause)
    }
    return true
  }

  private func isReady(_ readiness: Readiness) -> Bool {
    switch readiness {
    case .none, .port: true
    case .file(let path): Files.exists(path)
    case .socket(let path): Probe.accepts(socket: path)
    }
  }

  /// A service that has ended and stays so, with its exit code.
  private func failure(_ plan: HostPlan) throws -> (String, Int32)? {
    for service in plan.services where !service.isKept {
      let answer = try ToolRun.run(
        [
          "systemctl", "show", "--value", "--property=ActiveState,ExecMainStatus",
          SystemdUnits.name(service.name),
        ], deadline: Deadline(seconds: Self.patience))
      let lines = answer.output.split(separator: "\n")
      if lines.contains("failed") || lines.contains("inactive") {
        return (service.name, lines.compactMap { Int32($0) }.first ?? 1)
      }
    }
    return nil
  }

  private static func tell(_ text: String) -> Int32 {
    StandardError.say("liburna-host: \(text)")
  }
}
