// The lab's program on a machine: it answers one request and ends. To it the machine is a lab of one
// host, kept as the namespaces backend keeps them, on the machine's own network.

import CLinux
import Compositions
import Encoding
import Glibc

struct MachineAgent {
  let request: MachineRequest
  let lab: Lab

  /// What the hidden command `lab __machine REQUEST` does.
  static func run(_ word: String) -> Int32 {
    signal(SIGPIPE, SIG_IGN)
    do {
      guard geteuid() == 0 else { throw LabError("this command is for root only") }
      return try MachineAgent(try MachineRequest(word: word)).answer()
    } catch {
      return StandardError.say("liburna lab: \(error)")
    }
  }

  init(_ request: MachineRequest) throws {
    self.request = request
    lab = try Lab(name: request.lab, directory: MachinePlace.lab(in: request.directory))
  }

  var backend: NamespacesBackend { NamespacesBackend(lab: lab, network: .machine) }

  private func answer() throws -> Int32 {
    switch request.task {
    case .launch: return try MachineLaunch(agent: self).run()
    case .run(let words, let user, let login, let terminal):
      return try run(HostCommand(words, user: user, login: login), terminal)
    case .survey(let asked):
      Files.send(try CBOREncoder().encode(try survey(asked)))
    case .logs(let sizes): try MachineLogs.send(lab.paths.logs(request.host), beyond: sizes)
    case .names: try write(try order())
    case .pause(let isPaused): try pause(isPaused)
    case .endHost: try endHost()
    case .end: try end()
    }
    return 0
  }

  /// How long an order may take to arrive, in seconds.
  private static let patience = 300

  /// What follows the request.
  func order() throws -> MachineOrder {
    let order = try ByteStream.receive(
      MachineOrder.self, from: STDIN_FILENO, before: Deadline(seconds: Self.patience))
    guard let order else { throw LabError("no order came with the request") }
    return order
  }

  /// The lab as it is here, or nil where there is none or it ended with the machine.
  func state() throws -> LabState? {
    guard let state = try lab.state(), let holder = state.holder, holder.isAlive,
      Files.value(bootMark) == Self.boot
    else { return nil }
    return state
  }

  /// Tells apart what ran before the machine was started anew: pids are used again.
  var bootMark: String { request.directory + "/boot" }
  static var boot: String { Files.value("/proc/sys/kernel/random/boot_id") ?? "" }

  /// Written in place: hosts have these files open or bound.
  func write(_ order: MachineOrder) throws {
    try Files.write(order.hosts, to: lab.paths.hostsFile)
    try Files.write(order.ssh, to: MachinePlace.sshHosts(in: request.directory))
  }

  // MARK: - Commands

  private func run(_ command: HostCommand, _ terminal: Bool) throws -> Int32 {
    guard let state = try state(), let host = state.host(request.host),
      backend.isAlive(host, in: state)
    else {
      throw LabError("it is down; `liburna lab start --keep` brings it back", host: request.host)
    }
    // The command ends with the connection, as it would with a terminal.
    return try lab.exec(command, on: request.host, terminal: terminal, watching: STDOUT_FILENO)
  }

  // MARK: - How it is

  private func survey(_ asked: [Readiness]) throws -> MachineState {
    guard let state = try state(), let host = state.host(request.host),
      backend.isAlive(host, in: state)
    else { return MachineState() }
    let plan = try Kept.read(HostPlan.self, from: lab.paths.plan(request.host))
    return MachineState(
      isUp: true, answers: asked.map { backend.answers($0, of: plan, in: state) })
  }

  private func pause(_ isPaused: Bool) throws {
    guard let state = try state() else { throw LabError("it is down", host: request.host) }
    try backend.pause(request.host, isPaused, in: state)
  }

  // MARK: - Ending

  private func endHost() throws {
    guard let lock = try LabLock(existing: lab.paths.directory) else { return }
    defer { lock.release() }
    guard var state = try lab.state() else { return }
    try backend.end(request.host, in: state)
    state.update(request.host) { $0.first = nil }
    try state.write(to: lab.paths.state)
  }

  private func end() throws {
    let directory = request.directory
    try Files.write("", to: MachinePlace.ended(in: directory))
    try lab.stop()
    try Files.removeTree(directory)
    guard let labs = removeEmpty(), let base = Self.parent(of: labs) else { return }
    try Files.removeTree(base + "/programs")
    rmdir(base)
  }

  /// Removes the directories of this lab and of all labs, if they are empty. The latter, if it is gone.
  @discardableResult
  func removeEmpty() -> String? {
    let directory = request.directory
    for path in [lab.paths.directory, directory] { rmdir(path) }
    guard let labs = Self.parent(of: directory), rmdir(labs) == 0 || errno == ENOENT else {
      return nil
    }
    return labs
  }

  private static func parent(of path: String) -> String? {
    path.lastIndex(of: "/").map { String(path[..<$0]) }
  }
}

/// Logs on their way to the tool: for each a line with its name and the number of bytes, then these.
enum MachineLogs {
  static func send(_ directory: String, beyond sizes: [String: Int]) throws {
    for name in Files.list(directory) {
      let log = open(directory + "/" + name, O_RDONLY | O_CLOEXEC)
      guard log >= 0 else { continue }
      defer { close(log) }
      lseek(log, off_t(sizes[name] ?? 0), SEEK_SET)
      var bytes: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 65_536)
      while bytes.count < MachinesBackend.logLimit {
        let got = read(log, &chunk, chunk.count)
        guard got > 0 else { break }
        bytes.append(contentsOf: chunk[0..<got])
      }
      if !bytes.isEmpty { Files.send(Array("\(name) \(bytes.count)\n".utf8) + bytes) }
    }
  }

  /// The parts in what was sent; an incomplete one at the end is left out.
  static func parts(_ sent: [UInt8]) -> [(name: String, bytes: [UInt8])] {
    var parts: [(String, [UInt8])] = []
    var rest = sent[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
      rest = rest[(end + 1)...]
      guard words.count == 2, let size = Int(words[1]), size >= 0, size <= rest.count,
        words[0].hasSuffix(".log"), !words[0].contains("/")
      else { break }
      parts.append((String(words[0]), Array(rest.prefix(size))))
      rest = rest.dropFirst(size)
    }
    return parts
  }
}

extension Files {
  /// Writes to standard output; a reader that is gone needs nothing more.
  static func send(_ bytes: [UInt8]) { try? writeAll(bytes, to: STDOUT_FILENO, path: "output") }
}
