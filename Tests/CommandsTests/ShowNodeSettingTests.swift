// oarnodesetting: texts and exit codes as OAR 2.5.9 was recorded to have them.

import ClusterModel
import Glibc
import Testing
import Wire

@testable import AdminCommands
@testable import CommandLine

@Suite("oarnodesetting speaks as OAR 2.5 does")
struct ShowNodeSettingTests {
  /// A server with the recorded cluster and a host `node3` of one free resource, 6.
  private func setting(
    _ words: [String], updated: [Int] = [], ended: [JobID] = [], notices: [JobNotice] = []
  ) -> Call {
    var sixth = ResourceRecord(resource: Recorded.resource(6, host: "node3", cpuset: "0"), jobs: [])
    sixth.resource.lastAvailableUpto = endOfTime
    let all = Recorded.records + [sixth]
    return recordedCall(Oarnodesetting.self, words) { request in
      switch request {
      case .resources(let selection):
        if selection.condition == "nosuch = 55" {
          return [.refused(Refusal(.badProperty, "there is no property \"nosuch\""))]
        }
        let chosen = all.filter {
          selection.isEmpty || selection.ids.contains($0.resource.id)
            || selection.hosts.contains($0.resource.networkAddress)
            || selection.condition == "core = \($0.resource.id)"
        }
        return [.resources(chosen, properties: Recorded.properties)]
      case .setResources(let selection, _):
        return [
          .setResources(
            ResourceSettingResult(resources: selection.ids, updated: updated, endedJobs: ended))
        ]
      case .addResource: return [.added(7)]
      case .follow: return notices.map { .notice($0) }
      default: return [.refused(Refusal(.protocolError, "not expected: \(request)"))]
      }
    }
  }

  private func changes(_ call: Call) -> [ClientRequest] {
    call.requests.filter {
      switch $0 {
      case .setResources, .addResource: true
      default: false
      }
    }
  }

  private func ended(_ job: JobID) -> JobNotice {
    JobNotice(job: job, user: "alice", state: .error, date: 1, exitCode: nil, text: "")
  }

