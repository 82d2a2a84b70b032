// Making machines hosts: shared connections, our programs, and then each host's first process.

import CLinux
import Compositions
import Glibc

extension MachinesBackend {
  func open(_ startup: Startup) throws {
    // A lab of the same name and place may have been forgotten here, but not there.
    try makeReady(startup, fresh: startup.state.hosts)
  }

  func launch(_ plan: HostPlan, _ startup: Startup) throws -> LaunchedHost {
    if !memory.isReady { try makeReady(startup, fresh: []) }
    memory.forgetSurvey()
    let plan = try fitted(plan, startup)
    try Kept.write(plan, to: lab.paths.plan(plan.name))
    let machine = try machine(of: plan.name, in: startup.state)
    let (ssh, place) = (try ssh(startup.settings), place(startup.settings))
    let words = ssh.words(
      to: machine, try place.command(request(.launch, plan.name, startup.settings)))
    let path = lab.paths.log(plan.name, LabPaths.connectionLog)
    let log = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else { throw LabError.system("open", path) }
    let (ours, theirs) = try ControlChannel.pair()
    defer { for descriptor in [log, theirs] { close(descriptor) } }
    do {
      let child = try Ssh.launch(words, descriptors: [theirs, theirs, log]).start()
      close(child.descriptor)
      memory.add(child.pid)
      try ByteStream.send(order(plan, startup.state), to: ours.descriptor)
    } catch {
      close(ours.descriptor)
      throw error
    }
    return LaunchedHost(first: nil, channel: ours)
  }

  /// A plan as the host's machine needs it.
  private func fitted(_ plan: HostPlan, _ startup: Startup) throws -> HostPlan {
    var plan = plan
    let place = place(startup.settings)
    if let role = startup.composition.role(plan.role), let look = memory.fleet?.looks[plan.name],
      let first = role.hosts.first, look.accounts != memory.fleet?.looks[first]?.accounts
    {
      let system = try BaseSystem(
        startup.settings, lab: lab.name, keys: try Keys(reading: lab.paths.keys),
        accounts: look.accounts)
      let own = try system.plan(
        host: plan.name, role: role, index: plan.index, address: look.address)
      (plan.disk, plan.boot, plan.services) = (own.disk, own.boot, own.services)
    }
    plan.network = .machine
    for (number, volume) in plan.volumes.enumerated()
    where volume.target == Product.directory && volume.source == startup.settings.programs {
      plan.volumes[number].source = place.products
    }
    plan.volumes.append(
      Volume(source: place.sshHosts, target: BaseSystem.sshHosts, mode: .ro))
    return plan
  }

  // MARK: - Machines

  /// Opens the shared connections and brings the programs, everywhere at once.
  private func makeReady(_ startup: Startup, fresh: [LabState.Host]) throws {
    let state = startup.state
    let machines = state.hosts.compactMap(\.machine)
    let (ssh, place) = (try ssh(state.settings), place(state.settings))
    try connect(state, ssh, startup.deadline)
    try end(fresh, in: state)
    try bring(try ProgramsToBring(startup), to: state.hosts, place, ssh, startup.deadline)
    try describe(state)
    memory.isReady = true
    startup.say("\(machines.count) machines have the programs")
  }

  /// Opens the shared connections that are not there.
  private func connect(_ state: LabState, _ ssh: Ssh, _ deadline: Deadline) throws {
    guard let sockets = ssh.sockets else { return }
    try Files.makeDirectories(sockets, mode: 0o700)
    let known = state.hosts.filter { Files.exists(ssh.socket($0.machine ?? "") ?? "") }
    let checks = known.map { SshCall(words: ssh.words(to: $0.machine ?? "", sharing: .checked)) }
    var open: Set<String> = []
    for (host, answer) in zip(known, SshCalls.run(checks, before: deadline)) {
      if answer.code == 0 {
        open.insert(host.name)
      } else {
        // Nobody listens there any more.
        unlink(ssh.socket(host.machine ?? "") ?? "")
      }
    }
    let closed = state.hosts.filter { !open.contains($0.name) }
    let calls = closed.map {
      SshCall(words: ssh.words(to: $0.machine ?? "", "true", sharing: .made))
    }
    try check(SshCalls.run(calls, before: deadline), of: closed, "reach")
  }

