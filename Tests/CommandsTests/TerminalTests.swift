// Interactive jobs and sessions: real terminals and a real socket, with a server that plays the host.

import ClusterModel
import Glibc
import Synchronization
import Testing
import Wire

@testable import CommandLine
@testable import UserCommands

/// A pair of terminal ends: the user's keyboard and screen, and what a command has as its input.
private final class Terminal: Sendable {
  let user: Int32
  let command: Int32

  init(rows: UInt16 = 40, columns: UInt16 = 100) {
    var user: Int32 = -1
    var command: Int32 = -1
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    openpty(&user, &command, nil, nil, &size)
    self.user = user
    self.command = command
  }

  deinit {
    close(user)
    close(command)
  }

  func type(_ text: String) { _ = writeAll(Array(text.utf8), to: user) }

  /// Whether keys are handed on one by one, without echo.
  var isRaw: Bool {
    var mode = termios()
    tcgetattr(command, &mode)
    return mode.c_lflag & tcflag_t(ICANON | ECHO | ISIG) == 0
  }
}

/// The thread that a command runs on, for signals that are meant for it alone.
private final class CommandThread: Sendable {
  private let thread = Mutex<UInt>(0)
  func remember() { thread.withLock { $0 = UInt(pthread_self()) } }
  func signal(_ number: Int32) { _ = pthread_kill(pthread_t(thread.withLock { $0 }), number) }
}

private func notice(
  _ state: JobState, _ text: String, planned: Instant? = nil, exitCode: Int? = nil, job: JobID = 75
) -> ServerReply {
  .notice(
    JobNotice(
      job: job, user: "alice", state: state, date: 1_795_177_263, exitCode: exitCode, text: text,
      plannedStart: planned))
}

/// Calls oarsub with a server that accepts job 75 and does with the rest what the test says.
private func interactive(
  _ words: [String] = ["-I"], terminal: Terminal, thread: CommandThread = CommandThread(),
  script: @escaping FakeServer.Script
) throws -> CallResult {
  thread.remember()
  return try call(
    Oarsub.self, ["oarsub"] + words, variables: ["TERM": "vt100"], input: terminal.command
  ) { client, event in
    if case .request(let id, .submit(let submission)) = event {
      let count = submission.arraySize
      client.reply(
        id, .submitted(SubmissionResult(remarks: [], first: 75, count: count, arrayID: 75)))
    } else if case .request(let id, .jobs) = event {
      client.reply(id, .jobs([], last: true))
    } else {
      script(client, event)
    }
  }
}

private let submitted = "OAR_JOB_ID=75\nInteractive mode: waiting...\n"

