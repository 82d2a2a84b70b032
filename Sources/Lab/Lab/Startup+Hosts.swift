// The hosts that a start brings to life, all at once, and what each of them reports.

import Compositions
import Glibc

/// A host that was started and is being watched until all its services answer.
struct StartingHost {
  var plan: HostPlan
  var channel: ControlChannel
  var isUp = false
  var awaited: [PlannedService]
  /// When its systemd was asked last how services are, on the clock of `Deadline`; 0 for never.
  var asked: Int64 = 0
}

extension Startup {
  func startHosts(_ names: [String]) throws {
    for name in names { try Files.makeDirectories(lab.paths.logs(name), mode: 0o700) }
    let plans = try names.map { try Kept.read(HostPlan.self, from: lab.paths.plan($0)) }
    try backend.makeReady(plans, self)
    for plan in plans {
      do {
        try launch(plan)
      } catch let error as LabError {
        throw error.at(plan.name)
      } catch {
        throw LabError("\(error)", host: plan.name)
      }
    }
    try save()
    try awaitBoots()
  }

  private func launch(_ plan: HostPlan) throws {
    let launched = try backend.launch(plan, self)
    starting.append(
      StartingHost(plan: plan, channel: launched.channel, awaited: plan.services))
    state.update(plan.name) { host in
      (host.first, host.id) = (launched.first, launched.id)
      (host.isPaused, host.link) = (false, .whole)
    }
  }

  /// Waits until every started host is set up and remembered.
  private func awaitBoots() throws {
    while let waiting = starting.first(where: { !$0.isUp }) {
      guard !deadline.isOver else { throw explain(nil, host: waiting.plan.name) }
      let places = starting.indices.filter { !starting[$0].isUp }
      var waits = places.map {
        pollfd(fd: starting[$0].channel.descriptor, events: Int16(POLLIN), revents: 0)
      }
      _ = poll(&waits, nfds_t(waits.count), min(Self.glance, deadline.remaining))
      remind("its boot", of: waiting.plan.name, log: LabPaths.bootLog)
      for (wait, place) in zip(waits, places) where wait.revents != 0 { try hear(place) }
    }
  }

  private func hear(_ place: Int) throws {
    let plan = starting[place].plan
    guard let reports = starting[place].channel.reports() else {
      throw explain(.failed("its first process died"), host: plan.name)
    }
    guard let report = reports.first else { return }
    guard report == .ready else { throw explain(report, host: plan.name) }
    starting[place].isUp = true
    try starting[place].channel.confirm()
    say("up at \(state.host(plan.name).map(state.address) ?? "")", of: plan.name)
  }

  /// Why a process of the lab is not ready: what it reported, or that time ran out.
  func explain(_ report: BootReport?, host: String) -> LabError {
    try? backend.fetchLogs(of: host, in: state)
    // What ssh said comes last, for whoever lost a connection.
    let tail =
      Files.tail(lab.paths.log(host, LabPaths.bootLog), lines: Self.logLines)
      + Files.tail(lab.paths.log(host, LabPaths.connectionLog), lines: Self.logLines)
    switch report {
    case .failed(let why): return LabError(why, host: host, logTail: tail)
    case .ended(let service, let code):
      return LabError(
        "\(service) ended with exit code \(code)", host: host,
        logTail: Files.tail(lab.paths.log(host, service), lines: Self.logLines))
    case .ready, nil:
      return LabError(
        "it was not set up in \(timeout) s, which --timeout changes", host: host, logTail: tail)
    }
  }
}
