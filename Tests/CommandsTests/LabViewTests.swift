// What the lab's commands show: names of many hosts in few words, tables, logs, progress.

import Compositions
import Testing

@testable import AdminCommands
@testable import CommandLine
@testable import Lab

@Suite("Hosts of the lab as words")
struct HostSetTests {
  private let hosts =
    [LabHost(name: "server", role: "server"), LabHost(name: "frontend", role: "frontend")]
    + (1...12).map { LabHost(name: "node\($0)", role: "node") }

  private func resolve(_ text: String) throws -> String {
    try HostSet.resolve(text, among: hosts).joined(separator: " ")
  }

  private func fault(_ text: String) -> String {
    do throws(UsageError) {
      return try HostSet.resolve(text, among: hosts).joined(separator: " ")
    } catch {
      return error.messages.joined()
    }
  }

  @Test("names, ranges, roles and all are understood, each host once and in the lab's order")
  func resolution() throws {
    #expect(try resolve("node[1-3,7],server") == "server node1 node2 node3 node7")
    #expect(try resolve("node2,node1,node[2-2]") == "node1 node2")
    #expect(try resolve("@frontend,node[11-12]") == "frontend node11 node12")
    #expect(try resolve("all") == hosts.map(\.name).joined(separator: " "))
  }

  @Test("what is wrong is told with what there is")
  func faults() {
    #expect(fault("node13") == fault("node[13-14]"))
    #expect(fault("node13").contains("its hosts are server,frontend,node[1-12]"))
    #expect(fault("@gpu").contains("the roles are server, frontend, node"))
    #expect(fault("node[1-").contains("lacks a ]"))
    #expect(fault("node[3-1]").contains("no range"))
    #expect(fault("node[-1]").contains("no range"))
    #expect(fault("node[1-999999999]").contains("no range"))
    #expect(fault("node[1-9000][1-9000]").contains("more than 10000"))
    #expect(fault(",").contains("names no host"))
  }

  @Test("names are folded, and what is folded is understood again")
  func folding() throws {
    #expect(HostSet.fold(["server", "node1", "node2", "node3", "node7"]) == "server,node[1-3,7]")
    #expect(HostSet.fold(["node5"]) == "node5")
    #expect(HostSet.fold(["a01", "a02"]) == "a01,a02")
    #expect(try HostSet.expand("a[08-10]b") == ["a08b", "a09b", "a10b"])
    let some = ["frontend", "node1", "node3", "node4", "node12"]
    #expect(try HostSet.resolve(HostSet.fold(some), among: hosts) == some)
  }

  @Test("equal output is shown once")
  func gathering() {
    let groups = GatheredOutput.groups([
      ("node1", Array("a".utf8)), ("node2", Array("b".utf8)), ("node3", Array("a".utf8)),
      ("node4", []),
    ])
    #expect(groups.map(\.hosts) == [["node1", "node3"], ["node2"]])
    #expect(GatheredOutput.head(of: ["node1", "node3"]).contains("\nnode[1,3] (2)\n"))
  }
}

@Suite("What the lab's commands show")
struct LabViewTests {
  private let status = LabStatus(
    name: "lab", directory: "/run/liburna-lab/lab", composition: "plain", backend: .namespaces,
    age: 3725, isComplete: true,
    hosts: [
      LabStatus.Host(
        name: "server", role: "server", address: "10.77.0.1", isUp: true, isPaused: false,
        link: .whole,
        services: [
          LabStatus.Service(name: "sshd", answers: true),
          LabStatus.Service(name: "munged", answers: false),
        ], usage: HostUsage(processes: 4, memory: 4_123_000)),
      LabStatus.Host(
        name: "node1", role: "node", address: "10.77.0.2", isUp: false, isPaused: false,
        link: .whole, services: [], usage: nil),
    ])