@Suite("oarsub -I")
struct InteractiveJobTests {
  @Test("the user's keys reach the job, its output the user, and the terminal is as it was before")
  func session() throws {
    let terminal = Terminal()
    let sizes = Seen<TerminalSize>()
    let wasRaw = Seen<Bool>()
    let result = try interactive(terminal: terminal) { client, event in
      switch event {
      case .request(let id, .attach(75, let size)):
        sizes.add(size)
        client.reply(
          id, notice(.waiting, "R=1,W=2:0:0,J=I"), notice(.toLaunch, ""), notice(.running, ""),
          .channelOpened(channel: 1, host: "node1"))
        client.data(1, "alice@node1:~$ ")
        terminal.type("exit\r")
      case .data(1, let bytes):
        wasRaw.add(terminal.isRaw)
        client.data(1, "<\(String(decoding: bytes, as: UTF8.self))>")
        if let last = bytes.last, last == 13 || last == 10 {
          client.reply(0, .channelEnded(channel: 1, status: 3 << 8))
        }
      default: break
      }
    }
    #expect(sizes.all == [TerminalSize(rows: 40, columns: 100)])
    #expect(wasRaw.all.last == true)
    #expect(!terminal.isRaw)
    #expect(
      result.output.hasPrefix(
        submitted + "Starting...\nConnect to OAR job 75 via the node node1\nalice@node1:~$ <"))
    #expect(result.output.hasSuffix("Disconnected from OAR job 75.\n"))
    #expect(result.errors == "Connection to node1 closed.\n")
    #expect(result.code == 0)
  }

  @Test("the forecast is told when it changes, and a held job has none")
  func forecast() throws {
    let result = try interactive(terminal: Terminal()) { client, event in
      guard case .request(let id, .attach) = event else { return }
      let text = "R=2,W=0:5:0,J=I (Karma=2.624,quota_ok)"
      client.reply(
        id, notice(.waiting, text, planned: 1_795_178_222),
        notice(.waiting, text, planned: 1_795_178_222), notice(.hold, ""),
        notice(.error, "Job killed by Leon directly"))
    }
    let now = LocalDate(1_795_177_263).text
    let start = LocalDate(1_795_178_222).text
    #expect(
      result.output == submitted + """
        [\(now)] Start prediction: \(start) (R=2,W=0:5:0,J=I (Karma=2.624,quota_ok))
        Start prediction: undefined (Hold)
        JOB KILLED

        """)
    #expect(result.errors == "Job killed by Leon directly\n")
    #expect(result.code == 11)
  }

  @Test("Ctrl-C while the job waits deletes it, and the process ends by the signal")
  func interrupt() throws {
    let thread = CommandThread()
    let deleted = Seen<JobID>()
    let result = try interactive(terminal: Terminal(), thread: thread) { client, event in
      switch event {
      case .request(let id, .attach):
        client.reply(id, notice(.waiting, ""))
        thread.signal(SIGINT)
      case .request(let id, .act(.delete, let selection)):
        for job in selection.ids { deleted.add(job) }
        client.reply(id, .outcomes([JobOutcome(job: 75)]))
      default: break
      }
    }
    #expect(
      result.output == submitted + """


        Caught Interrupt (^C), Deleting the job 75...
        Job(s) deleted.

        """)
    #expect(deleted.all == [75])
    #expect(result.endingSignal == SIGINT)
  }

  @Test("a window that changes its size is followed")
  func resize() throws {
    let terminal = Terminal()
    let thread = CommandThread()
    let sizes = Seen<TerminalSize>()
    _ = try interactive(terminal: terminal, thread: thread) { client, event in
      switch event {
      case .request(let id, .attach):
        client.reply(id, .channelOpened(channel: 1, host: "node1"))
        var size = winsize(ws_row: 50, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(terminal.user, UInt(TIOCSWINSZ), &size)
        thread.signal(SIGWINCH)
      case .request(_, .resize(1, let size)):
        sizes.add(size)
        client.reply(0, .channelEnded(channel: 1, status: 0))
      default: break
      }
    }
    #expect(sizes.all == [TerminalSize(rows: 50, columns: 120)])
  }

  @Test("a job that is deleted or out of time says that it was terminated")
  func terminated() throws {
    let terminal = Terminal()
    let result = try interactive(terminal: terminal) { client, event in
      guard case .request(let id, .attach) = event else { return }
      client.reply(
        id, .channelOpened(channel: 1, host: "node1"), .channelEnded(channel: 1, status: 9))
    }
    #expect(result.errors == "Connection to node1 closed.\n[ERROR] Job was terminated.\n")
    #expect(result.output.hasSuffix("Disconnected from OAR job 75.\n"))
    #expect(result.code == 0)
    #expect(!terminal.isRaw)
  }

  @Test("a lost connection is made again, and the terminal joined where it was")
  func reconnection() throws {
    let attached = Seen<JobID>()
    let terminal = Terminal()
    let result = try interactive(terminal: terminal) { client, event in
      guard case .request(let id, .attach(let job, _)) = event else { return }
      attached.add(job)
      let channel = attached.all.count
      client.reply(id, .channelOpened(channel: channel, host: "node1"))
      client.data(channel, "part \(channel)\n")
      if channel == 1 {
        client.hangUp()
      } else {
        client.reply(id, .channelEnded(channel: channel, status: 0))
      }
    }
    #expect(attached.all == [75, 75])
    #expect(result.output.contains("part 1\n"))
    #expect(result.output.hasSuffix("part 2\nDisconnected from OAR job 75.\n"))
    #expect(result.errors.hasPrefix("The connection to the server is lost"))
    #expect(result.code == 0)
    #expect(!terminal.isRaw)
  }

  @Test("a terminal that goes away while the job runs deletes the job")
  func hangup() throws {
    let thread = CommandThread()
    let deleted = Seen<JobID>()
    let terminal = Terminal()
    let result = try interactive(terminal: terminal, thread: thread) { client, event in
      switch event {
      case .request(let id, .attach):
        client.reply(id, .channelOpened(channel: 1, host: "node1"))
        thread.signal(SIGHUP)
      case .request(let id, .act(.delete, let selection)):
        for job in selection.ids { deleted.add(job) }
        client.reply(id, .outcomes([JobOutcome(job: 75)]))
      default: break
      }
    }
    #expect(deleted.all == [75])
    #expect(result.endingSignal == SIGHUP)
    #expect(!terminal.isRaw)
  }
}

