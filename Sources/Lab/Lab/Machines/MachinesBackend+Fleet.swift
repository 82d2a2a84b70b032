// Before anything is changed: which machines there are, what each host takes, and whether they can all
// be hosts.

import Compositions
import Glibc

/// The machines of a start, by the names of the hosts that they are to be.
struct Fleet: Equatable {
  var looks: [String: MachineLook]
  /// Machines that no host needs.
  var left: [String]
}

extension MachinesBackend {
  func prepareRoot(of role: Role, _ startup: Startup) throws -> PreparedRoot {
    let fleet = try memory.fleet ?? makeFleet(startup)
    memory.fleet = fleet
    guard let first = role.hosts.first.flatMap({ fleet.looks[$0] }) else {
      // A role without hosts has no plans either.
      return PreparedRoot(directories: [], accounts: Accounts(passwd: "", group: ""))
    }
    return PreparedRoot(directories: [], accounts: first.accounts)
  }

  private func makeFleet(_ startup: Startup) throws -> Fleet {
    let composition = startup.composition
    guard let settings = startup.settings.machines else {
      throw LabError("this lab has no machines")
    }
    let file = try MachineSource.path(settings)
    let source = try MachineSource.read(settings, hosts: composition.hosts) { startup.say($0) }
    var known: [String: String] = [:]
    for host in try lab.state()?.hosts ?? [] { known[host.name] = host.machine }
    let choice = try source.choose(for: composition, keeping: known, file: file)
    let machines = composition.hosts.compactMap { choice.machines[$0] }
    // Nothing of the lab is there yet, so no shared connections either.
    let rounds = (machines.count + SshCalls.atOnce - 1) / SshCalls.atOnce
    var looks = MachineLook.look(
      at: machines,
      packages: composition.roles.reduce(into: composition.packages) {
        $0 += $1.packages
      }, Ssh(settings), before: Deadline(seconds: MachineLook.patience * max(1, rounds)))
    try MachineLook.judge(looks)
    let accounts = Self.united(looks.map(\.accounts), for: composition.accounts)
    for place in looks.indices { looks[place].accounts = accounts[place] }
    startup.say("\(looks.count) machines can be hosts")
    if !choice.left.isEmpty {
      startup.say("left alone: \(choice.left.joined(separator: ", "))")
    }
    return Fleet(
      looks: Dictionary(uniqueKeysWithValues: zip(composition.hosts, looks)), left: choice.left)
  }

  /// The accounts of machines, with those of the lab added under numbers that are the same everywhere:
  /// MUNGE and shared files know people by their numbers.
  static func united(_ all: [Accounts], for accounts: [LabAccount]) -> [Accounts] {
    var united = all
    var used = Set(all.flatMap { $0.passwd.compactMap { uid_t($0[2]) } })
    used.formUnion(all.flatMap { $0.group.compactMap { gid_t($0[2]) } })
    for account in accounts {
      let found = all.map { $0[account.name] }
      if let first = found.first, let known = first,
        found.allSatisfy({ $0?.uid == known.uid && $0?.gid == known.gid })
      {
        continue
      }
      var id = Accounts.firstUID
      while used.contains(id) { id += 1 }
      used.insert(id)
      for place in united.indices {
        united[place].passwd.removeAll { $0[0] == account.name }
        united[place].group.removeAll { $0[0] == account.name }
        united[place].passwd.append(
          [account.name, "x", String(id), String(id), "", account.home, "/bin/bash"])
        united[place].group.append([account.name, "x", String(id), ""])
      }
    }
    return united
  }

  // MARK: - Hosts and their machines

  func placed(_ hosts: [LabState.Host], _ startup: Startup) throws -> [LabState.Host] {
    guard let fleet = memory.fleet else { return hosts }
    let placed = hosts.map { host in
      var host = host
      host.machine = fleet.looks[host.name]?.name
      host.address = fleet.looks[host.name]?.address
      return host
    }
    // On disk is still the lab as it was.
    guard let before = try lab.state(), before.hosts != placed else { return placed }
    let left = before.hosts.filter { host in
      host.machine != nil && !placed.contains { $0.machine == host.machine }
    }
    defer { closeConnections(of: left, before) }
    try end(left, in: before)
    var now = startup.state
    now.settings = startup.settings
    now.hosts = placed
    let staying = placed.filter { host in before.hosts.contains { $0.machine == host.machine } }
      .map(\.name)
    _ = try ask(staying, in: now, before: startup.deadline) { host in
      (.names, try ByteStream.bytes(of: order(HostPlan(name: host, index: 0), now)))
    }
    try describe(now)
    return placed
  }

  /// What a machine is told besides the plan of its host.
  func order(_ plan: HostPlan, _ state: LabState) throws -> MachineOrder {
    let names = state.hosts.map(\.name).joined(separator: " ")
    let port = state.settings.machines?.labPort ?? MachineSettings.standardLabPort
    return MachineOrder(
      plan: plan, holder: try Kept.read(HostPlan.self, from: lab.paths.plan(LabPaths.holder)),
      hosts: BaseSystem.hostsFile(of: state), ssh: "Host \(names)\n  Port \(port)\n")
  }

  /// Writes the deployment description, in the lab's directory and where it is wanted.
  func describe(_ state: LabState) throws {
    let key = (try? Files.readText(lab.paths.keys + "/control.pub")) ?? ""
    let text = DeploymentDescription.text(of: state, key: key)
    let copies = [lab.paths.directory + "/deployment.json", state.settings.machines?.deployment]
    for path in copies.compactMap({ $0 }) {
      try Files.replace(path, with: Array(text.utf8), mode: 0o644)
    }
  }
}
