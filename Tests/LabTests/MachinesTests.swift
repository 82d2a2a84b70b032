// Labs on machines that exist, reached by ssh: hosts, commands, refusals, crashes, files.

import Compositions
import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("labs on machines")
  struct MachinesTests {
    @Test("machines become hosts that know each other, and are as before when the lab is gone")
    func hosts() throws {
      try MachineBed.run("hosts") { bed in
        try bed.start()
        let status = try #require(try bed.inner.lab.status())
        #expect(status.allAnswer)
        #expect(status.hosts.map(\.address) == (3...5).map { "10.77.0.\($0)" })
        let hosts = ["server", "frontend", "node1"]
        for host in hosts {
          #expect(try bed.inner.sh(host, "cat /proc/sys/kernel/hostname") == host)
          #expect(
            try bed.inner.sh(host, "echo $LAB_HOST $LAB_ADDRESS").hasPrefix(host + " 10.77.0."))
          for other in hosts {
            #expect(try bed.inner.sh(host, "ssh \(other) hostname", user: "user1") == other)
          }
        }
        #expect(try bed.inner.sh("server", "ssh root@node1 'id -un; hostname'") == "root\nnode1")
        let credential = try bed.inner.sh("frontend", "echo -n hello | munge", user: "user2")
        let opened = try bed.inner.sh("node1", "echo '\(credential)' | unmunge")
        #expect(opened.contains("Success") && opened.contains("user2"))
        // What a host does to its files, its machine does not see.
        _ = try bed.inner.sh("node1", "echo mine > /etc/of-the-lab; rm /etc/debian_version")
        #expect(try bed.outer.sh("node3", "ls /etc/of-the-lab 2>&1 || true").contains("No such"))
      }
    }

    @Test(
      "commands keep their words, their exit codes and their input, and end with whoever called")
    func commands() throws {
      try MachineBed.run("commands") { bed in
        try bed.start()
        func output(_ words: [String], user: String = "root") throws -> (Int32, String) {
          try bed.inner.lab.output(of: HostCommand(words, user: user), on: "node1")
        }
        let odd = [
          "a b", "", "'", "\"", "$HOME `id` $(id)", "line\nline", "*", "\\", "ä€", "-n", ";&|",
        ]
        #expect(try output(["printf", "%s\\0"] + odd) == (0, odd.map { $0 + "\0" }.joined()))
        #expect(try output(["sh", "-c", "exit 7"]).0 == 7)
        #expect(try output(["sh", "-c", "kill -9 $$"]).0 == 137)
        #expect(try output(["no-such-command"]).0 == 127)
        #expect(try output(["/etc/passwd"]).0 == 126)
        #expect(try output(["id", "-un"], user: "user1").1 == "user1\n")
        #expect(try output(["true"], user: "nobody-here").1.contains("no user nobody-here"))
        let long = String(repeating: "x", count: 50_000)
        #expect(try output(["printf", long]) == (0, long))
        #expect(throws: StartError.self) { try output(["true", long + long]) }
        #expect(try output([], user: "user1").0 == 0)

        // A caller that is gone takes its command along.
        let state = try bed.inner.lab.existing()
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        let child = try MachinesBackend(lab: bed.inner.lab).start(
          HostCommand(["sleep", "4321"]), on: "node1", in: state, descriptors: [null, null, null])
        let find = "until pgrep -f 'sleep 432[1]' > /dev/null; do :; done"
        _ = try bed.inner.sh("node1", find)
        Glibc.kill(child.pid, SIGKILL)
        _ = child.wait()
        _ = try bed.inner.sh("node1", find.replacing("until", with: "while"))
      }
    }

    @Test("a host that is killed leaves the others alone and comes back with its disk")
    func kill() throws {
      try MachineBed.run("return") { bed in
        try bed.start()
        _ = try bed.inner.sh("node1", "echo kept > /etc/mark; echo lost > /run/mark")
        _ = try bed.inner.sh("node1", "setsid sleep 1000 < /dev/null > /dev/null 2>&1 &")
        try bed.inner.lab.kill("node1")
        #expect(try bed.inner.lab.status()?.hosts.map(\.isUp) == [true, true, false])
        #expect(throws: LabError.self) { try bed.inner.sh("node1", "true") }
        try bed.start()
        #expect(try bed.inner.lab.status()?.allAnswer == true)
        #expect(try bed.inner.sh("node1", "cat /etc/mark; ls /run").hasPrefix("kept"))
        #expect(try bed.inner.sh("frontend", "ssh node1 hostname", user: "user1") == "node1")
        let logs = try bed.inner.lab.logs(of: "node1").map(Files.readText).joined()
        #expect(logs.contains("Server listening on 0.0.0.0 port 2222"))
      }
    }

    @Test("a lab grows to further machines and gives them back")
    func size() throws {
      try MachineBed.run("size") { bed in
        try bed.name(machines: ["node2", "node1", "node4", "node3"])
        let last = try bed.facts("node3")
        try bed.start()
        #expect(
          try bed.inner.lab.status()?.hosts.map(\.address) == [
            "10.77.0.4", "10.77.0.3", "10.77.0.6",
          ])
        try bed.start(nodes: 2)
        #expect(try bed.inner.sh("node1", "ssh node2 hostname", user: "user1") == "node2")
        #expect(try bed.inner.sh("node2", "echo $LAB_ADDRESS") == "10.77.0.5")
        try bed.start(nodes: 1)
        #expect(try bed.inner.lab.status()?.hosts.count == 3)
        #expect(try bed.facts("node3").subtracting(last).filter { $0.contains("liburna") } == [])
      }
    }

    @Test("a command gets a terminal of its host, whether we have one or not")
    func terminal() throws {
      try MachineBed.run("terminal") { bed in
        try bed.start()
        let call = [
          "exec", "--tty", "--user", "user1", "--name", bed.inner.lab.name, "node1", "--",
        ]
        let command = ["sh", "-c", "tty; stat -c %U $(tty); read word; echo got $word; exit 5"]
        let piped = try ToolTests.call(bed.inner, call + command, input: "hello\n")
        #expect(piped.code == 5)
        #expect(piped.text.contains("/dev/pts/0\r\n"))
        #expect(piped.text.contains("got hello"))
        // On a terminal of ours, with its size.
        let program = try TestLab.program
        let typed = try Child.output(limit: 65_536) { descriptors in
          try Launch(
            program: .search("script", in: HostEntry.searchPath),
            arguments: [
              "script", "-qec",
              "stty rows 33 cols 77; \(program) lab exec --tty --name \(bed.inner.lab.name) node1 -- "
                + "sh -c 'tty; stty size; exit 6'", "/dev/null",
            ],
            environment: ["LIBURNA_LAB_DIR=\(bed.inner.place)", "PATH=/usr/bin:/bin", "TERM=dumb"],
            descriptors: descriptors, newSession: true
          ).start()
        }
        #expect(typed.code == 6)
        #expect(typed.text.contains("/dev/pts/0\r\n33 77\r\n"))
      }
    }

    @Test("a job runs on a machine")
    func job() throws {
      try MachineBed.run("job") { bed in
        var settings = LabSettings(.liburna(nodes: 1), backend: .machines)
        let program = try TestLab.program
        settings.programs = String(program.dropLast("/liburna".count))
        settings.machines = bed.settings
        try bed.inner.lab.start(
          settings, .anew, program: program, timeout: TestLab.patience)
        let job = try bed.inner.sh("frontend", "oarsub 'hostname > ran'", user: "user1")
        #expect(job.contains("OAR_JOB_ID=1"))
        let wait = "timeout 60 sh -c 'until [ -s ran ]; do :; done'; cat ran"
        #expect(try bed.inner.sh("node1", wait, user: "user1") == "node1")
      }
    }

    // MARK: - Refusals

    @Test(
      "machines that can't be reached are all named at once, with the words of ssh, before anything"
    )
    func unreachable() throws {
      try MachineBed.run("away") { bed in
        try bed.outer.lab.kill("node1")
        try Files.write("10.77.0.4\n10.77.0.3\n10.77.7.7\n", to: bed.files + "/machines")
        bed.settings.options = ["ConnectTimeout=2"]
        let error = #expect(throws: LabError.self) { try bed.start() }
        #expect(error?.message.contains("2 of 3 machines can't be reached") == true)
        #expect(error?.logTail.map { String($0.prefix(9)) } == ["10.77.0.3", "10.77.7.7"])
        #expect(error?.logTail.allSatisfy { $0.contains("ssh: connect to host") } == true)
        try bed.inner.lab.stop()
        try bed.outer.start(.plain(nodes: MachineBed.nodes.count))
      }
    }

    @Test("too few machines are refused with the arithmetic, and users who can't become root")
    func unfit() throws {
      try MachineBed.run("unfit") { bed in
        let error = #expect(throws: LabError.self) { try bed.start(nodes: 5) }
        #expect(
          error?.message.contains("needs 7 machines (1 server + 1 frontend + 5 node)") == true)
        #expect(error?.message.contains("names 4 (8 lines, 4 of them repetitions)") == true)
        bed.settings.user = "user1"
        bed.settings.identity = bed.outer.lab.paths.keys + "/user"
        let refused = #expect(throws: LabError.self) { try bed.start() }
        #expect(refused?.message.contains("3 of 3 machines can't be hosts") == true)
        #expect(refused?.logTail.first?.contains("log in as root") == true)
        bed.settings.user = nil
        try Files.write("10.77.0.3\nroot@10.77.0.3\n10.77.0.4\n", to: bed.files + "/machines")
        let same = #expect(throws: LabError.self) { try bed.start() }
        #expect(same?.message.contains("are one machine") == true)
        try Files.write("10.77.0.3\n-oProxyCommand=touch\n", to: bed.files + "/machines")
        let odd = #expect(throws: LabError.self) { try bed.start() }
        #expect(odd?.message.contains("machines, line 2") == true)
      }
    }

    @Test("a port in use is refused with the name of the process that has it")
    func port() throws {
      try MachineBed.run("port") { bed in
        _ = try bed.outer.sh(
          "node2",
          "/usr/sbin/sshd -p 2222 -o PidFile=/run/other.pid > /dev/null 2>&1; "
            + "until [ -e /run/other.pid ]; do :; done")
        let error = #expect(throws: LabError.self) { try bed.start() }
        #expect(error?.host == "frontend")
        #expect(error?.message.contains("port 2222, which sshd needs, is in use") == true)
        #expect(error?.message.contains("by sshd (pid") == true)
        bed.settings.labPort = 2233
        try bed.start(nodes: 1, .anew)
        #expect(try bed.inner.sh("server", "ssh frontend hostname", user: "user1") == "frontend")
        try bed.inner.lab.stop()
        _ = try bed.outer.sh(
          "node2", "kill $(cat /run/other.pid); while [ -e /run/other.pid ]; do :; done")
      }
    }

    // MARK: - Crashes

    @Test(
      "a tool that is killed leaves nothing on any machine after a stop",
      arguments: [0, 1, 2, 3, 4, 6])
    func killedTool(lines: Int) throws {
      try MachineBed.run("crash") { bed in
        let options = [
          "start", "-c", "plain", "-n", "1", "-m", "\(bed.files)/machines", "--ssh-config",
          "\(bed.files)/ssh_config", "--name", bed.inner.lab.name,
        ]
        let (child, output) = try ToolTests.launch(bed.inner, options)
        defer { close(output) }
        var seen = 0
        while seen < lines, let byte = ToolTests.read(output) {
          if byte == UInt8(ascii: "\n") { seen += 1 }
        }
        usleep(UInt32.random(in: 0...60_000))
        Glibc.kill(child.pid, SIGKILL)
        _ = child.wait()
      }
    }

    @Test("a machine that is away when the lab ends is told, and given up when the end is repeated")
    func lost() throws {
      try MachineBed.run("lost") { bed in
        bed.settings.options = ["ConnectTimeout=2"]
        try bed.start()
        try bed.outer.lab.kill("node2")
        #expect(try bed.inner.lab.status()?.hosts.map(\.isUp) == [true, false, true])
        let error = #expect(throws: LabError.self) { try bed.inner.lab.stop() }
        #expect(error?.message.contains("1 machines can't be reached") == true)
        #expect(error?.logTail.first?.hasPrefix("10.77.0.4: ") == true)
        try bed.inner.lab.stop()
        #expect(try bed.inner.lab.state() == nil)
        // It comes back as a machine whose power failed, and the next lab there is not hindered.
        try bed.outer.start(.plain(nodes: MachineBed.nodes.count))
        try bed.start()
        #expect(try bed.inner.lab.status()?.allAnswer == true)
      }
    }

    // MARK: - Files

    @Test("a start waits for its machines until the file is complete, and not for ever")
    func waiting() throws {
      try MachineBed.run("later") { bed in
        let path = bed.files + "/later"
        bed.settings.source = .file(path)
        bed.settings.wait = 1
        let error = #expect(throws: LabError.self) { try bed.start() }
        #expect(error?.message == "\(path) did not come within 1 s")
        bed.settings.wait = 60
        let writer = try Launch(
          program: .path("/bin/sh"),
          arguments: [
            "sh", "-c",
            "sleep 0.2; printf '10.77.0.3\\n10.77.0.4\\n10.77.0' > \(path); sleep 0.4; printf '.5\\n' >> \(path)",
          ], environment: ["PATH=/usr/bin:/bin"]
        ).start()
        try bed.start()
        #expect(writer.wait() == 0)
        #expect(try bed.inner.lab.status()?.hosts.map(\.address).last == "10.77.0.5")
      }
    }

    @Test("the deployment description that is written can be read in place of a list")
    func description() throws {
      try MachineBed.run("description") { bed in
        let copy = bed.files + "/copy.json"
        bed.settings.deployment = copy
        try bed.name(machines: ["node4", "node2", "node3"])
        try bed.start()
        #expect(
          try Files.readText(copy)
            == Files.readText(bed.inner.lab.paths.directory + "/deployment.json"))
        // A tool that knows the form only.
        let other = try Child.output(limit: 65_536) { descriptors in
          try Launch(
            program: .search("python3", in: HostEntry.searchPath),
            arguments: [
              "python3", "-c",
              """
              import json, sys
              d = json.load(open(sys.argv[1]))
              for a, h in sorted(d["deployment"].items()): print(a, h["role"], h["host"], h["vm_id"])
              print(d["composition"], d["user"], d["ssh_key.pub"].split()[0], d["all"])
              """, copy,
            ], descriptors: descriptors
          ).start()
        }
        #expect(
          other.text == """
            10.77.0.4 frontend frontend 2
            10.77.0.5 node node1 3
            10.77.0.6 server server 1
            plain root ssh-ed25519 {}

            """)
        try bed.inner.lab.stop()
        bed.settings.source = .file(copy)
        bed.settings.deployment = nil
        try bed.start()
        #expect(
          try bed.inner.lab.status()?.hosts.map(\.address) == [
            "10.77.0.6", "10.77.0.4", "10.77.0.5",
          ])
      }
    }
  }
}