  private func bring(
    _ programs: ProgramsToBring, to hosts: [LabState.Host], _ place: MachinePlace, _ ssh: Ssh,
    _ deadline: Deadline
  ) throws {
    let machines = hosts.compactMap(\.machine)
    func run(_ script: String) -> [SshAnswer] {
      SshCalls.run(
        machines.map {
          SshCall(
            words: ssh.words(to: $0, MachinePlace.shell), input: .bytes(Array(script.utf8)))
        }, before: deadline)
    }
    let reserved = run(place.reserveScript(programs.all.map(\.digest)))
    try check(reserved, of: hosts, "make \(place.directory) on")
    for program in programs.all {
      let lacking = zip(hosts, reserved).filter { !$1.text.contains("lab:has \(program.digest)\n") }
      let calls = lacking.map { host, _ in
        SshCall(
          words: ssh.words(to: host.machine ?? "", place.putCommand(program.digest)),
          input: .file(program.path))
      }
      try check(
        SshCalls.run(calls, before: deadline), of: lacking.map(\.0), "bring \(program.path) to")
    }
    let links = place.linkScript(
      programs.own.digest, products: programs.products.map { ($0.name, $0.digest) })
    try check(run(links), of: hosts, "name the programs on")
  }

  /// Tells all failures of calls at once.
  func check(_ answers: [SshAnswer], of hosts: [LabState.Host], _ action: String) throws {
    let failed = zip(hosts, answers).filter { $1.code != 0 }
    guard let first = failed.first else { return }
    guard failed.count > 1 else {
      throw LabError(
        "cannot \(action) \(first.0.machine ?? ""): \(first.1.reason)", host: first.0.name)
    }
    throw LabError(
      "cannot \(action) \(failed.count) of \(answers.count) machines",
      logTail: failed.map { "\($0.machine ?? "") (\($0.name)): \($1.reason)" })
  }
}

/// The programs that machines need, by the digests of their content.
struct ProgramsToBring {
  struct Program {
    var name: String
    var path: String
    var digest: String
  }

  /// The one that answers requests and becomes the host.
  let own: Program
  /// The product's.
  let products: [Program]
  /// Each content once.
  var all: [Program] {
    var seen: Set<String> = []
    return ([own] + products).filter { seen.insert($0.digest).inserted }
  }

  init(_ startup: Startup) throws {
    // The tool's own program serves where it is not beside a static one: while one develops.
    let directory = startup.program.prefix(
      upTo: startup.program.lastIndex(of: "/") ?? startup.program.startIndex)
    let own = "\(directory)/\(HostProgram.name)"
    var paths = [("program", HostProgram.isStatic(own) ? own : startup.program)]
    if startup.composition.software == .liburna, let directory = startup.settings.programs {
      paths += Product.programs.map { ($0, directory + "/" + $0) }
    }
    let digests = try Self.digests(paths.map(\.1))
    let programs = zip(paths, digests).map { Program(name: $0.0, path: $0.1, digest: $1) }
    guard let own = programs.first else { throw LabError("there is no program to bring") }
    self.own = own
    products = Array(programs.dropFirst())
  }

  /// The SHA-256 of files, as sha256sum computes them.
  private static func digests(_ paths: [String]) throws -> [String] {
    let output = MemoryFile.make([])
    let errors = Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
    defer {
      close(output)
      close(errors)
    }
    let child = try Launch(
      program: .search("sha256sum", in: HostEntry.searchPath), arguments: ["sha256sum"] + paths,
      descriptors: [errors, output, errors]
    ).start()
    let code = child.wait()
    let digests = try Files.readText("/proc/self/fd/\(output)").split(separator: "\n").map {
      String($0.drop { $0 == "\\" }.prefix { $0 != " " })
    }
    guard code == 0, digests.count == paths.count, digests.allSatisfy({ $0.utf8.count == 64 })
    else {
      throw LabError("sha256sum could not read \(paths.joined(separator: ", "))")
    }
    return digests
  }
}
