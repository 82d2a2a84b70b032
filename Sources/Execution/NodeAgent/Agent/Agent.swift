// The agent of a host: takes the server's requests, forks shepherds, reports what becomes of them.
//
// One thread, and nothing that can't be lost: what matters is in the spool and in the shepherds.

import CLinux
import ClusterModel
import Encoding
import Glibc
import Wire

final class Agent {
  let options: AgentOptions
  let loop: EventLoop
  let spool: Spool
  let groups: any ControlGroups
  let accounts: Accounts
  /// Kubernetes on this host.
  let lending: Lending
  /// The limit of open files that the agent itself was started with, for its children.
  let openFiles: UInt64

  var attempts: [AttemptID: Attempt] = [:]
  var channels: [Int: any Channel] = [:]
  /// Channels whose users are being looked up.
  var openings: Set<Int> = []
  /// What of jobs that may not stay is still here.
  var leftovers = Leftovers()
  /// What waits until a cgroup's removal is over, by path.
  var removals: [String: [() -> Void]] = [:]
  var noticeEnds: (read: Int32, write: Int32) = (-1, -1)
  private(set) var exitCode: Int32 = 0
  private var connection: FrameStream?
  private var isGreeted = false

  init(options: AgentOptions, loop: EventLoop, groups: any ControlGroups, openFiles: UInt64)
    throws(SystemError)
  {
    self.options = options
    self.loop = loop
    self.groups = groups
    self.openFiles = openFiles
    spool = try Spool(state: options.state, run: options.run)
    accounts = Accounts(loop: loop)
    lending = Lending(loop: loop, groups: groups, state: options.state)
    lending.tell = { [unowned self] in if isGreeted { send(.lending($0)) } }
  }

  /// Takes up the attempts of earlier agents, then serves the connection until it ends.
  func serve(input: Int32, output: Int32) throws(SystemError) -> Int32 {
    try AgentLock.take(in: options.state)
    try openNotices()
    try lending.takeUp()
    try adoptAttempts()
    Rehearsal.run()
    let connection = FrameStream(loop: loop, input: input, output: output)
    self.connection = connection
    connection.start(
      onFrame: { [unowned self] in received($0) },
      onClose: { [unowned self] in
        $0 == FrameStream.endOfStream ? stop(0) : complain("the connection broke: \($0)", 2)
      })
    loop.run()
    return exitCode
  }

  // MARK: Speaking

  func send(_ report: AgentReport) { connection?.send(report) }

  func send(channel: Int, _ bytes: [UInt8]) { connection?.send(channel: channel, bytes) }

  func remark(_ text: String) { send(.remark(text)) }

  /// Passes on what the cgroups have to say.
  func passRemarks() {
    guard !groups.remarks.isEmpty else { return }
    for text in groups.remarks { remark(text) }
    groups.remarks = []
  }

  private func stop(_ code: Int32) {
    exitCode = code
    loop.stop()
  }

  /// Ends the agent with a reason for the server and for whoever reads its error output.
  private func complain(_ text: String, _ code: Int32) {
    let line = Array("liburna-node: \(text)\n".utf8)
    line.withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count) }
    remark(text)
    // After the round in which the remark leaves.
    loop.afterThisRound { [unowned self] in stop(code) }
  }

  // MARK: Listening

  private func received(_ frame: Frame) {
    switch frame {
    case .channel(let number, let bytes):
      channels[number]?.input(bytes)
    case .message(let bytes):
      do {
        try perform(CBORDecoder().decode(AgentRequest.self, from: bytes))
      } catch {
        complain("a message that is no request: \(error)", 2)
      }
    }
  }

  private func perform(_ request: AgentRequest) {
    if case .hello(let version) = request { return greet(version) }
    guard isGreeted else { return complain("the first message must be hello", 2) }
    switch request {
    case .hello: break
    case .retain(let jobs, let root, let isShared):
      retain(Set(jobs), root: root, isShared: isShared)
    case .prepare(let job, _, let confinement, let files): prepare(job, confinement, files)
    case .start(let specification): start(specification)
    case .kill(let id, let grace): tell(id, .kill, grace)
    case .signal(let id, let number): tell(id, .signal, number)
    case .walltime(let id, let walltime): tell(id, .walltime, walltime)
    case .suspend(let job, let confinement): setSuspended(job, confinement, true)
    case .resume(let job, let confinement): setSuspended(job, confinement, false)
    case .acknowledge(let id): acknowledge(id)
    case .release(let job, let confinement): release(job, confinement)
    case .openSession(let channel, let specification): openSession(channel, specification)
    case .attach(let channel, let id, let size): attach(channel, id, size)
    case .resize(let channel, let size): channels[channel]?.resize(size)
    case .grant(let channel, let bytes): channels[channel]?.grant(bytes)
    case .closeChannel(let channel, let isEnd): closeChannel(channel, isEnd)
    case .lend(let order): lending.obey(order)
    case .ping(let number): send(.pong(number))
    }
  }

  private func greet(_ version: Int) {
    guard version == nodeProtocolVersion else {
      return complain(
        "the server speaks version \(version) of the protocol, this agent \(nodeProtocolVersion):"
          + " install the same version of Liburna on both", 3)
    }
    isGreeted = true
    let known = attempts.compactMapValues(\.status)
    send(.hello(version: nodeProtocolVersion, host: options.host, attempts: known))
    if lending.isConcerned { send(.lending(lending.report)) }
    passRemarks()
  }
}
