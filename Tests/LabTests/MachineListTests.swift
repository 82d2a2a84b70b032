// What can be known of machines without any: files that name them, descriptions, what they say.

import Compositions
import Glibc
import Testing

@testable import Lab

@Suite("naming machines")
struct MachineListTests {
  @Test("names are taken in order and once, without comments and blanks")
  func names() throws {
    let list = try MachineList(
      "# nodes\n\nnode-1.site\n node-2 \t# slow\r\nnode-1.site\nroot@10.0.0.3\nfe80::1%eth0",
      file: "f")
    #expect(list.names == ["node-1.site", "node-2", "root@10.0.0.3", "fe80::1%eth0"])
    #expect(list.lines == 5)
    #expect(list.isComplete == false)
    let begun = try MachineList("node-1\nnode", file: "f", onlyComplete: true)
    #expect(begun.names == ["node-1"])
    #expect(try MachineList("", file: "f").names == [])
  }

  @Test(
    "what is no name is refused with its line",
    arguments: ["-oProxyCommand=x", "a b", "a;b", "$(id)", "'a'", "a/b", "@a", "\u{e4}"])
  func odd(word: String) {
    let error = #expect(throws: LabError.self) { try MachineList("node\n\(word)\n", file: "f") }
    #expect(error?.message.hasPrefix("f, line 2: ") == true)
  }

  @Test("hosts keep the machines they had while these are named")
  func keeping() throws {
    let source = MachineSource.list(try MachineList("a\nb\nc\nd\n", file: "f"))
    let lab = Composition.plain(nodes: 1)
    let fresh = try source.choose(for: lab, keeping: [:], file: "f")
    #expect(fresh.machines == ["server": "a", "frontend": "b", "node1": "c"])
    #expect(fresh.left == ["d"])
    let kept = try source.choose(for: lab, keeping: ["node1": "a", "server": "gone"], file: "f")
    #expect(kept.machines == ["server": "b", "frontend": "c", "node1": "a"])
  }

  @Test("a description is read as it was written, and others of its form")
  func descriptions() throws {
    var settings = LabSettings(.plain(nodes: 1), backend: .machines)
    settings.machines = MachineSettings(.job)
    var state = LabState(name: "x", settings: settings)
    for (index, name) in ["server", "frontend", "node1"].enumerated() {
      var host = LabState.Host(name: name, role: name, index: index + 1)
      (host.machine, host.address) = ("m\(index)", "10.0.0.\(index)")
      state.hosts.append(host)
    }
    let text = DeploymentDescription.text(of: state, key: "ssh-ed25519 \"odd\\\t\nsecond")
    let read = try DeploymentDescription(reading: Array(text.utf8), file: "f")
    #expect(read.machines.map(\.host) == ["server", "frontend", "node1"])
    #expect(read.machines.map(\.name) == ["m0", "m1", "m2"])
    #expect(read.machines.map(\.address) == ["10.0.0.0", "10.0.0.1", "10.0.0.2"])

    let theirs =
      #"{"all": {}, "deployment": {"10.0.0.9": {"role": "n", "host": "node1", "init": "/x"}}}"#
    let source = MachineSource.description(
      try DeploymentDescription(reading: Array(theirs.utf8), file: "f"))
    let error = #expect(throws: LabError.self) {
      try source.choose(for: .plain(nodes: 1), keeping: [:], file: "f")
    }
    #expect(error?.message.contains("f names 1: 2 too few") == true)
  }

  @Test(
    "a damaged description is refused with what is wrong",
    arguments: [
      ("{", "line 1"), ("{}", "no object \"deployment\""),
      (#"{"deployment": {"a b": {"host": "x"}}}"#, "not the address"),
      (#"{"deployment": {"a": {"role": "x"}}}"#, "has no \"host\""),
      (#"{"deployment": {"a": {"host": "x"}, "b": {"host": "x"}}}"#, "the host x twice"),
      (#"{"deployment": {"a": {"host": "x", "machine": "-o"}}}"#, "not the name of a machine"),
    ])
  func damaged(text: String, problem: String) {
    let error = #expect(throws: LabError.self) {
      try DeploymentDescription(reading: Array(text.utf8), file: "f")
    }
    #expect(error?.message.contains(problem) == true)
  }

  @Test("accounts of the lab get one number on all machines, free on each")
  func accounts() {
    let group = "root:x:0:\n"
    let all = [
      Accounts(passwd: "root:x:0:0::/root:/bin/sh\na:x:1101:1101::/:/bin/sh\n", group: group),
      Accounts(passwd: "root:x:0:0::/root:/bin/sh\nuser1:x:1102:1102::/:/bin/sh\n", group: group),
    ]
    let united = MachinesBackend.united(all, for: LabAccount.people)
    #expect(united.map { $0["user1"]?.uid } == [1103, 1103])
    #expect(united.map { $0["user2"]?.uid } == [1104, 1104])
    #expect(united[1].passwd.filter { $0[0] == "user1" }.count == 1)
  }

  @Test("what a machine says of itself is found among what its shell says")
  func looks() {
    let said =
      "Welcome!\nlab:uid 0\nlab:address 10.0.0.1\nlab:lacks /usr/sbin/munged\nlab:wants a\nlab:done\n"
    let look = MachineLook(name: "m", SshAnswer(code: 0, output: Array(said.utf8), words: ""))
    #expect(look.address == "10.0.0.1")
    #expect(look.problem?.contains("install the package munge there") == true)
    #expect(look.problem?.contains("lacks packages of the composition: a") == true)
    let silent = MachineLook(name: "m", SshAnswer(code: 255, words: "ssh: no route\n"))
    #expect(silent.isUnreachable && silent.problem == "ssh: no route")
  }

  @Test("requests and logs arrive as they were sent; ports are read from the kernel's table")
  func messages() throws {
    let request = MachineRequest(
      lab: "l", directory: "/d", host: "h",
      .run(words: ["a b", "$x", "'"], user: "u", login: true, terminal: false))
    let word = try request.word
    #expect(word.utf8.allSatisfy(MachineList.isLetterOrDigit))
    #expect(try MachineRequest(word: word) == request)
    for odd in ["", "0", "zz", String(word.dropLast(2))] {
      #expect(throws: (any Error).self) { try MachineRequest(word: odd) }
    }
    let parts = MachineLogs.parts(Array("a.log 3\nx\nyb.log 1\nz../c.log 1\nq".utf8))
    #expect(parts.map(\.name) == ["a.log", "b.log"])
    #expect(parts.map(\.bytes.count) == [3, 1])
    let ports = ListeningPorts.parse(
      """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 00000000:08AE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1
         1: 0100007F:0016 0100007F:0017 01 00000000:00000000 00:00000000 00000000     0        0 778 1
      """)
    #expect(ports == [2222: ["777"]])
  }
}
