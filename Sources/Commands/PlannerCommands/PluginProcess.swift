// A plug-in that is a program: it reads one line for each question and writes one line for each answer.
// Started when it is first asked; ended for good when it is late or breaks the contract.

import CLinux
import Glibc
import Kamelot
import Synchronization

/// A program that answers line by line.
final class PluginProcess: Sendable {
  /// The greatest answer in bytes: the order of half a million jobs.
  static let answerLimit = 8 << 20
  /// Seconds that it may take over one answer.
  static let patience = 10.0

  private enum State {
    case notStarted
    case running(RunningPlugin)
    case ended(because: String)
  }

  private let words: [String]
  private let patience: Double
  private let state = Mutex<State>(.notStarted)

  /// - Parameter words: the program, looked for in PATH unless it has a slash, and its arguments; not empty.
  init(_ words: [String], patience: Double = PluginProcess.patience) {
    self.words = words
    self.patience = patience
  }

  deinit { end(because: "") }

  /// The answer to a question, which ends with its newline; the answer comes without.
  func ask(_ question: [UInt8]) throws(PluginError) -> [UInt8] {
    let result: Result<[UInt8], PluginError> = state.withLock { state in
      do throws(PluginError) {
        let running = try start(&state)
        return .success(try running.ask(question, within: patience))
      } catch {
        finish(&state, because: error.description)
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Ends the program: it is not started again.
  func end(because problem: String) {
    state.withLock { finish(&$0, because: problem) }
  }

  private func start(_ state: inout State) throws(PluginError) -> RunningPlugin {
    switch state {
    case .running(let running): return running
    case .ended(let problem): throw PluginError("it was ended before: \(problem)")
    case .notStarted:
      let running = try RunningPlugin(words)
      state = .running(running)
      return running
    }
  }

  private func finish(_ state: inout State, because problem: String) {
    if case .ended = state { return }
    if case .running(let running) = state { running.end() }
    state = .ended(because: problem)
  }
}

/// The process and the socket that is its standard input and output.
private struct RunningPlugin {
  let pid: pid_t
  let socket: Int32

  init(_ words: [String]) throws(PluginError) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Self.failure("it has no socket") }
    defer { close(ends[1]) }
    var arguments = words.map { strdup($0) }
    defer { arguments.forEach { free($0) } }
    arguments.append(nil)
    var pid = pid_t()
    let code = clinux_spawn(arguments, ends[1], ends[1], &pid)
    guard code == 0 else {
      close(ends[0])
      throw Self.failure("\"\(words[0])\" can't be started", code)
    }
    self.pid = pid
    socket = ends[0]
  }

  /// Ends the process and all that it started, and waits for it.
  func end() {
    close(socket)
    kill(-pid, SIGKILL)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
  }

  /// Writes a question and reads one line.
  func ask(_ question: [UInt8], within patience: Double) throws(PluginError) -> [UInt8] {
    let deadline = Self.now() + patience
    var rest = question[...]
    var answer: [UInt8] = []
    while true {
      try wait(toWrite: !rest.isEmpty, until: deadline, patience)
      if !rest.isEmpty { try write(&rest) }
      let newline = try read(&answer)
      guard let newline else { continue }
      guard rest.isEmpty, newline == answer.count - 1 else {
        throw PluginError("it wrote more than one line for one question")
      }
      answer.removeLast()
      return answer
    }
  }

  private func wait(
    toWrite: Bool, until deadline: Double, _ patience: Double
  ) throws(PluginError) {
    let events = Int16(POLLIN) | (toWrite ? Int16(POLLOUT) : 0)
    var entry = pollfd(fd: socket, events: events, revents: 0)
    while true {
      let left = deadline - Self.now()
      guard left > 0 else { throw PluginError("it did not answer within \(patience) s") }
      let count = poll(&entry, 1, Int32(min(left * 1000 + 1, 1e6)))
      if count > 0 { return }
      guard count == 0 || errno == EINTR else { throw Self.failure("it can't be waited for") }
    }
  }

  private func write(_ rest: inout ArraySlice<UInt8>) throws(PluginError) {
    let count = rest.withUnsafeBytes {
      send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    }
    if count >= 0 {
      rest = rest.dropFirst(count)
    } else if errno == EPIPE || errno == ECONNRESET {
      throw PluginError("it ended before it had read the question")
    } else if errno != EAGAIN, errno != EINTR {
      throw Self.failure("it can't be written to")
    }
  }

  /// Reads what there is; where the first line ends, if it does.
  private func read(_ answer: inout [UInt8]) throws(PluginError) -> Int? {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = chunk.withUnsafeMutableBytes {
      recv(socket, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
    }
    if count == 0 || (count < 0 && errno == ECONNRESET) {
      throw PluginError("it ended without an answer")
    }
    guard count > 0 else {
      if errno == EAGAIN || errno == EINTR { return nil }
      throw Self.failure("it can't be read from")
    }
    let start = answer.count
    answer += chunk[..<count]
    guard answer.count <= PluginProcess.answerLimit else {
      throw PluginError("its answer is longer than \(PluginProcess.answerLimit) bytes")
    }
    return answer[start...].firstIndex(of: UInt8(ascii: "\n"))
  }

  private static func failure(_ problem: String, _ code: Int32 = errno) -> PluginError {
    PluginError("\(problem): \(String(cString: strerror(code)))")
  }

  /// Seconds of a clock that nobody sets.
  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
