// The backends of container engines: a host is a container of podman or Docker, whose first process is
// ours. The engine makes and ends hosts; all else goes over a socket to that first process.

import Compositions
import Glibc

struct ContainersBackend: Backend {
  let lab: Lab
  /// Podman or Docker.
  let kind: BackendKind

  /// The repository of images that are brought into the engine.
  static let repository = "localhost/liburna-lab"
  /// How many containers are made or ended at once.
  private static let width = 8
  /// Second bytes of addresses that are tried for a lab's network.
  private static let networks: ClosedRange<UInt8> = 77...127
  /// How often a container is looked for that takes its time to listen, in microseconds.
  private static let pause: UInt32 = 2000

  func check(_ settings: LabSettings) throws {
    if settings.composition.root == .host {
      throw LabError(
        "\(kind.rawValue) can't make hosts of this machine's own files (root: host); write "
          + "root: debian:bookworm or root: image:NAME in the composition, or use --backend namespaces"
      )
    }
    _ = try ContainerEngine.find(kind)
  }

  // MARK: - What hosts share

  func prepareRoot(of role: Role, _ startup: Startup) throws -> PreparedRoot {
    let engine = try ContainerEngine.find(kind)
    let images = ContainerImages(engine: engine, group: lab.group)
    if case .image(let name) = startup.composition.root {
      return try images.pulled(name, role, startup)
    }
    let image = try startup.image(of: role)
    let tag = try images.imported(image, startup)
    return PreparedRoot(directories: [tag], accounts: try Accounts(layers: image.directories))
  }

  func takeSubnet(_ startup: Startup) throws -> UInt8 {
    let engine = try ContainerEngine.find(kind)
    let taken = try engine.subnets() + HostNetworks.own()
    var last = LabError("all of 10.\(Self.networks.lowerBound).0.0/16 and those above are taken")
    for network in Self.networks where !taken.contains(where: { $0.hasPrefix("10.\(network).") }) {
      let gateway = HostAddress(index: HostAddress.ofSwitch.index, subnet: network)
      do {
        try engine.createNetwork(
          lab.group, subnet: "10.\(network).0.0/16", gateway: gateway.description)
        return network
      } catch let error as LabError {
        // Somebody else may have taken it, where we can't see it.
        last = error
        try engine.removeNetworks(of: lab.group)
      }
    }
    throw LabError("no network for the lab: \(last.message)")
  }

  func open(_ startup: Startup) throws {
    let plan = try Kept.read(HostPlan.self, from: lab.paths.plan(LabPaths.holder))
    for directory in plan.shared { try Files.makeDirectories(lab.paths.shared(directory)) }
    try Installer.install(plan.disk, below: lab.paths.shared("/home"))
    let program = try HostProgram.find(besides: startup.program)
    try Installer.install([.link(lab.paths.hostProgram, to: program)], below: "")
  }

  // MARK: - Starting hosts

  func makeReady(_ plans: [HostPlan], _ startup: Startup) throws {
    guard !plans.isEmpty else { return }
    let engine = try ContainerEngine.find(kind)
    let found = try engine.containers(of: lab.group)
    let specs = try plans.map(spec)
    try Parallel.each(specs, width: Self.width) { spec in
      do {
        try start(spec, found, engine)
      } catch let error as LabError {
        throw error.at(spec.plan.name)
      }
    }
  }

  private func spec(_ plan: HostPlan) throws -> ContainerSpec {
    guard let program = Files.resolve(lab.paths.hostProgram) else {
      throw LabError("\(lab.paths.hostProgram) leads nowhere; build \(HostProgram.name) again")
    }
    return ContainerSpec(
      plan: plan, paths: lab.paths, group: lab.group, kind: kind, program: program)
  }

  private func start(
    _ spec: ContainerSpec, _ found: [ContainerEngine.Container], _ engine: ContainerEngine
  ) throws {
    let paths = lab.paths
    let name = ContainerSpec.name(lab.group, spec.plan.name)
    try Files.makeDirectories(paths.line(spec.plan.name), mode: 0o700)
    unlink(paths.line(spec.plan.name) + "/" + GuestPaths.lineName)
    for (number, volume) in spec.plan.volumes.enumerated() where volume.mode == .cow {
      try Files.makeDirectories(ContainerSpec.ownPart(paths, spec.plan, number))
    }
    if let old = found.first(where: { $0.name == name }) {
      // One that was killed keeps its disk; one that is made otherwise now does not fit.
      if old.spec == spec.digest { return try engine.start(old.id) }
      try engine.remove(old.id)
    }
    try engine.start(try engine.create(name, spec.value))
  }