@Suite("oarsub -C")
struct TerminalConnectionTests {
  @Test("a running job is joined with a shell of its own")
  func joins() throws {
    let seen = Seen<SessionRequest>()
    let result = try call(Oarsub.self, ["oarsub", "-C", "77"]) { client, event in
      guard case .request(let id, .open(let request)) = event else { return }
      seen.add(request)
      client.reply(id, .channelOpened(channel: 4, host: "node1"))
      client.data(4, "node1\r\n")
      client.reply(id, .channelEnded(channel: 4, status: 0))
    }
    #expect(seen.all.first?.job == 77)
    #expect(seen.all.first?.host == nil)
    #expect(seen.all.first?.terminal?.size == TerminalSize(rows: 24, columns: 80))
    #expect(
      result.output == """
        Connect to OAR job 77 via the node node1
        node1\r
        Disconnected from OAR job 77.

        """)
    #expect(result.code == 0)
  }

  @Test(
    "a job that can't be joined has OAR's words",
    arguments: [
      (
        Refusal.Kind.wrongState,
        "[ERROR] the job 1 is not running. Its current state is Terminated.\n"
      ),
      (
        .notOwner,
        "[ERROR] you are not the right user for the job 1. This job is owned by alice.\n"
      ),
    ])
  func refusals(kind: Refusal.Kind, text: String) throws {
    let result = try call(Oarsub.self, ["oarsub", "-C", "1"]) { client, event in
      switch event {
      case .request(let id, .open): client.reply(id, .refused(Refusal(kind, "no")))
      case .request(let id, .jobs):
        client.reply(
          id,
          .jobs(
            [
              Recorded.job(
                1, "alice", .terminated, "", command: "", submitted: 0, moldables: [])
            ], last: true))
      default: break
      }
    }
    #expect(result.errors == text)
    #expect(result.code == 20)
  }
}

@Suite("oarsub --wait")
struct JobWaitTests {
  @Test("the exit code of the job is taken over", arguments: [(1280, 5), (9, 137), (0, 0)])
  func exitCode(status: Int, code: Int32) throws {
    let result = try interactive(["--wait", "true"], terminal: Terminal()) { client, event in
      guard case .request(let id, .follow(let selection)) = event else { return }
      #expect(selection?.ids == [75])
      client.reply(
        id, notice(.waiting, ""), notice(.running, "on node1"),
        notice(.terminated, "", exitCode: status))
    }
    #expect(result.output == "OAR_JOB_ID=75\n")
    #expect(result.errors.contains("Job 75 is Running: on node1\n"))
    #expect(result.code == code)
  }

  @Test("a job that never ran is a failure, with its reason")
  func error() throws {
    let result = try interactive(["--wait", "true"], terminal: Terminal()) { client, event in
      guard case .request(let id, .follow) = event else { return }
      client.reply(id, notice(.error, "Cannot go into the working directory /x"))
    }
    #expect(result.code == 1)
    #expect(result.errors.contains("Job 75 is Error: Cannot go into the working directory /x"))
  }

