// Lending hosts to Kubernetes (BeBiDa): the server says which jobs have which hosts and what is planned, and starts
// no job before all its hosts have proved that no pod is left. Without BEBIDA_KUBECONFIG nothing here is reached.

import Bebida
import ClusterModel
import Kao
import Storage
import Wire

/// The server's side of lending.
struct ServerLending {
  let lender: Lender
  /// Which resources may be lent; empty for all.
  let property: String
  /// The lender looks at nothing before it knows what the server knows: after the first pass.
  var isStarted = false
  /// When it was told the plan last, and whether there was another one since.
  var toldPlan: Instant = 0
  var isPlanNew = false
  /// Hosts that could not be proved clean and were suspected for it.
  var suspects: Set<String> = []
}

extension Controller {
  /// Prepares lending, if the site lends.
  ///
  /// - Throws: for a kubeconfig that can't be used.
  func prepareLending() throws {
    guard let configuration = settings.lending else { return }
    if !configuration.property.isEmpty {
      do {
        _ = try state.expression(configuration.property, of: state.columns)
      } catch {
        throw ConfigurationError(
          name: "BEBIDA_PROPERTY", value: configuration.property,
          allowed: "an expression over properties of resources: \(error.message)")
      }
    }
    let side = LenderSide(
      order: { order, host in
        self.assumeIsolated { _ = $0.connections?.send(.lend(order), to: host) }
      },
      changed: { host in self.assumeIsolated { $0.lendingChanged(on: host) } },
      say: { text in self.assumeIsolated { $0.log.say(text) } })
    let lender = try Lender(
      configuration.lender, client: try configuration.client(), loop: loop, side: side)
    lending = ServerLending(lender: lender, property: configuration.property)
    let hosts = state.allHosts
    tellLender { $0.setHosts(hosts) }
  }

  /// The lender is on the server's loop.
  @discardableResult
  func tellLender<Answer: Sendable>(_ body: @Sendable (isolated Lender) -> Answer) -> Answer? {
    lending?.lender.assumeIsolated { body($0) }
  }

  /// What a pass changed: which hosts are free, and until when. Told once a second.
  func tellLenderThePlan(at now: Instant) {
    guard let lending, lending.isPlanNew, now > lending.toldPlan || !lending.isStarted else {
      return
    }
    self.lending?.toldPlan = now
    self.lending?.isPlanNew = false
    let lendable = state.lendableHosts(lending.property)
    let starts = state.nextStarts(at: now)
    tellLender {
      $0.setLendable(lendable)
      $0.plan(starts)
    }
    guard !lending.isStarted else { return }
    self.lending?.isStarted = true
    let lender = lending.lender
    Task { await lender.start() }
  }

  // MARK: Commands

  func lend(
    _ request: LendingRequest, _ id: Int, _ client: ClientConnection, _ asker: Asker
  ) throws(Refusal) {
    guard lending != nil else {
      throw Refusal(
        .disabled, "nothing is lent to Kubernetes: BEBIDA_KUBECONFIG is not set in oar.conf")
    }
    switch request {
    case .show(let names):
      try requireHosts(names)
      if let status = tellLender({ $0.status(of: names) }) { client.reply(id, .lending(status)) }
    case .wish(let wish, let names):
      try asker.requireAdministrator("say who has a host")
      try requireHosts(names)
      guard tellLender({ $0.isReady }) == true else {
        throw Refusal(.unavailable, "the server only starts; try again in a second")
      }
      keep(wish, names, answering: id, of: client)
    case .check:
      guard let lender = lending?.lender else { return }
      client.postpone()
      let number = client.id
      Task {
        let findings = await lender.check()
        clients[number]?.settle(id, .lendingFindings(findings))
      }
    case .hook:
      throw Refusal(.protocolError, "liburnad needs no hooks: it knows of its jobs itself")
    }
  }

  /// Answers once the word is on the disk.
  private func keep(
    _ wish: LendingWish?, _ names: [String], answering id: Int, of client: ClientConnection
  ) {
    client.postpone()
    let number = client.id
    tellLender {
      $0.wish(wish, names) {
        self.assumeIsolated { $0.clients[number]?.settle(id, .done) }
      }
    }
  }

  private func requireHosts(_ names: [String]) throws(Refusal) {
    let known = state.allHosts
    if let unknown = names.first(where: { !known.contains($0) }) {
      throw Refusal(.badValue, "there is no host \"\(shortened(unknown))\"; oarnodes lists them")
    }
  }

  // MARK: What people see

