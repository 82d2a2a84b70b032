// The server's end of a connection to a real agent, for tests.

import CLinux
import Encoding
import Glibc
import Testing
import Wire

@testable import NodeAgent

/// Sends requests and waits for reports.
final class AgentClient {
  /// Milliseconds after which a report that does not come fails the test.
  static let patience: Int32 = 120_000

  /// Of the agent (it replaces the programs that prepare its namespace).
  let pid: pid_t
  private let input: Int32
  private let output: Int32
  private let errorOutput: Int32
  private var reader = FrameReader()
  private var isOpen = true
  /// Reports that came before they were waited for.
  private var early: [AgentReport] = []
  /// The bytes of each channel so far.
  private(set) var data: [Int: [UInt8]] = [:]

  init(words: [String]) throws {
    var launch = Launch(program: words[0], arguments: words)
    launch.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    var ends: [[Int32]] = []
    for _ in 0..<3 {
      var pair: [Int32] = [-1, -1]
      try #require(clinux_pipe(&pair, 0) == 0)
      ends.append(pair)
    }
    launch.input = ends[0][0]
    launch.output = ends[1][1]
    launch.error = ends[2][1]
    let (pid, report) = try launch.start()
    close(report)
    self.pid = pid
    input = ends[0][1]
    output = ends[1][0]
    errorOutput = ends[2][0]
    for end in [ends[0][0], ends[1][1], ends[2][1]] { close(end) }
  }

  deinit {
    if isOpen { close(input) }
    close(output)
    close(errorOutput)
  }

  // MARK: Speaking

  func send(_ request: AgentRequest) throws {
    var bytes: [UInt8] = []
    try FrameWriter.append(request, to: &bytes)
    try sendRaw(bytes)
  }

  func send(channel: Int, _ text: String) throws {
    var bytes: [UInt8] = []
    FrameWriter.append(.channel(channel, Array(text.utf8)), to: &bytes)
    try sendRaw(bytes)
  }

  func sendRaw(_ bytes: [UInt8]) throws {
    try Descriptors.write(input, bytes, named: "the agent")
  }

  // MARK: Listening

  /// Greets the agent and returns the attempts that it knows.
  @discardableResult
  func greet() throws -> [AttemptID: AttemptStatus] {
    try send(.hello(version: nodeProtocolVersion))
    return try wait {
      if case .hello(_, _, let attempts) = $0 { attempts } else { nil }
    }
  }

  /// The first report, of those to come and those that came early, for which `pick` finds a value.
  func wait<Value>(_ pick: (AgentReport) -> Value?) throws -> Value {
    for (index, report) in early.enumerated() {
      if let value = pick(report) {
        early.remove(at: index)
        return value
      }
    }
    while true {
      let report = try #require(try nextReport(), "the agent closed the connection")
      if let value = pick(report) { return value }
      early.append(report)
    }
  }

  /// The end of an attempt.
  func end(of job: Int, number: Int = 1) throws -> (status: Int, cause: EndCause) {
    let status = try final(of: job, number: number)
    guard case .ended(let raw, let cause, _) = status else {
      throw UnexpectedStatus(status: status)
    }
    return (raw, cause)
  }

  /// The last status of an attempt.
  func final(of job: Int, number: Int = 1) throws -> AttemptStatus {
    try wait { report in
      guard case .attempt(let id, let status) = report, id == AttemptID(job: job, number: number)
      else {
        return nil
      }
      if case .running = status { return nil }
      return status
    }
  }

  /// The shepherd of an attempt, once its command runs.
  @discardableResult
  func running(_ job: Int) throws -> pid_t {
    try wait { report in
      guard case .attempt(let id, .running(let pid, _)) = report, id.job == job else { return nil }
      return pid_t(pid)
    }
  }

  func opened(_ channel: Int) throws {
    let problem: String = try wait { report in
      switch report {
      case .channelOpened(channel): ""
      case .channelFailed(channel, let text): text
      default: nil
      }
    }
    #expect(problem == "")
  }

  func ended(_ channel: Int) throws -> Int {
    try wait { if case .channelEnded(channel, let status) = $0 { status } else { nil } }
  }

  func failed(_ channel: Int) throws -> String {
    try wait { if case .channelFailed(channel, let text) = $0 { text } else { nil } }
  }

  /// Waits until a channel's bytes contain a text.
  func data(_ channel: Int, contains text: String) throws {
    while !channelText(channel).contains(text) {
      guard let report = try nextReport(stopsAtData: true) else { continue }
      if case .channelEnded(channel, _) = report {
        Issue.record("the channel ended without \"\(text)\": \(channelText(channel))")
        return
      }
      early.append(report)
    }
  }

  func channelText(_ channel: Int) -> String {
    String(decoding: data[channel] ?? [], as: UTF8.self)
  }

  /// Everything that the agent has sent up to now was taken in.
  func sync() throws {
    try send(.ping(4711))
    try wait { if case .pong(4711) = $0 { () } else { nil } }
  }

  private func nextReport(stopsAtData: Bool = false) throws -> AgentReport? {
    while true {
      switch try reader.next() {
      case .message(let bytes): return try CBORDecoder().decode(AgentReport.self, from: bytes)
      case .channel(let number, let bytes):
        data[number, default: []] += bytes
        if stopsAtData { return nil }
      case nil:
        var event = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        guard poll(&event, 1, Self.patience) > 0 else { throw Silence() }
        let bytes = try Descriptors.read(output, upTo: 64 << 10, named: "the agent")
        if bytes.isEmpty { return nil }
        reader.append(bytes)
      }
    }
  }

  // MARK: Ending

  /// Closes the connection and returns the agent's wait status.
  func hangUp() -> Int32 {
    if isOpen { close(input) }
    isOpen = false
    return awaitExit()
  }

  func awaitExit() -> Int32 {
    var status: Int32 = -1
    waitpid(pid, &status, 0)
    return status
  }

  /// What the agent wrote to its error output; call it after its end.
  func errorText() throws -> String {
    var bytes: [UInt8] = []
    while case let more = try Descriptors.read(errorOutput, upTo: 4096, named: "errors"),
      !more.isEmpty
    {
      bytes += more
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

struct UnexpectedStatus: Error { let status: AttemptStatus }

/// The agent said nothing for too long.
struct Silence: Error {}
