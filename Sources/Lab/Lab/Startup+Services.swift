// The end of a start: wait until the services answer, then take the composition's steps.

import Compositions
import Glibc

extension Startup {
  /// How long to wait before services that did not answer are asked again, in microseconds.
  private static let pause: UInt32 = 2000

  func awaitServices() throws {
    while true {
      for place in starting.indices where !starting[place].awaited.isEmpty { try ask(place) }
      guard let waiting = starting.first(where: { !$0.awaited.isEmpty }) else { return }
      guard !deadline.isOver else { throw silent(waiting) }
      if let service = waiting.awaited.first {
        remind(service.name, of: waiting.plan.name, log: service.name)
      }
      usleep(Self.pause)
    }
  }

  private func ask(_ place: Int) throws {
    let host = starting[place]
    guard let reports = starting[place].channel.reports() else {
      throw explain(.failed("its first process died"), host: host.plan.name)
    }
    for case .ended(let service, let code) in reports
    where host.awaited.contains(where: { $0.name == service }) {
      throw explain(.ended(service, code), host: host.plan.name)
    }
    starting[place].awaited = host.awaited.filter { service in
      !backend.answers(service.readiness, of: host.plan, in: state)
    }
    if starting[place].awaited.isEmpty {
      let names = host.plan.services.map(\.name).joined(separator: ", ")
      say("\(names) answer", of: host.plan.name)
    }
  }

  private func silent(_ host: StartingHost) -> LabError {
    guard let service = host.awaited.first else { return explain(nil, host: host.plan.name) }
    return LabError(
      "\(service.name) did not answer in time", host: host.plan.name,
      logTail: Files.tail(lab.paths.log(host.plan.name, service.name), lines: Self.logLines))
  }

  // MARK: - Steps

  /// Runs the steps that are due, one after the other.
  func takeSteps() throws {
    let hosts = state.hosts.map(\.name)
    defer { try? save() }
    for step in composition.steps {
      for host in places(of: step) {
        let key = "\(step.title) on \(host)"
        let isDone =
          switch step.repetition {
          case .once: state.done[key] != nil
          case .hosts: state.done[key] == hosts
          case .start: false
          }
        guard !isDone else { continue }
        try take(step, on: host)
        state.done[key] = hosts
        say(step.title, of: host)
      }
    }
  }

  private func places(of step: Step) -> [String] {
    switch step.place {
    case .first(let role): Array(composition.role(role)?.hosts.prefix(1) ?? [])
    case .each(let role): composition.role(role)?.hosts ?? []
    }
  }

  private func take(_ step: Step, on host: String) throws {
    let path = lab.paths.log(host, LabPaths.stepLog)
    let log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else { throw LabError.system("open", path) }
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer {
      close(log)
      close(input)
    }
    let child = try backend.start(
      HostCommand(HostPlan.shell(step.script), user: step.user), on: host, in: state,
      descriptors: [input, log, log])
    guard ends(child, step: step.title, of: host, log: LabPaths.stepLog) else {
      Glibc.kill(child.pid, SIGKILL)
      _ = child.wait()
      throw failure(of: step, on: host, "not done in time")
    }
    let code = child.wait()
    guard code == 0 else { throw failure(of: step, on: host, "exit code \(code)") }
  }

  private func failure(of step: Step, on host: String, _ what: String) -> LabError {
    LabError(
      "\(step.title): \(what)", host: host,
      logTail: Files.tail(lab.paths.log(host, LabPaths.stepLog), lines: Self.logLines))
  }
}