  /// Resources with how their hosts stand between Kubernetes and jobs.
  func withLending(_ records: [ResourceRecord]) -> [ResourceRecord] {
    guard lending != nil else { return records }
    var standings: [String: String?] = [:]
    return records.map { record in
      var record = record
      let host = record.resource.networkAddress
      let standing = standings[host] ?? (tellLender { $0.standing(of: host) } ?? nil)
      standings[host] = standing
      record.lending = standing
      return record
    }
  }

  /// A job that has its resources and does not begin may wait for its hosts.
  func addLending(to explanation: inout Explanation) {
    guard let execution = executions[explanation.job],
      execution.pending.contains(Execution.lender)
    else { return }
    let hosts = execution.hosts.compactMap { host -> String? in
      let standing = tellLender { $0.mayStart(on: host) ? nil : $0.standing(of: host) } ?? nil
      return standing.map { "\(host) is \($0)" }
    }
    explanation.kind = "lending"
    explanation.text =
      "its hosts are being taken back from Kubernetes: \(hosts.joined(separator: "; "))"
  }

  // MARK: Jobs

  /// A job that uses hosts keeps them from Kubernetes until it is forgotten.
  func holdHosts(of id: JobID) {
    guard lending != nil, let hosts = executions[id]?.hosts else { return }
    tellLender { $0.hold(String(id), hosts) }
  }

  func letGoHosts(of id: JobID, _ hosts: [String]) {
    tellLender { $0.letGo(String(id), hosts) }
  }

  /// Whether a job has to wait until its hosts are clean. If so it goes on by itself.
  func awaitsLender(_ id: JobID) -> Bool {
    guard lending != nil, let execution = executions[id], !execution.hosts.isEmpty,
      !areClean(execution.hosts)
    else { return false }
    enter(.preparing, id, awaiting: [Execution.lender])
    return true
  }

  private func areClean(_ hosts: [String]) -> Bool {
    tellLender { lender in hosts.allSatisfy { lender.mayStart(on: $0) } } ?? true
  }

  /// What a host says of its lending.
  func hear(_ report: LendingReport, from host: String) {
    guard lending == nil else { return tellLender { $0.hear(report, from: host) } ?? () }
    if report.isOpen {
      log.say(
        "\(host) is lent to Kubernetes and takes no jobs, but BEBIDA_KUBECONFIG is not set: see Docs/Bebida.md, "
          + "To stop lending")
    }
  }

  /// Something about a host changed: jobs that wait for it may go on, or can't.
  func lendingChanged(on host: String) {
    let fault = tellLender { $0.fault(of: host) } ?? nil
    heal(host, unless: fault != nil)
    for (id, execution) in executions
    where execution.pending.contains(Execution.lender) && execution.hosts.contains(host) {
      if let fault {
        lending?.suspects.insert(host)
        abandon(id, "\(host) can't be taken back from Kubernetes: \(fault)", suspects: [host])
      } else if areClean(execution.hosts) {
        hostsAreClean(of: id)
      }
    }
    scheduleWork()
  }

  private func heal(_ host: String, unless isFaulty: Bool) {
    guard !isFaulty, lending?.suspects.remove(host) != nil else { return }
    var outcome = Outcome()
    state.healHost(host, at: Self.now, &outcome)
    commit(outcome)
  }

  private func hostsAreClean(of id: JobID) {
    guard let job = state.jobs[id], executions[id]?.isPreparing == true else { return }
    executions[id]?.pending.remove(Execution.lender)
    if !launchByOAR(job) { goOn(job) }
  }
}

extension ClusterState {
  /// Hosts of which every resource is alive, and may be lent.
  func lendableHosts(_ property: String) -> Set<String> {
    let condition = property.isEmpty ? nil : try? expression(property, of: columns)
    var lendable = allHosts
    for resource in resources.values {
      let isLent = resource.state == .alive && condition?.matches(resource) ?? true
      if !isLent { lendable.remove(resource.networkAddress) }
    }
    return lendable
  }

  /// When the next job is planned to begin on each host, by the lender's clock.
  func nextStarts(at now: Instant) -> [String: Duration] {
    var earliest: [ResourceID: Instant] = [:]
    for placement in placements.values where placement.start < endOfTime {
      for id in placement.resources { earliest[id] = min(earliest[id] ?? .max, placement.start) }
    }
    for job in waitingPromises {
      for id in job.promised { earliest[id] = min(earliest[id] ?? .max, job.startTime) }
    }
    let clock = Lender.now
    var starts: [String: Duration] = [:]
    for (id, start) in earliest {
      guard let host = resources[id]?.networkAddress else { continue }
      let begin = clock + .seconds(start - now)
      starts[host] = min(starts[host] ?? begin, begin)
    }
    return starts
  }
}