  @Test("a new resource is reported with OAR's count of values that differ from the default")
  func add() {
    let call = setting(["-a", "-h", "node3", "-p", "host=node3", "-p", "cpuset=0", "-p", "core=5"])
    #expect(
      call.output == """
        New resource added:  node3
        Set property host to 'node3'... 1 resource(s) updated.
        Set property cpuset to '0'... 0 resource(s) updated.
        Set property core to '5'... 1 resource(s) updated.

        """)
    #expect(call.exitCode == 0)
    #expect(setting(["-a", "-h", "node4", "-s", "Dead"]).output == "New resource added:  node4\n")
  }

  @Test("a table adds a resource for each line, with what the options say of all")
  func table() throws {
    let path = try table(
      "# the cores\nnode3 core=5 cpuset=0\n\n  node4\tcore=6 host=other\nnode4 core=7\n")
    defer { unlink(path) }
    let call = setting(["-a", "--table", path, "-p", "host=common", "-s", "Dead"])
    #expect(call.exitCode == 0)
    #expect(call.output.split(separator: "\n").filter { $0.hasPrefix("New") }.count == 3)
    let added = call.requests.compactMap { request -> String? in
      guard case .addResource(let host, let setting) = request else { return nil }
      let properties = setting.properties.map { "\($0.name)=\($0.value)" }
      return ([host, setting.state?.rawValue ?? ""] + properties).joined(separator: " ")
    }
    #expect(
      added == [
        "node3 Dead host=common core=5 cpuset=0", "node4 Dead core=6 host=other",
        "node4 Dead host=common core=7",
      ])
  }

  @Test(
    "a table with a line that does not fit adds nothing and names the line",
    arguments: [
      ("node3 core=5\nnode3 core", 10, "\"core\" is not NAME=VALUE. (line 2 of "),
      (
        "node3 state=Alive", 8, "Cannot update property state because it is a system field. (line 1"
      ),
      ("\ncore=5 node3", 13, "\"core=5\" is no host: a line begins with one (line 2 of "),
    ])
  func badTable(text: String, code: Int32, message: String) throws {
    let path = try table(text)
    defer { unlink(path) }
    let call = setting(["-a", "--table", path])
    #expect(call.exitCode == code)
    #expect(call.errors.contains(message))
    #expect(call.requests.isEmpty)
  }

  @Test(
    "a table makes new resources on the hosts that it names, and nothing else",
    arguments: [["--table", "/x"], ["-a", "--table", "/x", "-h", "node3"]])
  func tableAlone(words: [String]) {
    let call = setting(words)
    #expect(call.exitCode == 1)
    #expect(call.errors.contains("--table"))
    #expect(call.requests.isEmpty)
    #expect(setting(["-a", "--table", "/no/such/file"]).exitCode == 13)
  }

  /// A file with a text, which the caller removes.
  private func table(_ text: String) throws -> String {
    var path = Array("/tmp/liburna-table-XXXXXX".utf8CString)
    let file = mkstemp(&path)
    try #require(file >= 0)
    defer { close(file) }
    try #require(write(file, text, text.utf8.count) == text.utf8.count)
    return String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  @Test(
    "-a does not go with the options that select resources",
    arguments: [
      ["-a", "-r", "5"], ["-a", "--sql", "core = 5"],
    ])
  func addSelected(words: [String]) {
    let call = setting(words)
    #expect(call.exitCode == 1)
    #expect(changes(call).isEmpty)
  }

  @Test("the state of a free host")
  func stateOfHost() {
    #expect(setting(["-s", "Alive", "-h", "node3"]).output == "node3 --> Alive\n")
    for state in ["Dead", "Absent"] {
      let call = setting(["-s", state, "-h", "node3"])
      #expect(
        call.output == """
          node3 --> \(state)
          Check jobs to delete on node node3:
          Check done

          """)
      #expect(call.exitCode == 0)
    }
  }

  @Test("the state of a busy host: its jobs are waited for, unless -n is given")
  func busyHost() {
    let call = setting(
      ["-s", "Absent", "-h", "node1"], ended: [50], notices: [ended(50)])
    #expect(
      call.output == """
        node1 --> Absent
        Check jobs to delete on node node1:
        \t50 . Deleted
        Check done

        """)
    #expect(call.exitCode == 0)
    let hasty = setting(["-n", "-s", "Absent", "-h", "node1"], ended: [50])
    #expect(hasty.output == "node1 --> Absent\n")
    #expect(hasty.exitCode == 0)
  }

  @Test("the state of a resource by its id")
  func stateOfResource() {
    #expect(setting(["-s", "Alive", "-r", "3"]).output == "(3) --> Alive\nDone\n")
    #expect(
      setting(["-s", "Dead", "-r", "6"]).output == """
        (6) --> Dead
        Check jobs to delete on resource 6:
        Check done

        """)
  }

  @Test("a state that can't be set shows the usage", arguments: ["Suspected", "Foo", "", "alive"])
  func badState(state: String) {
    let call = setting(["-s", state, "-h", "node3"])
    #expect(call.exitCode == 1)
    #expect(call.errors == "/!\\ Bad state value. Possible values are: Alive | Absent | Dead \n")
    #expect(call.output.hasPrefix("Usage: oarnodesetting "))
    #expect(call.requests.isEmpty)
  }

  @Test(
    "hosts, ids and conditions that select nothing change nothing",
    arguments: [
      (["-s", "Alive", "-h", "nosuch"], 4, "/!\\ Node nosuch does not exist in OAR database.\n"),
      (["-s", "Dead", "-r", "99"], 3, "1 resource(s) cannot be updated.\n"),
      (["-s", "Dead", "-r", "1", "-r", "99"], 3, "1 resource(s) cannot be updated.\n"),
      (
        ["--sql", "core = 77", "-p", "core=5"], 12,
        "/!\\ Your SQL clause returns nothing and there is no resource specified.\n"
      ),
      (["--sql", "nosuch = 55", "-p", "core=5"], 12, "/!\\ there is no property \"nosuch\"\n"),
      (
        ["-r", "3", "-p", "state=Dead"], 8,
        "/!\\ Cannot update property state because it is a system field.\n"
      ),
      (["-r", "3", "-p", "core"], 10, "/!\\ Bad property syntax: \"core\" is not NAME=VALUE.\n"),
      (["-r", "3", "-p", "=5"], 10, "/!\\ Bad property syntax: \"=5\" is not NAME=VALUE.\n"),
      (["-m", "maybe", "-h", "node3"], 1, "/!\\ Bad maintenance value \"maybe\"."),
      (["-f", "/nonexistent", "-s", "Dead"], 13, "/!\\ /nonexistent can't be read: "),
      ([], 1, ""), (["-h", "node3"], 1, ""),
    ] as [([String], Int32, String)])
  func refusals(words: [String], code: Int32, text: String) {
    let call = setting(words)
    #expect(call.exitCode == code)
    #expect(call.errors.hasPrefix(text))
    #expect(changes(call).isEmpty)
  }

  @Test("an unknown property or a bad value is refused by the server")
  func badValue() {
    let call = recordedCall(Oarnodesetting.self, ["-r", "3", "-p", "core=abc"]) { request in
      if case .resources = request { return [.resources(Recorded.records, properties: [])] }
      return [.refused(Refusal(.badValue, "core=abc: it must be a whole number"))]
    }
    #expect(call.exitCode == 9)
    #expect(call.errors == "/!\\ core=abc: it must be a whole number\n")
  }

  @Test("properties are reported with the number of resources that changed")
  func properties() {
    let call = setting(["-r", "3", "-p", "core=55", "-p", "cpuset=3"], updated: [1, 0])
    #expect(
      call.output == """
        Set property core to '55'... 1 resource(s) updated.
        Set property cpuset to '3'... 0 resource(s) updated.

        """)
    #expect(
      setting(["--sql", "core = 3", "-p", "core=5"], updated: [1]).output
        == "Set property core to '5'... 1 resource(s) updated.\n")
  }

  @Test("maintenance saves until when a resource was available")
  func maintenance() {
    #expect(
      setting(["-m", "on", "-h", "node3"]).output == """
        Maintenance mode set to "ON" on resource 6
        Set property available_upto to '0'... 1 resource(s) updated.
        Set property last_available_upto to '2147483647'... 1 resource(s) updated.
        Check jobs to delete on resource 6:
        Check done

        """)
    #expect(
      setting(["-m", "off", "-h", "node3"]).output == """
        Maintenance mode set to "OFF" on resource 6
        Set property available_upto to '2147483647'... 1 resource(s) updated.

        """)
  }

  @Test("draining sets a property")
  func drain() {
    #expect(
      setting(["-d", "on", "-h", "node3"]).output
        == "Set property drain to 'YES'... 1 resource(s) updated.\n")
    #expect(
      setting(["-d", "off", "-h", "node3"]).output
        == "Set property drain to 'NO'... 0 resource(s) updated.\n")
  }

  @Test("only the resources that were found are changed, never all of them")
  func selection() throws {
    let call = setting(["-s", "Alive", "-h", "node1", "-h", "node3"])
    guard case .setResources(let selection, let setting) = try #require(changes(call).first) else {
      Issue.record("nothing was set")
      return
    }
    #expect(selection.ids == [1, 2, 6])
    #expect(setting.state == .alive)
  }

  @Test("the last value of a property is the largest; without one there is a warning")
  func lastValue() {
    #expect(setting(["--last-property-value", "core"]).output == "6\n")
    #expect(setting(["--last-property-value", "host"]).output == "node3\n")
    let call = setting(["--last-property-value", "nosuch"])
    #expect(call.exitCode == 0)
    #expect(
      call.errors == "# Warning: Cannot retrieve the last value for nosuch. Either no resource or "
        + "no such property exists (yet).\n")
  }
}
