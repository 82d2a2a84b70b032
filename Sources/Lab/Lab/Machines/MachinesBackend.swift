// The backend of machines that exist, reached by ssh. On each of them a host is a set of namespaces
// over the machine's own root, made by our program there as the namespaces backend makes it here; only
// the network is the machine's. Nothing of the machine's files changes, and all ends with the host.

import CLinux
import Compositions
import Encoding
import Glibc

struct MachinesBackend: Backend {
  let lab: Lab
  /// What was found out while one tool works: nothing that others need.
  let memory = MachineMemory()

  init(lab: Lab) { self.lab = lab }

  /// How long a machine may take for what is done at once, in seconds.
  static let patience = 30

  func check(_ settings: LabSettings) throws {
    guard let machines = settings.machines else {
      throw LabError("a lab of machines needs a file that names them: -m FILE")
    }
    try machines.check()
    guard settings.composition.root == .host else {
      throw LabError(
        "hosts on machines begin as the machine itself; the composition wants another root")
    }
    guard settings.composition.builds.isEmpty, settings.image == nil else {
      throw LabError(
        "what is built or installed for hosts can't be brought to machines yet; use another backend"
      )
    }
    guard settings.composition.firstProcess == .tiny else {
      throw LabError(
        "systemd is the first process of the machine already, and can't be that of its host")
    }
    let packages = settings.composition.roles.flatMap(\.packages) + settings.composition.packages
    if let odd = packages.first(where: { !MachineList.isName($0.replacing("+", with: "")) }) {
      throw LabError("\(odd) can't be the name of a package")
    }
    guard Files.exists(Keys.keygen) else {
      throw LabError("\(Keys.keygen) is missing; apt-get install openssh-client")
    }
  }

  // MARK: - The way to a machine

  func ssh(_ settings: LabSettings) throws -> Ssh {
    guard let machines = settings.machines else { throw LabError("this lab has no machines") }
    return Ssh(machines, sockets: lab.paths.directory + "/ssh")
  }

  func place(_ settings: LabSettings) -> MachinePlace {
    let base = settings.machines?.directory ?? MachineSettings.standardDirectory
    return MachinePlace(base: base, lab: lab)
  }

  func machine(of host: String, in state: LabState) throws -> String {
    guard let found = state.host(host) else { throw lab.unknown(host, in: state) }
    guard let machine = found.machine else { throw LabError("it has no machine yet", host: host) }
    return machine
  }

  func request(_ task: MachineRequest.Task, _ host: String, _ settings: LabSettings)
    -> MachineRequest
  {
    MachineRequest(lab: lab.name, directory: place(settings).directory, host: host, task)
  }

  /// Asks the program on the machines of some hosts, all at once.
  func ask(
    _ hosts: [String], in state: LabState, before deadline: Deadline,
    _ task: (String) throws -> (MachineRequest.Task, [UInt8]?)
  ) throws -> [SshAnswer] {
    let (ssh, place) = (try ssh(state.settings), place(state.settings))
    let calls = try hosts.map { host in
      let (task, input) = try task(host)
      return SshCall(
        words: ssh.words(
          to: try machine(of: host, in: state),
          try place.command(request(task, host, state.settings))),
        input: input.map { .bytes($0) } ?? .nothing)
    }
    return SshCalls.run(calls, before: deadline)
  }

  // MARK: - Hosts that run

  func isAlive(_ host: LabState.Host, in state: LabState) -> Bool {
    survey(state)[host.name]?.isUp ?? false
  }

  func answers(_ readiness: Readiness, of plan: HostPlan, in state: LabState) -> Bool {
    guard let found = survey(state)[plan.name], found.isUp else { return false }
    guard let place = plan.services.firstIndex(where: { $0.readiness == readiness }) else {
      return readiness == .none
    }
    return found.answers.indices.contains(place) && found.answers[place]
  }

  /// How all hosts are, asked of all machines at once, and again when the answers are no longer new.
  private func survey(_ state: LabState) -> [String: MachineState] {
    if let recent = memory.recentSurvey { return recent }
    let began = Deadline.now
    let hosts = state.hosts.filter { $0.machine != nil }.map(\.name)
    let asked = try? ask(hosts, in: state, before: Deadline(seconds: Self.patience)) { host in
      let plan = try Kept.read(HostPlan.self, from: lab.paths.plan(host))
      return (.survey(plan.services.map(\.readiness)), nil)
    }
    var found: [String: MachineState] = [:]
    for (host, answer) in zip(hosts, asked ?? []) where answer.code == 0 {
      found[host] = try? CBORDecoder().decode(MachineState.self, from: answer.output)
    }
    memory.remember(survey: found, took: Deadline.now - began)
    return found
  }

  func start(
    _ command: HostCommand, on host: String, in state: LabState, descriptors: [Int32]
  ) throws -> Child {
    try start(
      command, on: host, in: state, descriptors: descriptors, terminal: false, outside: false)
  }

  func runOnTerminal(_ command: HostCommand, on host: String, in state: LabState) throws -> Int32 {
    // Our terminal, if we have one, is passed on by ssh, with its size and its keys.
    let child = try start(
      command, on: host, in: state, descriptors: [0, 1, 2], terminal: true,
      outside: isatty(STDIN_FILENO) == 1)
    return SignalRelay.wait(for: child)
  }

  private func start(
    _ command: HostCommand, on host: String, in state: LabState, descriptors: [Int32],
    terminal: Bool, outside: Bool
  ) throws -> Child {
    let task = MachineRequest.Task.run(
      words: command.arguments, user: command.user, login: command.login, terminal: terminal)
    let words = try ssh(state.settings).words(
      to: try machine(of: host, in: state),
      try place(state.settings).command(request(task, host, state.settings)), terminal: outside)
    return try Ssh.launch(words, descriptors: descriptors).start()
  }
}
