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
    guard let reports = try reports(place) else {
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

  /// How long services may be silent before systemd is asked whether they have failed, and then asked
  /// again, in milliseconds.
  private static let impatience: Int64 = 1000

  /// What the first process says, or systemd in its place, which has no line to us. Nil if it is dead.
  private func reports(_ place: Int) throws -> [BootReport]? {
    let host = starting[place]
    if let reports = starting[place].channel.reports() { return reports }
    guard host.plan.firstProcess == .systemd, let known = state.host(host.plan.name),
      backend.isAlive(known, in: state)
    else { return nil }
    guard Deadline.now - host.asked > Self.impatience else { return [] }
    defer { starting[place].asked = Deadline.now }
    if host.asked == 0 { return [] }
    let failures = SystemdState.failures(of: host.awaited.map(\.name)) { command in
      try Child.output(limit: 1 << 16) { descriptors in
        try backend.start(command, on: host.plan.name, in: state, descriptors: descriptors)
      }.text
    }
    return failures.map { .ended($0.service, $0.code) }
  }

  private func silent(_ host: StartingHost) -> LabError {
    try? backend.fetchLogs(of: host.plan.name, in: state)
    guard let service = host.awaited.first else { return explain(nil, host: host.plan.name) }
    return LabError(
      "\(service.name) did not answer \(service.readiness.place)in \(timeout) s, which --timeout "
        + "changes", host: host.plan.name,
      logTail: Files.tail(lab.paths.log(host.plan.name, service.name), lines: Self.logLines))
  }

  // MARK: - Steps

  /// Runs the steps that are due, one after the other.
  func takeSteps() throws {
    // The names themselves, for each host that a step is done on, would make the state very large.
    let hosts = Fingerprint.long(state.hosts.map(\.name).joined(separator: " "))
    for step in composition.steps {
      // What was done must not be done again after a tool that was killed.
      defer { try? save() }
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
    let log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
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
      throw failure(of: step, on: host, "not done in \(timeout) s, which --timeout changes")
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

extension Readiness {
  /// Where an answer is waited for, with a blank after it, for messages.
  fileprivate var place: String {
    switch self {
    case .none: ""
    case .port(let port): "on port \(port) "
    case .socket(let path), .file(let path): "at \(path) "
    }
  }
}
