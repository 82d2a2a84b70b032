// The tool as a process of its own: killed at any point it leaves nothing that the next can't remove;
// commands in hosts give their exit codes and have a terminal if they want one.

import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("the tool")
  struct ToolTests {
    /// Starts `liburna lab` with our labs' place; its output comes through the descriptor.
    static func launch(
      _ test: TestLab, _ arguments: [String], input: Int32 = -1
    ) throws -> (child: Child, output: Int32) {
      var ends: [Int32] = [-1, -1]
      try #require(
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
      defer { close(ends[1]) }
      let null = open("/dev/null", O_RDWR | O_CLOEXEC)
      defer { close(null) }
      let program = try TestLab.program
      let child = try Launch(
        program: .path(program), arguments: [program, "lab"] + arguments,
        environment: ["LIBURNA_LAB_DIR=\(test.place)", "PATH=/usr/bin:/bin", "TERM=dumb"],
        descriptors: [input < 0 ? null : input, ends[1], ends[1]], newSession: true
      ).start()
      return (child, ends[0])
    }

    /// A lab where the tool would put it.
    static func testLab(_ name: String) throws -> TestLab {
      let test = try TestLab(name)
      return try TestLab(
        lab: Lab(name: test.lab.name, directory: "\(test.place)/\(test.lab.name)"),
        place: test.place)
    }

    /// Runs the tool to its end.
    static func call(
      _ test: TestLab, _ arguments: [String], input: String = ""
    ) throws -> (code: Int32, text: String) {
      var pipe: [Int32] = [-1, -1]
      try #require(
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pipe) == 0)
      let (child, output) = try launch(test, arguments, input: pipe[1])
      close(pipe[1])
      try Files.writeAll(Array(input.utf8), to: pipe[0], path: "input")
      shutdown(pipe[0], Int32(SHUT_WR))
      defer {
        close(output)
        close(pipe[0])
      }
      var text: [UInt8] = []
      while let byte = read(output) { text.append(byte) }
      return (child.wait(), String(decoding: text, as: UTF8.self))
    }

    static func read(_ descriptor: Int32) -> UInt8? {
      var byte: UInt8 = 0
      return Glibc.read(descriptor, &byte, 1) == 1 ? byte : nil
    }

    /// Where a start is killed: after so many lines of progress, and so many microseconds.
    static let moments: [(lines: Int, delay: UInt32)] =
      [0, 2000, 5000, 10_000, 15_000, 20_000, 30_000, 40_000, 60_000, 80_000].map { (0, $0) }
      + (1...6).flatMap { [($0, 0), ($0, 3000)] }

    @Test("a start that is killed at any point leaves nothing after a stop", arguments: moments)
    func killedStart(lines: Int, delay: UInt32) throws {
      let before = Machine.now
      let test = try Self.testLab("killed")
      try Self.kill(test, afterLines: lines, delay: delay)
      try test.lab.stop()
      #expect(Machine.changes(since: before) == [])
      #expect(test.remains == [])
    }

    @Test("a start that is killed does not hinder the next", arguments: [0, 1, 3, 5])
    func startAfterKill(lines: Int) throws {
      let before = Machine.now
      let test = try Self.testLab("again")
      defer { try? test.lab.stop() }
      try Self.kill(test, afterLines: lines, delay: 1000)
      try test.start()
      #expect(try test.lab.status()?.allAnswer == true)
      #expect(try test.sh("server", "ssh node1 hostname") == "node1")
      try test.lab.stop()
      #expect(Machine.changes(since: before) == [])
      #expect(test.remains == [])
    }

    @Test("a stop that is killed is finished by the next")
    func killedStop() throws {
      for delay in [0, 2000, 5000, 10_000, 20_000] as [UInt32] {
        let test = try Self.testLab("unstopped")
        try test.start()
        let (child, output) = try Self.launch(test, ["stop", "--name", test.lab.name])
        usleep(delay)
        Glibc.kill(child.pid, SIGKILL)
        _ = child.wait()
        close(output)
        try test.lab.stop()
        #expect(test.remains == [])
      }
    }

    private static func kill(_ test: TestLab, afterLines lines: Int, delay: UInt32) throws {
      let (child, output) = try launch(
        test, ["start", "-c", "plain", "-n", "1", "--name", test.lab.name])
      defer { close(output) }
      var seen = 0
      while seen < lines, let byte = read(output) {
        if byte == UInt8(ascii: "\n") { seen += 1 }
      }
      usleep(delay)
      Glibc.kill(child.pid, SIGKILL)
      _ = child.wait()
    }

    @Test("start, status, exec, logs and stop say what they should and end as they should")
    func commands() throws {
      let test = try Self.testLab("commands")
      let name = ["--name", test.lab.name]
      defer { try? test.lab.stop() }
      #expect(try Self.call(test, ["status"] + name).code == 3)
      let start = try Self.call(test, ["start", "-c", "plain", "-n", "1"] + name)
      #expect(start.code == 0)
      #expect(start.text.contains("node1       sshd, munged answer"))
      let status = try Self.call(test, ["status", "--json"] + name)
      #expect(status.code == 0)
      #expect(status.text.contains("\"address\": \"10.77.0.3\""))

      #expect(
        try Self.call(test, ["exec"] + name + ["node1", "--", "sh", "-c", "exit 7"]).code == 7)
      #expect(
        try Self.call(test, ["exec"] + name + ["node1", "sh", "-c", "kill -9 $$"]).code == 137)
      #expect(try Self.call(test, ["exec"] + name + ["node1", "no-such-command"]).code == 127)
      #expect(try Self.call(test, ["exec"] + name + ["node1", "/etc/passwd"]).code == 126)
      let user = try Self.call(
        test,
        ["exec", "--user", "user1"] + name + ["node1", "--", "sh", "-c", "id -un; pwd; cat"],
        input: "typed")
      #expect(user.text == "user1\n/home/user1\ntyped")
      let unknown = try Self.call(test, ["exec"] + name + ["node9", "true"])
      #expect(unknown.code == 1)
      #expect(unknown.text.contains("its hosts are server,frontend,node1"))
      #expect(
        try Self.call(test, ["exec", "--user", "nobody-here"] + name + ["node1", "true"]).code == 1)
      #expect(
        try Self.call(test, ["logs", "node1"] + name).text.contains("node1    sshd     | "))
      #expect(try Self.call(test, ["kill", "node1"] + name).code == 0)
      #expect(try Self.call(test, ["status"] + name).code == 1)
      #expect(try Self.call(test, ["stop"] + name).code == 0)
      #expect(try Self.call(test, ["stop"] + name).code == 0)
      #expect(test.remains == [])
    }

    @Test("a command in a host gets the host's terminal when it asks for one")
    func terminal() throws {
      let test = try Self.testLab("terminal")
      defer { try? test.lab.stop() }
      try test.start()
      let call = ["exec", "--tty", "--user", "user1", "--name", test.lab.name, "node1", "--"]
      let command = ["sh", "-c", "tty; stat -c %U $(tty); read word; echo got $word; exit 5"]
      let answer = try Self.call(test, call + command, input: "hello\n")
      #expect(answer.code == 5)
      #expect(answer.text.contains("/dev/pts/0\r\n"))
      #expect(answer.text.contains("got hello"))
      // Control-C, typed, interrupts what runs on the terminal.
      let waiting = ["sh", "-c", "trap 'echo interrupted; exit 6' INT; echo ready; cat"]
      let interrupted = try Self.call(test, call + waiting, input: "\u{3}")
      #expect(interrupted.code == 6 || interrupted.code == 130)
      let login = try Self.call(
        test, ["connect", "--name", test.lab.name], input: "whoami; hostname; echo $0\n")
      #expect(login.text == "user1\nfrontend\n-bash\n")
      try test.lab.stop()
      #expect(test.remains == [])
    }
  }
}

extension TestLab {
  init(lab: Lab, place: String) throws {
    self.lab = lab
    self.place = place
  }
}
