// Starting a lab: from whatever is there to what is wanted, one step after another, before a deadline. What
// runs is ended first, or kept: then dead hosts come back, and hosts are added or removed.

import Compositions
import Glibc

/// A step that was reached, for whoever watches.
public struct LabProgress: Sendable {
  /// The host, or nil for the lab as a whole.
  public var host: String?
  public var step: String
  /// Whether it is not reached yet, and has been waited for some time.
  public var isWaiting = false
  /// The last line of the log that may explain the wait.
  public var reason: String?
  /// Milliseconds since the start began.
  public var milliseconds: Int
}

extension Lab {
  /// What becomes of a lab that runs already.
  public enum Beginning: Sendable {
    /// It is ended first: the same start gives the same lab.
    case anew
    /// What runs stays: dead hosts come back, hosts are added or removed.
    case keeping
  }

  /// Brings the lab up as composed, and returns when every service answers.
  ///
  /// - Parameters:
  ///   - program: an executable whose `lab` sub-command calls `Lab.runHidden`.
  ///   - timeout: the most seconds that the start may take once images are ready.
  public func start(
    _ settings: LabSettings, _ beginning: Beginning = .keeping, program: String, timeout: Int = 60,
    progress: @escaping (LabProgress) -> Void = { _ in }
  ) throws {
    let backend = try settings.backend.backend(for: self)
    try start(
      settings, beginning, backend: backend, program: program, timeout: timeout, progress: progress)
  }

  /// The same, on a given backend.
  func start(
    _ settings: LabSettings, _ beginning: Beginning, backend: any Backend, program: String,
    timeout: Int, progress: @escaping (LabProgress) -> Void = { _ in }
  ) throws {
    let hosts = settings.composition.hosts.count
    guard (1...HostAddress.limit).contains(hosts) else {
      throw LabError("a lab has 1 to \(HostAddress.limit) hosts, not \(hosts)")
    }
    if settings.composition.software == .liburna {
      if let problem = settings.programs.flatMap(Product.problem) { throw problem }
    }
    try backend.check(settings)
    let lock = try LabLock(making: paths.directory)
    defer { lock.release() }
    do {
      try Rootless.checkPlace(place)
      try start(
        settings, beginning, backend: backend, lock: lock, program: program, timeout: timeout,
        progress: progress)
    } catch {
      // Of a start that was refused before it made anything, nothing stays.
      if rmdir(paths.directory) == 0 { rmdir(place) }
      throw error
    }
  }

  /// The same, with the lab's lock held.
  func start(
    _ settings: LabSettings, _ beginning: Beginning, backend: any Backend, lock: LabLock,
    program: String, timeout: Int, progress: @escaping (LabProgress) -> Void
  ) throws {
    let executable = open(program, O_RDONLY | O_CLOEXEC)
    guard executable >= 0 else { throw LabError.system("open", program) }
    defer { close(executable) }
    let startup = Startup(
      lab: self, settings: settings, backend: backend, program: program, executable: executable,
      timeout: timeout, progress: progress)
    try startup.run(beginning)
  }
}

/// One start under way. The lab's lock is held.
final class Startup {
  let lab: Lab
  let settings: LabSettings
  let backend: any Backend
  /// The program that becomes processes of the lab: its path, and open.
  let program: String
  let executable: Int32
  private(set) var deadline: Deadline
  let timeout: Int
  private let progress: (LabProgress) -> Void
  private let began = Deadline.now
  /// When something was said last.
  private(set) var lastNews = Deadline.now
  private var roots: [String: PreparedRoot] = [:]
  /// The images that are ready, by their packages: most roles have the same.
  private var images: [Set<String>: Image] = [:]
  /// What was built for the hosts to see.
  private var built: [Volume] = []
  var state: LabState
  var starting: [StartingHost] = []

  /// How many lines of a log explain a failure.
  static let logLines = 8

  init(
    lab: Lab, settings: LabSettings, backend: any Backend, program: String, executable: Int32,
    timeout: Int, progress: @escaping (LabProgress) -> Void
  ) {
    self.lab = lab
    self.settings = settings
    self.backend = backend
    self.program = program
    self.executable = executable
    self.timeout = timeout
    self.progress = progress
    deadline = Deadline(seconds: timeout)
    state = LabState(name: lab.name, settings: settings)
  }

  var composition: Composition { settings.composition }

  func run(_ beginning: Lab.Beginning) throws {
    defer { for host in starting { close(host.channel.descriptor) } }
    try prepareRoots()
    if beginning == .keeping, let found = try lab.state(), found.phase == .running,
      found.holder?.isAlive ?? true
    {
      state = found
      try adapt()
    } else {
      try lab.clear()
      try startAfresh()
    }
    try startHosts(state.hosts.filter { !backend.isAlive($0, in: state) }.map(\.name))
    try awaitServices()
    try takeSteps()
    state.phase = .running
    try save()
  }

