// The tool's side of a host's socket: asking its first process, and running commands by it.

import CLinux
import Compositions
import Glibc

struct HostConnection {
  private let descriptor: Int32

  /// How long an answer may take, in seconds.
  private static let patience = 10

  /// Connects to the socket of a host. Nil if nobody listens there.
  init?(_ paths: LabPaths, host: String) {
    let path = paths.line(host) + "/" + GuestPaths.lineName
    descriptor = UnixAddress.connect(path)
    guard descriptor >= 0 else { return nil }
  }

  func close() { Glibc.close(descriptor) }

  /// The connection as the line that a host is made over. Whoever takes it closes it.
  var channel: ControlChannel { ControlChannel(descriptor: descriptor) }

  private func answer() throws -> HostAnswer {
    let line = try ByteStream.line(from: descriptor, before: Deadline(seconds: Self.patience))
    guard let line, let answer = HostAnswer(line: line) else {
      throw LabError("its first process gave no answer")
    }
    return answer
  }

  /// Which of these answer in the host.
  func probe(_ readiness: [Readiness]) throws -> [Bool] {
    try ByteStream.send(HostRequest.probe(readiness), to: descriptor)
    guard case .answers(let all) = try answer(), all.count == readiness.count else {
      throw LabError("its first process does not say which services answer")
    }
    return all
  }

  /// Starts a command in the host. The child here stands for it, passes signals on, and ends as it
  /// does.
  ///
  /// - Parameter follower: the program `liburna-host` on this machine.
  func start(
    _ command: HostCommand, controlsTerminal: Bool = false, descriptors: [Int32], follower: String
  ) throws -> Child {
    let kind = getenv("TERM").map { String(cString: $0) }
    let use = HostTerminalUse(controls: controlsTerminal, kind: kind)
    try ByteStream.send(HostRequest.run(command, use), to: descriptor)
    for handed in descriptors.prefix(3) {
      guard clinux_send_descriptor(descriptor, handed, [0], 1) == 1 else {
        throw LabError.system("hand over", "a standard file")
      }
    }
    switch try answer() {
    case .done: break
    case .refused(0, let why): throw LabError(why)
    case .refused(let code, let why): throw StartError(code: code, message: why)
    default: throw LabError("its first process gave an answer to something else")
    }
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { Glibc.close(null) }
    return try Launch(
      program: .path(follower), arguments: [HostProgram.name, "follow"],
      descriptors: [null, null, null, descriptor]
    ).start()
  }

  /// Opens a terminal in the host and gives our end of it.
  func terminal() throws -> HostTerminal {
    try ByteStream.send(HostRequest.terminal, to: descriptor)
    var text = [UInt8](repeating: 0, count: 512)
    var master: Int32 = -1
    guard ByteStream.isReadable(descriptor, within: Int32(Self.patience) * 1000) else {
      throw LabError("its first process gave no answer")
    }
    let got = clinux_receive_descriptor(descriptor, &master, &text, text.count)
    guard got > 0, master >= 0 else {
      let line = String(decoding: text.prefix(max(0, got)), as: UTF8.self)
      throw LabError("it opened no terminal: \(line)")
    }
    return try HostTerminal(master: master)
  }
}
