// The commands of the lab as people type them: several in a line, many hosts at a time, logs that are
// followed, panes of tmux, progress on a terminal, tests of others.

import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("the lab's commands")
  struct VerbTests {
    /// A terminal for the tool: a tmux of the test's own, with one pane.
    private struct Screen {
      let socket: String

      /// Runs the tool in it; the pane stays when the tool has ended.
      init(_ test: TestLab, _ arguments: [String], columns: Int = 200, rows: Int = 60) throws {
        socket = "liburna-screen-\(test.lab.name)"
        let program = try TestLab.program
        let (code, text) = try tmux(
          ["new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "cat", ";"]
            + ["set-option", "-g", "remain-on-exit", "on", ";", "respawn-pane", "-k"]
            + ["env", "-u", "TMUX", "LIBURNA_LAB_DIR=\(test.place)", program, "lab"] + arguments)
        try #require(code == 0, "\(text)")
      }

      @discardableResult
      func tmux(_ words: [String]) throws -> (code: Int32, text: String) {
        try LocalCommand.output(["tmux", "-L", socket, "-f", "/dev/null"] + words)
      }

      var text: String { get throws { try tmux(["capture-pane", "-p"]).text } }
      var isOver: Bool {
        get throws { try tmux(["list-panes", "-F", "#{pane_dead}"]).text == "1\n" }
      }

      func close() {
        _ = try? tmux(["kill-server"])
        unlink("/tmp/tmux-\(geteuid())/\(socket)")
      }
    }

    /// Waits until something is so.
    private static func await(_ what: String, _ isSo: () throws -> Bool) throws {
      let deadline = Deadline(seconds: TestLab.patience)
      while try !isSo() {
        try #require(!deadline.isOver, "\(what) in time")
        usleep(20_000)
      }
    }

    /// Reads until a text was seen, and gives all that was read.
    private static func read(_ descriptor: Int32, until marker: String) throws -> String {
      let deadline = Deadline(seconds: TestLab.patience)
      var text: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 4096)
      while !String(decoding: text, as: UTF8.self).contains(marker) {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        try #require(poll(&wait, 1, deadline.remaining) == 1, "\(marker) is shown in time")
        let got = Glibc.read(descriptor, &chunk, chunk.count)
        try #require(
          got > 0, "\(marker) is shown; there was \(String(decoding: text, as: UTF8.self))")
        text += chunk[0..<got]
      }
      return String(decoding: text, as: UTF8.self)
    }

    @Test("several commands in a line are done in order, and many hosts at a time")
    func line() throws {
      let test = try ToolTests.testLab("line")
      defer { try? test.lab.stop() }
      let name = ["--name", test.lab.name]
      let first = try ToolTests.call(
        test, name + ["start", "-c", "plain", "-n", "3", "exec", "-b", "@node", "echo", "same"])
      #expect(first.code == 0)
      #expect(first.text.contains("node[1-3] (3)\n---------------\nsame\n"))
      let script = "hostname >&2; echo out; [ $(hostname) != node2 ] || exit 9"
      let many = try ToolTests.call(
        test, name + ["exec", "server,node[1-2]", "--", "sh", "-c", script])
      #expect(many.code == 9)
      for line in ["node1  | out", "node2  | node2", "server | server", "node2: exit code 9"] {
        #expect(many.text.contains(line + "\n"))
      }
      let absent = try ToolTests.call(test, name + ["exec", "all", "no-such-command"])
      #expect(absent.code == 127)
      let down = try ToolTests.call(test, name + ["kill", "node3", "exec", "@node", "true"])
      #expect(down.code == 255)
      #expect(down.text.contains("node3: exit code 255"))
      let inHost = try ToolTests.call(
        test, name + ["exec", "-w", "/tmp", "-e", "A=b c", "node1", "sh", "-c", "pwd; echo $A"])
      #expect(inHost.text == "/tmp\nb c\n")
      let broken = try ToolTests.call(test, name + ["exec", "node1", "false", "stop"])
      #expect(broken.code == 1)
      #expect(try test.lab.status() != nil)
      let status = try ToolTests.call(test, ["status", "--all"])
      #expect(status.text.contains("\(test.lab.name)  plain        namespaces  4/5"))
      #expect(try ToolTests.call(test, name + ["stop", "clean"]).code == 0)
      #expect(test.remains == [])
    }

    @Test("logs are followed over a restart of the lab, and end at control-C")
    func followedLogs() throws {
      let test = try ToolTests.testLab("followed")
      defer { try? test.lab.stop() }
      try test.start()
      // A log of our own: other services write when they like.
      let log = test.lab.paths.log("node1", "marker")
      try Self.append("one\nbefore\n", to: log)
      let few = try ToolTests.call(
        test, ["--name", test.lab.name, "logs", "-n", "1", "--service", "marker", "node1"])
      #expect(few.text == "node1    marker   | before\n")
      let (child, output) = try ToolTests.launch(
        test, ["--name", test.lab.name, "logs", "-f", "-n", "1"])
      defer { close(output) }
      let before = try Self.read(output, until: "before\n")
      #expect(!before.contains("| one\n"))
      try Self.append("after\n", to: log)
      _ = try Self.read(output, until: "node1    marker   | after\n")
      try test.lab.stop()
      try test.start()
      try Self.append("again\n", to: log)
      _ = try Self.read(output, until: "node1    marker   | again\n")
      Glibc.kill(child.pid, SIGINT)
      #expect(child.wait() == 0)
    }

    private static func append(_ text: String, to path: String) throws {
      let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
      try #require(descriptor >= 0)
      defer { close(descriptor) }
      try Files.writeAll(Array(text.utf8), to: descriptor, path: path)
    }

    @Test("connect shows every host in a pane of tmux, which ends with the lab")
    func panes() throws {
      let test = try ToolTests.testLab("panes")
      defer { try? test.lab.stop() }
      try test.start(.plain(nodes: 8))
      let screen = try Screen(test, ["connect", "--name", test.lab.name])
      defer { screen.close() }
      func panes() throws -> [String] {
        let format = "#{window_index} #{@liburna_host} #{@liburna_colour} #{pane_title}"
        return try LocalCommand.output(
          ["tmux", "-L", test.lab.terminalName, "list-panes", "-s", "-F", format]
        ).text.split(separator: "\n").map(String.init)
      }
      try Self.await("ten panes") { try panes().filter { $0.contains("node8") }.count == 1 }
      #expect(try panes().prefix(2) == ["0 server red server", "0 frontend blue frontend"])
      #expect(try panes().filter { $0.hasPrefix("0 ") }.count == 8)
      #expect(try panes().suffix(2) == ["1 node7 yellow node7", "1 node8 yellow node8"])
      try Self.await("a prompt of each host") {
        let text = try screen.text
        return (1...6).allSatisfy { text.contains("user1@node\($0):") } && text.contains("node1")
      }
      try test.lab.stop()
      try Self.await("the end of the session") { try screen.isOver }
      // The session's server goes when the last of its terminals has gone.
      let socket = "/tmp/tmux-\(geteuid())/\(test.lab.terminalName)"
      try Self.await("the end of its server") { !Files.exists(socket) }
      #expect(try panes().allSatisfy { !$0.contains("node") })
    }

    @Test("on a terminal a start has one line for each host, in place")
    func progressInPlace() throws {
      let test = try ToolTests.testLab("place")
      defer { try? test.lab.stop() }
      let screen = try Screen(test, ["start", "-c", "plain", "-n", "2", "--name", test.lab.name])
      defer { screen.close() }
      try Self.await("the end") { try screen.isOver }
      let lines = try screen.text.split(separator: "\n")
      for host in ["server", "frontend", "node1", "node2"] {
        let ofHost = lines.filter { $0.contains("  \(host) ") }
        #expect(ofHost.count == 1)
        #expect(ofHost.first?.hasSuffix("sshd, munged answer") == true)
      }
      #expect(lines.contains { $0.hasPrefix("Lab \(test.lab.name): 4 hosts in ") })
      #expect(lines.contains { $0.hasPrefix("Next: liburna lab --name \(test.lab.name) connect") })
    }

    @Test("what is slow is named, with the last line of its log")
    func slowService() throws {
      let test = try ToolTests.testLab("slow")
      defer { try? test.lab.stop() }
      let file = "/tmp/liburna-slow-\(getpid()).yaml"
      defer { unlink(file) }
      let yaml = """
        name: slow
        roles:
          one:
            services:
              thinker:
                command: [/bin/sh, -c, "echo still thinking; sleep 3; touch /run/thought; exec sleep 1000"]
                ready: {file: /run/thought}

        """
      try Files.write(yaml, to: file)
      let start = try ToolTests.call(test, ["start", "-c", file, "--name", test.lab.name])
      #expect(start.code == 0)
      #expect(start.text.contains("one         waiting for thinker: still thinking\n"))
    }

    @Test("a test is run on a lab of its own, and its exit code is that of the tool")
    func ownTest() throws {
      let test = try ToolTests.testLab("own")
      let directory = "/tmp/liburna-own-test-\(getpid())"
      defer { try? Files.removeTree(directory) }
      try Files.makeDirectories(directory)
      let script = "id -un; hostname; echo \"$@\"; ls /test; exit 5\n"
      try Files.write(script, to: directory + "/t.sh")
      let result = try ToolTests.call(
        test, ["test", "-c", "plain", "-n", "1", directory + "/t.sh", "-x", "stop"])
      #expect(result.code == 5)
      #expect(result.text.contains("user1\nfrontend\n-x stop\nt.sh\n"))
      #expect(test.remains == [])
    }
  }
}