  @Test("an array ends with the exit code of its first job that failed")
  func array() throws {
    let words = ["--wait", "--array", "3", "true"]
    let result = try interactive(words, terminal: Terminal()) { client, event in
      guard case .request(let id, .follow(let selection)) = event else { return }
      #expect(selection?.ids == [75, 76, 77])
      client.reply(
        id, notice(.terminated, "", exitCode: 4 << 8, job: 77),
        notice(.terminated, "", exitCode: 3 << 8, job: 76),
        notice(.terminated, "", exitCode: 0, job: 75))
    }
    #expect(result.code == 3)
    #expect(result.errors.hasSuffix("3 jobs have ended, 2 of them failed.\n"))
  }

  @Test("Ctrl-C leaves the job running and says so")
  func interrupt() throws {
    let thread = CommandThread()
    let words = ["--wait", "true"]
    let result = try interactive(words, terminal: Terminal(), thread: thread) { client, event in
      guard case .request(let id, .follow) = event else { return }
      client.reply(id, notice(.running, ""))
      thread.signal(SIGINT)
    }
    #expect(
      result.errors.hasSuffix(
        "The job 75 goes on: watch it with oarstat -j 75, end it with oardel 75.\n"))
    #expect(result.endingSignal == SIGINT)
  }

  @Test("a lost connection is made again, and nothing is told twice")
  func reconnection() throws {
    let asked = Seen<Int>()
    let result = try interactive(["--wait", "true"], terminal: Terminal()) { client, event in
      guard case .request(let id, .follow) = event else { return }
      asked.add(id)
      client.reply(id, notice(.running, "on node1"))
      if asked.all.count == 1 {
        client.hangUp()
      } else {
        client.reply(id, notice(.terminated, "", exitCode: 0))
      }
    }
    #expect(asked.all.count == 2)
    #expect(result.code == 0)
    #expect(result.errors.split(separator: "\n").filter { $0.contains("is Running") }.count == 1)
  }
}

@Suite("oarsh")
struct OarshTests {
  private func oarsh(
    _ words: [String], variables: [String: String] = ["OAR_JOB_ID": "12"], input: Int32 = -1,
    script: FakeServer.Script? = nil
  ) throws -> CallResult {
    try call(Oarsh.self, ["oarsh"] + words, variables: variables, input: input, script: script)
  }

  @Test("a command's outputs stay apart, and its exit code is passed on")
  func command() throws {
    let seen = Seen<SessionRequest>()
    let result = try oarsh(["node2", "ls", "-l", "a b"]) { client, event in
      guard case .request(let id, .open(let request)) = event else { return }
      seen.add(request)
      client.reply(id, .channelOpened(channel: 3, host: "node2"))
      client.data(3, "out\n", stream: .standardOutput)
      client.data(3, "err\n", stream: .standardError)
      client.reply(id, .channelEnded(channel: 3, status: 7 << 8))
    }
    let request = try #require(seen.all.first)
    #expect(request.job == 12)
    #expect(request.host == "node2")
    #expect(request.command == ["ls", "-l", "a b"])
    #expect(request.terminal == nil)
    #expect(result.output == "out\n")
    #expect(result.errors == "err\n")
    #expect(result.code == 7)
  }

  @Test("input is forwarded to its end, no faster than it is taken")
  func input() throws {
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    let size = 3 * channelWindow + 17
    let (source, sink) = (ends[0], ends[1])
    startThread {
      _ = writeAll([UInt8](repeating: 0x41, count: size), to: sink)
      close(sink)
    }
    defer { close(source) }
    let received = Mutex(0)
    let pending = Mutex(0)
    let result = try oarsh(["node2", "wc", "-c"], input: source) { client, event in
      switch event {
      case .request(let id, .open): client.reply(id, .channelOpened(channel: 1, host: "node2"))
      case .data(1, let bytes):
        received.withLock { $0 += bytes.count }
        let waiting = pending.withLock { count in
          count += bytes.count
          return count
        }
        #expect(waiting <= channelWindow)
        if waiting == channelWindow {
          pending.withLock { $0 = 0 }
          client.reply(0, .grant(channel: 1, bytes: waiting))
        }
      case .request(let id, .endInput(1)):
        let count = received.withLock { $0 }
        client.data(1, "\(count)\n", stream: .standardOutput)
        client.reply(id, .channelEnded(channel: 1, status: 0))
      default: break
      }
    }
    #expect(result.output == "\(size)\n")
  }

