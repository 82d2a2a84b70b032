// oarnodes and oarprint: texts as OAR 2.5.9 printed them, properties in a fixed order.

import ClusterModel
import Glibc
import Testing
import Wire

@testable import CommandLine
@testable import UserCommands

@Suite("oarnodes and oarprint")
struct ShowNodeTests {
  private func nodes(
    _ words: [String], _ records: [ResourceRecord] = Recorded.records
  ) -> Call {
    recordedCall(Oarnodes.self, words) { _ in
      [.resources(records, properties: Recorded.properties)]
    }
  }

  @Test("plain oarnodes prints a block for each resource")
  func blocks() {
    let call = nodes([], Array(Recorded.records.prefix(1)))
    #expect(
      call.output == """
        network_address : node1
        resource_id : 1
        state : Alive
        jobs: 50
        properties : type=default, network_address=node1, cpuset=0, besteffort=YES, deploy=NO, \
        desktop_computing=NO, available_upto=2147483647, last_available_upto=0, drain=NO, core=1, \
        host=node1, jobs=50


        """)
    #expect(call.exitCode == 0)
  }

  @Test("a free resource without values has no line of jobs and empty values")
  func freeBlock() {
    var record = Recorded.records[0]
    record.jobs = []
    record.resource.properties = ["core": .null, "host": .null]
    let text = nodes([], [record]).output
    #expect(text.contains("state : Alive\nproperties : type=default, "))
    #expect(text.hasSuffix("drain=NO, core=, host=\n\n"))
  }

  @Test("a resource whose host may be lent says who has it")
  func lending() throws {
    var record = Recorded.records[0]
    record.lending = "KUBE, no job needs it"
    #expect(
      nodes([], [record]).output.contains(
        "state : Alive\njobs: 50\nlending : KUBE, no job needs it\nproperties : "))
    #expect(nodes(["--json"], [record]).output.contains("\"lending\": \"KUBE, no job needs it\""))
  }

  @Test("-s prints the resources of each host, and which of them sleep")
  func states() {
    var records = Recorded.records
    records[1].resource.state = .absent
    records[3].resource.state = .absent
    records[3].resource.availableUpto = 0
    #expect(
      nodes(["-s"], records).output == """
        node1
            1 : Alive
            2 : Absent (standby)
        node2
            3 : Alive
            4 : Absent

        """)
    #expect(nodes(["-s", "node1", "node2"]).requests.count == 1)
  }

  @Test("-l prints the hosts, also when a data format is asked for")
  func list() {
    #expect(nodes(["-l"]).output == "node1\nnode2\n")
    #expect(nodes(["-J", "-l"]).output == "node1\nnode2\n")
  }

  @Test("hosts, ids and conditions are sent as they are")
  func selection() throws {
    let call = nodes(["-r", "2", "node1", "--sql", "core = 2", "-r", "3"])
    guard case .resources(let selection) = try #require(call.requests.first) else {
      Issue.record("no question about resources")
      return
    }
    #expect(selection.ids == [2, 3])
    #expect(selection.hosts == ["node1"])
    #expect(selection.condition == "core = 2")
  }

  @Test("an id that no resource has gives OAR's empty block and a word about it")
  func unknownResource() {
    let call = nodes(["-r", "99"], [])
    #expect(call.output == "network_address : \nresource_id : \nstate : \nproperties : \n\n")
    #expect(call.errors == "/!\\ There is no resource 99.\n")
    #expect(call.exitCode == 0)
  }

  @Test("an unknown host gives nothing on the standard output and ends with 0, as in OAR")
  func unknownHost() {
    let call = nodes(["nosuch"], [])
    #expect(call.output == "")
    #expect(call.errors == "/!\\ No resource is on a host \"nosuch\".\n")
    #expect(call.exitCode == 0)
  }

  @Test("text where a number belongs is refused with Getopt's words", arguments: ["abc", "1,2"])
  func badNumber(text: String) {
    let call = nodes(["-r", text])
    #expect(call.exitCode == 1)
    #expect(call.errors.hasPrefix("Value \"\(text)\" invalid for option r (number expected)\n"))
    #expect(call.requests.isEmpty)
  }

  @Test("a condition that the server refuses is told and ends with 1")
  func badCondition() {
    let call = recordedCall(Oarnodes.self, ["--sql", "foo = 2"]) { _ in
      [.refused(Refusal(.badProperty, "there is no property \"foo\""))]
    }
    #expect(call.exitCode == 1)
    #expect(call.errors == "[ERROR] there is no property \"foo\"\n")
  }

  @Test("-e asks for each host and takes a word that is no date as a host")
  func events() {
    let event = JobEvent("FINAUD_ERROR", job: 0, at: 1_795_177_226, "no answer", hosts: ["node1"])
    let call = recordedCall(Oarnodes.self, ["-e", "node1", "node2"]) { request in
      if case .hostEvents("node1", limit: 20) = request { return [.events([event])] }
      return [.events([])]
    }
    let date = LocalDate(1_795_177_226).text
    #expect(call.output == "\(date)| 0| FINAUD_ERROR: no answer\n")
    #expect(call.requests.count == 2)
  }

  @Test("-e with a date leaves out what is older")
  func eventsSince() {
    let events = [1_795_177_226, 1_795_177_999].map {
      JobEvent("X", job: 5, at: $0, "at \($0)", hosts: ["node1"])
    }
    let date = LocalDate(1_795_177_300).text
    let call = recordedCall(Oarnodes.self, ["-e", date, "node1"]) { _ in [.events(events)] }
    #expect(call.output.hasSuffix("| 5| X: at 1795177999\n"))
    #expect(call.output.split(separator: "\n").count == 1)
  }

  @Test("without a server the exit code is OAR's 25")
  func noServer() {
    let context = CommandContext(
      words: ["oarnodes"], output: TextStream(), errors: TextStream(), input: -1,
      variable: { _ in nil }, connect: { _ in throw ServerUnreachable(reason: "refused") })
    #expect(Oarnodes.call(in: context) == 25)
    #expect(context.errors.captured.hasPrefix("[ERROR] Cannot reach the server: refused.\n"))
  }

  // MARK: oarprint

  /// What the recorded job read in its `OAR_RESOURCE_PROPERTIES_FILE`.
  private static let resources = """
     besteffort = 'YES' , type = 'default' , cpuset = '0' , host = 'node1' , core = '1'\u{20}
     besteffort = 'YES' , type = 'default' , cpuset = '0' , host = 'node2' , core = '3'\u{20}
     cpuset = '1' , host = 'node2' , core = '4' , besteffort = 'YES' , type = 'default'\u{20}
     besteffort = 'YES' , type = 'default' , cpuset = '1' , host = 'node1' , core = '2'\u{20}

    """

  private func print(_ words: [String], _ text: String = resources) throws -> Call {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    #expect(writeAll(Array(text.utf8), to: ends[1]))
    close(ends[1])
    return recordedCall(Oarprint.self, words + ["-f", "-"], input: ends[0])
  }

  @Test("oarprint prints each value of the key once, in order")
  func key() throws {
    #expect(try print(["host"]).output == "node1\nnode2\n")
    #expect(try print(["core"]).output == "1\n2\n3\n4\n")
  }

  @Test("oarprint prints other properties with blanks between, or in a format")
  func formats() throws {
    #expect(
      try print(["core", "-P", "host,core,cpuset"]).output
        == "node1 1 0\nnode1 2 1\nnode2 3 0\nnode2 4 1\n")
    #expect(
      try print(["host", "-P", "host,core", "-F", "host: % cores: %", "-C+"]).output
        == "host: node1 cores: 1+2\nhost: node2 cores: 3+4\n")
    #expect(
      try print(["core", "-P", "host,cpuset", "-F", "%[%]"]).output
        == "node1[0]\nnode1[1]\nnode2[0]\nnode2[1]\n")
    #expect(try print(["host", "-F", "@@ 100%", "-T", "@@"]).output == "node1 100%\nnode2 100%\n")
  }

  @Test("what follows the place of a missing property is left out, as in OAR")
  func shortFormat() throws {
    #expect(
      try print(["-P", "host", "-F", "%[%] (%)", "core"]).output
        == "node1[\nnode1[\nnode2[\nnode2[\n")
  }

  @Test("oarprint -l lists the properties")
  func properties() throws {
    #expect(
      try print(["-l"]).output
        == "List of properties:\nbesteffort, type, cpuset, host, core\n")
  }

  @Test("an unknown property is named")
  func unknownProperty() throws {
    let call = try print(["core", "-P", "nosuch"])
    #expect(call.errors == "oarprint: Unknown property 'nosuch'\n")
    #expect(call.exitCode == 1)
  }

  @Test("outside a job there is nothing to read")
  func outside() {
    let call = recordedCall(Oarprint.self, ["host"])
    #expect(call.exitCode == 255)
    #expect(call.errors.hasPrefix("oarprint: no input data available\n"))
  }

  @Test("values with commas and quotes are read, and garbage is skipped")
  func hostileInput() throws {
    #expect(try print(["name"], " name = 'a, 'b'' , core = '1' \n").output == "a, 'b'\n")
    let garbage = String(repeating: "= ' , ", count: 8000) + "\n core = '7' \n"
    #expect(try print(["core"], garbage).output == "7\n")
  }

  @Test("oarprint reads what oarstat -p prints")
  func roundTrip() throws {
    let text = ResourceText(properties: Recorded.properties, now: Recorded.now)
    let lines = String(decoding: text.assignments(Recorded.records), as: UTF8.self)
    #expect(lines.hasPrefix(" type = 'default' , network_address = 'node1' , cpuset = '0' , "))
    #expect(lines.split(separator: "\n").allSatisfy { $0.hasSuffix("' ") })
    #expect(try print(["network_address"], lines).output == "node1\nnode2\n")
  }
}
