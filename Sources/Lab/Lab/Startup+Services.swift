// The last steps of a start: wait until the services answer, then run what the composition wants to
// have run once.

import CLinux
import Glibc

extension Startup {
  /// How long to wait before services that did not answer are asked again, in microseconds.
  private static let pause: UInt32 = 2000

  func awaitServices() throws {
    while true {
      for place in starting.indices where !starting[place].awaited.isEmpty { try ask(place) }
      guard let waiting = starting.first(where: { !$0.awaited.isEmpty }) else { return }
      guard !deadline.isOver else { throw silent(waiting) }
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
      !Probe(host: host.plan, process: host.child.pid, switchProcess: state.holder?.pid)
        .answers(service.readiness)
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

  /// Runs the provisioning steps that were not run yet, one after the other.
  func provision() throws {
    let steps = composition.provisioning.filter { !state.done.contains($0.id) }
    guard !steps.isEmpty else { return }
    defer { try? save() }
    for step in steps {
      let path = lab.paths.log(step.host, "provision")
      let log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      guard log >= 0 else { throw LabError.system("open", path) }
      defer { close(log) }
      let code = try run(step, log: log)
      guard code == 0 else {
        throw LabError(
          "\(step.arguments.joined(separator: " ")): exit code \(code)", host: step.host,
          logTail: Files.tail(path, lines: Self.logLines))
      }
      state.done.append(step.id)
    }
    say("\(steps.count) commands of \(composition.kind) done", of: steps[0].host)
  }

  private func run(_ step: ProvisionStep, log: Int32) throws -> Int32 {
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(input) }
    let entry = try HostEntry(lab: lab, state: state, host: step.host)
    let child = try entry.start(
      HostCommand(step.arguments), descriptors: [input, log, log])
    if !child.ends(before: deadline) {
      Glibc.kill(child.pid, SIGKILL)
      _ = child.wait()
      throw LabError(
        "\(step.arguments.joined(separator: " ")): not done in time", host: step.host)
    }
    return child.wait()
  }
}

/// Asks from outside whether a service of a host answers.
struct Probe {
  var host: HostPlan
  /// The host's first process.
  var process: pid_t
  /// The holder, in whose network the switch is.
  var switchProcess: pid_t?

  /// How long a host may take to accept a connection, in milliseconds.
  private static let patience: Int32 = 200

  func answers(_ readiness: Readiness) -> Bool {
    switch readiness {
    case .none: true
    case .port(let port): accepts(port)
    case .socket(let path): accepts("/proc/\(process)/root" + path)
    }
  }

  private func accepts(_ port: UInt16) -> Bool {
    guard let switchProcess else { return false }
    let network = open("/proc/\(switchProcess)/ns/net", O_RDONLY | O_CLOEXEC)
    guard network >= 0 else { return false }
    defer { close(network) }
    let socket = clinux_ns_stream_socket(network)
    guard socket >= 0 else { return false }
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = host.address.bytes.withUnsafeBytes {
      $0.loadUnaligned(as: UInt32.self)
    }
    let asked = withUnsafeBytes(of: &address) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) {
        connect(socket, $0.baseAddress, socklen_t(bytes.count))
      }
    }
    guard asked == 0 || errno == EINPROGRESS else { return false }
    var wait = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
    return poll(&wait, 1, Self.patience) == 1 && wait.revents == Int16(POLLOUT)
  }

  private func accepts(_ path: String) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return false }
    defer { close(socket) }
    return withUnsafeBytes(of: &address) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) {
        connect(socket, $0.baseAddress, socklen_t(bytes.count)) == 0
      }
    }
  }
}
