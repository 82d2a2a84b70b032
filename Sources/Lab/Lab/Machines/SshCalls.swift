// Many calls of ssh at once, as many as a machine bears, with what each of them wrote.

import CLinux
import Glibc

/// One call, to be made beside others.
struct SshCall {
  /// What a call reads. It is opened when the call is made: there may be more calls than a process may
  /// have open files.
  enum Input {
    case nothing
    case bytes([UInt8])
    case file(String)

    /// A descriptor, or -1 with errno.
    func open() -> Int32 {
      switch self {
      case .nothing: Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
      case .bytes(let bytes): MemoryFile.make(bytes)
      case .file(let path): Glibc.open(path, O_RDONLY | O_CLOEXEC)
      }
    }
  }

  var words: [String]
  var input = Input.nothing
}

/// How a call ended.
struct SshAnswer: Equatable {
  /// 255 when ssh itself failed, or when time ran out.
  var code: Int32
  var output: [UInt8] = []
  /// What it wrote to standard error, the last lines.
  var words: String

  var text: String { String(decoding: output, as: UTF8.self) }
  /// Why it failed, in one line.
  var reason: String {
    let lines = words.split(whereSeparator: \.isNewline).suffix(3)
    return lines.isEmpty ? "exit code \(code)" : lines.joined(separator: "; ")
  }
}

/// Calls under way.
struct SshCalls {
  private struct Running {
    var place: Int
    var child: Child
    var output: Int32
    var errors: Int32
  }

  /// How many processes of ssh run at once.
  static let atOnce = 32
  /// The most bytes that one call may write.
  static let outputLimit = 64 << 20
  private static let errorLimit = 16_384

  private var answers: [SshAnswer]
  private var running: [Running] = []

  /// Makes all calls and waits for them; those that are not done in time are ended.
  static func run(_ calls: [SshCall], before deadline: Deadline) -> [SshAnswer] {
    var all = SshCalls(
      answers: calls.map { _ in SshAnswer(code: Ssh.failed, words: "no time was left to ask") })
    var next = 0
    while next < calls.count || !all.running.isEmpty {
      while next < calls.count, all.running.count < atOnce, !deadline.isOver {
        all.start(calls[next], next)
        next += 1
      }
      if deadline.isOver { next = calls.count }
      all.wait(deadline)
    }
    return all.answers
  }

  private init(answers: [SshAnswer]) { self.answers = answers }

  private mutating func start(_ call: SshCall, _ place: Int) {
    let input = call.input.open()
    var pipes: [Int32] = [-1, -1, -1, -1]
    let made = pipes.withUnsafeMutableBufferPointer { buffer -> Bool in
      guard let base = buffer.baseAddress else { return false }
      return clinux_pipe(base, 0) == 0 && clinux_pipe(base + 2, 0) == 0
    }
    defer {
      for descriptor in [input, pipes[1], pipes[3]] where descriptor >= 0 { close(descriptor) }
    }
    do {
      guard made, input >= 0 else { throw LabError.system("open", "what ssh reads and writes") }
      var launch = Ssh.launch(call.words, descriptors: [input, pipes[1], pipes[3]])
      // A call must not outlive a tool that is killed: it might still make a shared connection.
      launch.bound = true
      let child = try launch.start()
      for descriptor in [pipes[0], pipes[2]] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
      answers[place].words = ""
      running.append(Running(place: place, child: child, output: pipes[0], errors: pipes[2]))
    } catch {
      for descriptor in [pipes[0], pipes[2]] where descriptor >= 0 { close(descriptor) }
      let isMissing = (error as? StartError)?.code == ENOENT
      answers[place].words = "\(error)" + (isMissing ? "; install the package openssh-client" : "")
    }
  }

  private mutating func wait(_ deadline: Deadline) {
    guard !running.isEmpty else { return }
    var waits = running.flatMap { call in
      [call.child.descriptor, call.output, call.errors].map {
        pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
      }
    }
    _ = poll(&waits, nfds_t(waits.count), deadline.remaining)
    let late = deadline.isOver
    for place in running.indices.reversed() {
      read(place)
      let call = running[place].place
      if waits[place * 3].revents != 0 {
        finish(place)
      } else if late || answers[call].output.count > Self.outputLimit {
        kill(running[place].child.pid, SIGKILL)
        finish(place)
        answers[call].code = Ssh.failed
        answers[call].words += late ? "\nit did not answer in time" : "\nit wrote too much"
      } else {
        closeEnded(place, waits)
      }
    }
  }

  private mutating func finish(_ place: Int) {
    read(place)
    let call = running.remove(at: place)
    for descriptor in [call.output, call.errors] where descriptor >= 0 { close(descriptor) }
    answers[call.place].code = call.child.wait()
  }

  /// A pipe that has ended would be heard again and again.
  private mutating func closeEnded(_ place: Int, _ waits: [pollfd]) {
    let isOver = Int16(POLLHUP | POLLERR)
    if waits[place * 3 + 1].revents & isOver != 0 {
      close(running[place].output)
      running[place].output = -1
    }
    if waits[place * 3 + 2].revents & isOver != 0 {
      close(running[place].errors)
      running[place].errors = -1
    }
  }

  private mutating func read(_ place: Int) {
    let call = running[place]
    Self.drain(call.output, into: &answers[call.place].output, limit: Self.outputLimit + 1)
    var words: [UInt8] = []
    Self.drain(call.errors, into: &words, limit: Self.outputLimit)
    let all = answers[call.place].words + String(decoding: words, as: UTF8.self)
    answers[call.place].words = String(all.suffix(Self.errorLimit))
  }

  private static func drain(_ descriptor: Int32, into bytes: inout [UInt8], limit: Int) {
    guard descriptor >= 0 else { return }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while bytes.count < limit {
      let got = Glibc.read(descriptor, &chunk, chunk.count)
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { return }
      bytes.append(contentsOf: chunk[0..<got])
    }
  }
}