  func say(
    _ step: String, of host: String? = nil, isWaiting: Bool = false, reason: String? = nil
  ) {
    lastNews = Deadline.now
    progress(
      LabProgress(
        host: host, step: step, isWaiting: isWaiting, reason: reason,
        milliseconds: Int(lastNews - began)))
  }

  func save() throws { try state.write(to: lab.paths.state) }

  // MARK: - The lab as a whole

  /// Images may take minutes when they are made for the first time: that isn't the hosts' time.
  func prepareRoots() throws {
    built = try composition.builds.map { build in
      let directory = try BuildRun(script: build.script, in: lab.paths.directory).run {
        self.say($0)
      }
      return Volume(source: directory, target: build.target, mode: .ro)
    }
    for role in composition.roles { roots[role.name] = try backend.prepareRoot(of: role, self) }
    deadline = Deadline(seconds: timeout)
  }

  /// The image of the hosts of a role, made if the store doesn't have it.
  func image(of role: Role) throws -> Image {
    if let image = settings.image { return image }
    var packages = Set(composition.packages).union(role.packages).union(BaseSystem.packages)
    // What hosts need of the machine itself was looked for already, which is quicker.
    if composition.root == .host { packages.subtract(BaseSystem.packages) }
    if composition.firstProcess == .systemd { packages.formUnion(SystemdUnits.packages) }
    if let image = images[packages] { return image }
    let image = try ImageStore(program: program)
      .prepare(composition.root, packages: packages.sorted()) { self.say($0) }
    images[packages] = image
    return image
  }

  private func startAfresh() throws {
    let paths = lab.paths
    for role in composition.roles {
      for name in role.hosts {
        state.hosts.append(
          LabState.Host(name: name, role: role.name, index: state.hosts.count + 1))
      }
    }
    state.hosts = try backend.placed(state.hosts, self)
    try save()
    for directory in [paths.plans, paths.disks, paths.logs(LabPaths.holder)] {
      try Files.makeDirectories(directory, mode: 0o700)
    }
    try Keys.make(in: paths.keys)
    state.subnet = try backend.takeSubnet(self)
    try save()
    try writePlans()
    try backend.open(self)
    say("the switch is on")
  }

  /// Fits a running lab to the composition: more hosts, fewer, or other programs.
  private func adapt() throws {
    guard state.settings.backend == settings.backend,
      state.settings.composition.name == composition.name
    else {
      throw LabError(
        "lab \(lab.name) runs as \(state.settings.composition.name) on "
          + "\(state.settings.backend.rawValue); stop it before it becomes another")
    }
    for host in state.hosts where !composition.hosts.contains(host.name) {
      try backend.end(host.name, in: state)
      try backend.discard(host.name, in: state)
      state.hosts.removeAll { $0.name == host.name }
      say("removed", of: host.name)
    }
    state.settings = settings
    for role in composition.roles {
      for name in role.hosts where state.host(name) == nil {
        state.hosts.append(LabState.Host(name: name, role: role.name, index: freeIndex))
      }
    }
    state.hosts = try backend.placed(state.hosts, self)
    try save()
    try writePlans()
  }

  /// The lowest place that no host has.
  private var freeIndex: Int {
    let used = Set(state.hosts.map(\.index))
    return (1...HostAddress.limit).first { !used.contains($0) } ?? HostAddress.limit
  }

  private func writePlans() throws {
    let keys = try Keys(reading: lab.paths.keys)
    var holder = HostPlan(name: LabPaths.holder, index: 0)
    for role in composition.roles {
      guard let root = roots[role.name] else { continue }
      var system = try BaseSystem(
        settings, lab: lab.name, keys: keys, accounts: root.accounts)
      system.subnet = state.subnet
      for host in state.hosts where host.role == role.name {
        var plan = try system.plan(
          host: host.name, role: role, index: host.index, address: host.address)
        plan.image = root.directories
        plan.layers = root.layers
        plan.skeleton = root.skeleton
        plan.volumes += built
        try Kept.write(plan, to: lab.paths.plan(host.name))
      }
      if !root.skeleton.isEmpty { holder.layers = root.layers }
      holder.disk = system.sharedHomes
      holder.shared = ["/home"] + composition.shared
    }
    try Kept.write(holder, to: lab.paths.plan(LabPaths.holder))
    try Files.write(BaseSystem.hostsFile(of: state), to: lab.paths.hostsFile)
  }
}