  func launch(_ plan: HostPlan, _ startup: Startup) throws -> LaunchedHost {
    let name = ContainerSpec.name(lab.group, plan.name)
    var looked = Deadline(seconds: 1)
    while !startup.deadline.isOver {
      if let connection = HostConnection(lab.paths, host: plan.name) {
        let channel = connection.channel
        try channel.ask(.boot(spec(plan).orders))
        return LaunchedHost(id: name, channel: channel)
      }
      if looked.isOver {
        let (runs, text) = try ContainerEngine.find(kind).condition(of: name)
        guard runs else { throw died(plan.name, text) }
        looked = Deadline(seconds: 1)
      }
      usleep(Self.pause)
    }
    throw died(plan.name, "its first process does not listen")
  }

  private func died(_ host: String, _ text: String) -> LabError {
    LabError(
      "its container did not come up (\(text))", host: host,
      logTail: Files.tail(lab.paths.log(host, LabPaths.bootLog), lines: Startup.logLines))
  }

  // MARK: - Hosts that run

  func isAlive(_ host: LabState.Host, in state: LabState) -> Bool {
    guard let connection = HostConnection(lab.paths, host: host.name) else {
      // Nobody takes connections in a host that stands still, so that they may have become too many.
      return errno == EAGAIN
    }
    connection.close()
    return true
  }

  func answers(_ readiness: Readiness, of plan: HostPlan, in state: LabState) -> Bool {
    guard let connection = HostConnection(lab.paths, host: plan.name) else { return false }
    defer { connection.close() }
    return (try? connection.probe([readiness])) == [true]
  }

  private func connection(to host: String) throws -> HostConnection {
    guard let connection = HostConnection(lab.paths, host: host) else {
      throw LabError("it is down", host: host)
    }
    return connection
  }

  func start(
    _ command: HostCommand, on host: String, in state: LabState, descriptors: [Int32]
  ) throws -> Child {
    try start(command, on: host, descriptors, controlsTerminal: false)
  }

  private func start(
    _ command: HostCommand, on host: String, _ descriptors: [Int32], controlsTerminal: Bool
  ) throws -> Child {
    let connection = try connection(to: host)
    defer { connection.close() }
    do {
      return try connection.start(
        command, controlsTerminal: controlsTerminal, descriptors: descriptors,
        follower: lab.paths.hostProgram)
    } catch let error as LabError {
      throw error.at(host)
    }
  }

  func runOnTerminal(_ command: HostCommand, on host: String, in state: LabState) throws -> Int32 {
    let connection = try connection(to: host)
    defer { connection.close() }
    return try connection.terminal().run {
      try start(command, on: host, $0, controlsTerminal: true)
    }
  }

  // MARK: - Trying faults

  func pause(_ host: String, _ isPaused: Bool, in state: LabState) throws {
    try ContainerEngine.find(kind).pause(ContainerSpec.name(lab.group, host), isPaused)
  }

  func link(_ host: String, _ link: LinkState, in state: LabState) throws {
    guard let found = state.host(host) else { throw lab.unknown(host, in: state) }
    if case .slow = link {
      throw LabError(
        "\(kind.rawValue) can't make a link slow; use --backend namespaces", host: host)
    }
    // Asked for what is there already, engines complain.
    guard link != found.link else { return }
    let engine = try ContainerEngine.find(kind)
    let container = ContainerSpec.name(lab.group, host)
    if link == .cut { return try engine.disconnect(container, from: lab.group) }
    let address = HostAddress(index: found.index, subnet: state.subnet)
    try engine.connect(container, to: lab.group, at: address)
  }

  func save(_ snapshot: String, of state: LabState) throws {
    throw LabError("\(kind.rawValue) keeps no snapshots of a lab; use --backend namespaces")
  }

  func restore(_ snapshot: String, of state: LabState) throws {
    throw LabError("\(kind.rawValue) keeps no snapshots of a lab; use --backend namespaces")
  }

  // MARK: - Ending

  func end(_ host: String, in state: LabState) throws {
    try ContainerEngine.find(kind).kill(ContainerSpec.name(lab.group, host))
    unlink(lab.paths.line(host) + "/" + GuestPaths.lineName)
  }

  func discard(_ host: String, in state: LabState) throws {
    try ContainerEngine.find(kind).remove(ContainerSpec.name(lab.group, host))
  }

  func end(_ state: LabState) throws {
    let engine = try ContainerEngine.find(kind)
    let found = try engine.containers(of: lab.group)
    try Parallel.each(found, width: Self.width) { try engine.remove($0.id) }
    try engine.removeNetworks(of: lab.group)
  }
}

/// The networks that this machine itself is in.
enum HostNetworks {
  /// The IPv4 addresses of its interfaces.
  static func own() -> [String] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { return [] }
    defer { freeifaddrs(first) }
    var addresses: [String] = []
    var next = first
    while let entry = next {
      next = entry.pointee.ifa_next
      guard let address = entry.pointee.ifa_addr, address.pointee.sa_family == AF_INET else {
        continue
      }
      let bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
        withUnsafeBytes(of: pointer.pointee.sin_addr.s_addr) { Array($0) }
      }
      addresses.append(bytes.map(String.init).joined(separator: "."))
    }
    return addresses
  }
}