  @Test("a lab is shown as a table, silent services marked")
  func table() {
    #expect(
      LabTable.text(status, isColoured: false) == """
        Lab lab: plain on namespaces, up for 1 h 2 min
        HOST    ROLE    ADDRESS    STATE  PROCS  MEMORY  SERVICES
        server  server  10.77.0.1  up         4  4.1 MB  sshd munged!
        node1   node    10.77.0.2  down       -       -  

        """)
    #expect(LabTable.text([status]).contains("lab  plain        namespaces  1/2  incomplete"))
    #expect(LabTable.text([]) == "There is no lab.\n")
  }

  @Test("sizes and times are readable")
  func readable() {
    #expect(
      [0, 999_499, 1_000_000, 12_345_678].map(LabTable.size) == [
        "0 kB", "999 kB", "1.0 MB", "12.3 MB",
      ])
    #expect(LabTable.size(2_340_000_000) == "2.3 GB")
    #expect([59, 61, 90_000].map(LabTable.duration) == ["59 s", "1 min 1 s", "1 d 1 h"])
  }

  @Test("a line of a log has its host and service, and nothing that steers the terminal")
  func logLine() {
    var view = LogView(hosts: [LabHost(name: "node1", role: "node")], isColoured: false)
    #expect(
      view.text(LabLogLine(host: "node1", service: "sshd", text: "a\u{1b}[2Jb\r"))
        == "node1 sshd     | a\\x1b[2Jb\n")
    var coloured = LogView(hosts: [LabHost(name: "node1", role: "node")], isColoured: true)
    #expect(
      coloured.text(LabLogLine(host: "node1", service: "sshd", text: "a"))
        == "\u{1b}[33mnode1 sshd     |\u{1b}[0m a\n")
  }

  @Test(
    "progress is told in lines, what is waited for with the reason, and the end with what is next")
  func progress() {
    let errors = TextStream()
    let context = CommandContext(
      words: ["lab"], output: TextStream(), errors: errors, input: -1, variable: { _ in nil },
      connect: { _ in throw ServerUnreachable(reason: "") })
    let view = StartView(lab: "two", hosts: 1, isJSON: false, in: context)
    view.show(LabProgress(host: nil, step: "the switch is on", milliseconds: 12))
    view.show(
      LabProgress(
        host: "node1", step: "waiting for sshd", isWaiting: true, reason: "no key\tfound",
        milliseconds: 2012))
    view.finish()
    #expect(
      errors.captured == """
        0.012s  lab         the switch is on
        2.012s  node1       waiting for sshd: no key\\tfound
        Lab two: 1 host in 2.012 s.
        Next: liburna lab --name two connect (all hosts), connect frontend (one), stop (the end)

        """)
  }

  @Test("progress as JSON is one object a line")
  func progressAsJSON() {
    let output = TextStream()
    let context = CommandContext(
      words: ["lab"], output: output, errors: TextStream(), input: -1, variable: { _ in nil },
      connect: { _ in throw ServerUnreachable(reason: "") })
    let view = StartView(lab: "lab", hosts: 2, isJSON: true, in: context)
    view.show(LabProgress(host: "node1", step: "up", milliseconds: 5))
    view.finish()
    #expect(
      output.captured.split(separator: "\n").map(String.init) == [
        #"{"event":"step","host":"node1","step":"up","reason":null,"milliseconds":5}"#,
        #"{"event":"ready","hosts":2,"milliseconds":5}"#,
      ])
  }

  @Test("panes are split and laid out again each time, named and coloured by role")
  func panes() {
    let steps = LabPanes.steps(
      window: "@1",
      hosts: [LabHost(name: "server", role: "server"), LabHost(name: "node1", role: "node")],
      isSynchronous: true, login: { ["login", $0] }
    ).map { $0.joined(separator: " ") }
    #expect(steps.filter { $0.hasPrefix("split-window") } == ["split-window -t @1 login node1"])
    #expect(steps.contains("set-option -p -t @1 @liburna_colour red"))
    #expect(steps.contains("set-option -p -t @1 @liburna_colour yellow"))
    #expect(steps.contains("set-option -w -t @1 synchronize-panes on"))
  }
}

@Suite("What a start is asked for")
struct CompositionOptionTests {
  private func settings(_ words: String...) throws -> LabSettings {
    try CompositionOption.settings(try LabStart.definition.parse(words), before: nil)
  }

  private func fault(_ words: String...) -> String {
    do {
      _ = try CompositionOption.settings(try LabStart.definition.parse(words), before: nil)
      return ""
    } catch let usage as UsageError {
      return usage.messages.joined()
    } catch {
      return (error as? CommandFailure)?.lines.joined() ?? "\(error)"
    }
  }

  @Test("hosts are counted by -n and -r")
  func counts() throws {
    #expect(try settings("-n", "2").composition.hosts == ["server", "frontend", "node1", "node2"])
    #expect(try settings("-r", "node=1").composition.hosts.count == 3)
    #expect(fault("-r", "gpu=1").contains("there are server, frontend, node"))
    #expect(fault("-r", "server=2").contains("does not scale"))
    #expect(fault("-r", "node").contains("ROLE=N"))
    #expect(fault("-n", "-1").contains("-1"))
  }

  @Test("ten thousand hosts are refused with the arithmetic")
  func tooMany() {
    let text = fault("-n", "10000")
    #expect(text.contains("10,000 hosts need about"))
    #expect(text.contains("at most "))
  }

  @Test("volumes and variables are read as docker reads them")
  func volumes() throws {
    let some = try settings("-v", "/tmp:/a:ro", "-v", "/tmp:/b", "-e", "A=b=c").composition
    #expect(some.volumes.map(\.target) == ["/a", "/b"])
    #expect(some.volumes.map(\.mode) == [.ro, .rw])
    #expect(some.variables.last == Variable("A", "b=c"))
    #expect(try settings("-v", "/tmp").composition.volumes.map(\.target) == ["/tmp"])
    #expect(fault("-v", "/tmp:b").contains("absolute"))
    #expect(fault("-v", "/no-such:/b").contains("no directory"))
    #expect(fault("-v", "/tmp:/etc").contains("hosts need their own /etc"))
    #expect(fault("-v", "/tmp:/proc/1").contains("hosts need their own /proc/1"))
    #expect(fault("-v", "/tmp:/").contains("no path in the lab"))
    #expect(fault("-v", "/tmp:/a", "-v", "/usr:/a").contains("two volumes are seen at /a"))
    #expect(fault("-e", "1A=b").contains("no digit first"))
    #expect(fault("-e", "LAB_X=b").contains("set by the lab itself"))
    #expect(fault("-e", "=b").contains("NAME=VALUE"))
    #expect(fault("-b", "xen").contains("namespaces, podman, docker, vm, machines"))
  }
}