  @Test("output is acknowledged, so that more may come")
  func grants() throws {
    let granted = Mutex(0)
    let piece = String(repeating: "x", count: 1024)
    _ = try oarsh(["-n", "node2", "cat"]) { client, event in
      switch event {
      case .request(let id, .open):
        client.reply(id, .channelOpened(channel: 1, host: "node2"))
        for _ in 0..<256 { client.data(1, piece, stream: .standardOutput) }
      case .request(_, .grant(1, let bytes)):
        let sum = granted.withLock { sum in
          sum += bytes
          return sum
        }
        if sum == channelWindow { client.reply(0, .channelEnded(channel: 1, status: 0)) }
      default: break
      }
    }
    #expect(granted.withLock { $0 } == channelWindow)
  }

  @Test("without a command at a terminal, a shell with a terminal is opened")
  func shell() throws {
    let terminal = Terminal()
    let seen = Seen<SessionRequest>()
    let result = try oarsh(["node2"], input: terminal.command) { client, event in
      guard case .request(let id, .open(let request)) = event else { return }
      seen.add(request)
      client.reply(id, .channelOpened(channel: 1, host: "node2"))
      client.data(1, "$ ")
      client.reply(id, .channelEnded(channel: 1, status: 15))
    }
    #expect(seen.all.first?.command == nil)
    #expect(seen.all.first?.terminal?.size == TerminalSize(rows: 40, columns: 100))
    #expect(result.output == "$ ")
    #expect(result.code == 143)
    #expect(!terminal.isRaw)
  }

  @Test("ssh's options are taken before and after the host")
  func options() throws {
    let seen = Seen<SessionRequest>()
    _ = try oarsh(["-q", "-o", "X=y", "node2", "-T", "-p", "22", "hostname", "-f"]) {
      client, event in
      guard case .request(let id, .open(let request)) = event else { return }
      seen.add(request)
      client.reply(
        id, .channelOpened(channel: 1, host: "node2"), .channelEnded(channel: 1, status: 0))
    }
    #expect(seen.all.first?.host == "node2")
    #expect(seen.all.first?.command == ["hostname", "-f"])
  }

  @Test("a refusal ends with 255, as ssh does")
  func refused() throws {
    let result = try oarsh(["node9", "true"]) { client, event in
      guard case .request(let id, .open) = event else { return }
      client.reply(id, .refused(Refusal(.badValue, "The job 12 has no host node9.")))
    }
    #expect(result.errors == "oarsh: The job 12 has no host node9.\n")
    #expect(result.code == 255)
  }

  @Test(
    "bad calls say what is missing",
    arguments: [
      (["node2", "true"], [:], "OAR_JOB_ID is not set"),
      (["node2", "true"], ["OAR_JOB_ID": "x"], "OAR_JOB_ID is \"x\""),
      ([], ["OAR_JOB_ID": "12"], "no host given"),
      (["-l", "somebody-else", "node2"], ["OAR_JOB_ID": "12"], "somebody-else"),
      (["somebody-else@node2"], ["OAR_JOB_ID": "12"], "somebody-else"),
      (["-Z", "node2"], ["OAR_JOB_ID": "12"], "Unknown option: Z"),
    ] as [([String], [String: String], String)])
  func badCalls(words: [String], variables: [String: String], message: String) throws {
    let result = try oarsh(words, variables: variables)
    #expect(result.code == 255)
    #expect(result.errors.contains(message))
  }
}
