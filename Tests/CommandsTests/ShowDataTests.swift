// What programs read: OAR's structures in its four formats, and our own JSON.

import ClusterModel
import Foundation
import Testing
import Wire

@testable import CommandLine
@testable import UserCommands

@Suite("data formats")
struct ShowDataTests {
  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private func parsed(_ text: String) throws -> NSDictionary {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(value as? NSDictionary)
  }

  private func parsed(_ bytes: [UInt8]) throws -> NSDictionary { try parsed(text(bytes)) }

  // MARK: OAR's forms

  @Test("-J says the same as OAR's, numbers as numbers and texts as texts")
  func shortJSON() throws {
    let own = DataFormat.json.document(jobEntries([Recorded.job50], full: false))
    #expect(try parsed(own) == parsed(RecordedData.shortJSON))
  }

  @Test("-J -f says the same as OAR's")
  func fullJSON() throws {
    let own = DataFormat.json.document(jobEntries([Recorded.job53], full: true))
    #expect(try parsed(own) == parsed(RecordedData.fullJSON))
  }

  @Test("JSON is laid out as OAR's: three blanks a level, blanks around the colon")
  func jsonLayout() {
    let own = DataFormat.json.document(stateEntries([Recorded.job50]))
    #expect(text(own) == "{\n   \"50\" : \"Running\"\n}\n")
  }

  @Test("-Y has OAR's lines, and quotes what other readers would take for something else")
  func yaml() {
    let own = text(DataFormat.yaml.document(jobEntries([Recorded.job50], full: false)))
    #expect(own == RecordedData.shortYAML)
    let values: [OutputEntry] = [
      OutputEntry("flag", .text("NO")), OutputEntry("number", .text("0")),
      OutputEntry("nothing", .null), OutputEntry("empty", .text("")),
      OutputEntry("blank", .text("x ")), OutputEntry("lines", .text("a\nb")),
      OutputEntry("colon", .text("a: b")), OutputEntry("quote", .text("'x'")),
      OutputEntry("list", .list([["k": .integer(1), "l": .list([1, 2])], .list([String]())])),
    ]
    #expect(
      text(DataFormat.yaml.document(values)) == """
        ---
        flag: 'NO'
        number: '0'
        nothing: ~
        empty: ''
        blank: 'x '
        lines: "a\\nb"
        colon: 'a: b'
        quote: '''x'''
        list:
          - k: 1
            l:
              - 1
              - 2
          - []

        """)
    #expect(text(DataFormat.yaml.document([])) == "--- {}\n")
  }

  @Test("-X is OAR's document, byte for byte but for addresses of memory")
  func xml() {
    let own = text(DataFormat.xml.document(jobEntries([Recorded.job50], full: false)))
    #expect(own == RecordedData.shortXML)
    let hostile = DataFormat.xml.document([
      OutputEntry("a<b", .text("<&>\"'\u{1}")), OutputEntry("none", .null),
    ])
    #expect(text(hostile).contains("<item key=\"a&lt;b\">&lt;&amp;&gt;&quot;&apos;?</item>"))
    #expect(text(hostile).contains("<item key=\"none\" defined=\"false\"></item>"))
  }

  @Test("-D has the lines of OAR's dump, whose order is random")
  func dumper() {
    let own = text(DataFormat.dumper.document(jobEntries([Recorded.job50], full: false)))
    #expect(own.hasPrefix("{\n  '50' => {\n    'Job_Id' => 50,\n"))
    func lines(_ text: String) -> [String] {
      text.split(separator: "\n").map { $0.hasSuffix(",") ? String($0.dropLast()) : String($0) }
        .sorted()
    }
    #expect(lines(own) == lines(RecordedData.shortDump))
    let hostile = DataFormat.dumper.document([OutputEntry("it's", .text("a\\b'"))])
    #expect(text(hostile) == "{\n  'it\\'s' => 'a\\\\b\\''\n}\n")
  }

  @Test("events and ended jobs keep their data in OAR's form")
  func endedJob() throws {
    let own = try parsed(DataFormat.json.document(jobEntries([Recorded.job51], full: true)))
    let job = try #require(own["51"] as? NSDictionary)
    #expect(job["scheduledStart"] as? String == "no prediction")
    #expect(job["stopTime"] as? Int == 1_795_177_233)
    let events = try #require(job["events"] as? [NSDictionary])
    #expect(events.count == 6)
    #expect(
      events[1] == [
        "type": "BESTEFFORT_KILL", "job_id": 51, "date": 1_795_177_233,
        "description": "[MetaSched] kill the besteffort job 51",
      ])
  }

  @Test("texts with quotes, control characters and other scripts survive JSON")
  func hostileTexts() throws {
    let hostile = "\"quoted\" \\ back\nline\ttab \u{1B} é 漢字 🚣"
    let bytes = DataFormat.json.document([OutputEntry(hostile, .text(hostile))])
    #expect(try parsed(bytes) == [hostile: hostile])
  }

  @Test("resources have OAR's columns and types")
  func resourceJSON() throws {
    var record = Recorded.records[0]
    record.resource.lastJobDate = 1_795_177_197
    let data = ResourceData(properties: Recorded.properties)
    let own = DataFormat.json.nodesDocument(data.entries([record]))
    #expect(try parsed(own) == parsed(RecordedData.resourceJSON))
    #expect(text(own).hasSuffix("}\n\n"))
    let xml = text(DataFormat.xml.nodesDocument(data.entries([record])))
    #expect(xml == RecordedData.resourceXML + "\n")
    let dump = text(DataFormat.dumper.nodesDocument(data.states(Recorded.records)))
    #expect(
      dump == "{'node1' => {'1' => 'Alive','2' => 'Alive'},"
        + "'node2' => {'3' => 'Alive','4' => 'Alive'}}\n")
  }

  @Test("a free resource has no jobs")
  func freeResource() throws {
    var record = Recorded.records[0]
    record.jobs = []
    let data = ResourceData(properties: Recorded.properties)
    let own = try parsed(DataFormat.json.document(data.entries([record])))
    #expect((own["1"] as? NSDictionary)?["jobs"] == nil)
  }

  @Test("the plan of a time says of a job what OAR's --gantt says")
  func gantt() throws {
    let bar = GanttBar(
      job: 50, user: "alice", state: .running, start: 1_795_177_227, end: 1_795_178_427,
      resources: [1, 2])
    let plan = OarstatGantt.Plan(
      bars: [bar], resources: Recorded.records, properties: Recorded.properties,
      now: Recorded.now, window: 0..<1)
    let own = try parsed(DataFormat.json.document(ganttEntries(plan, jobs: [Recorded.job50])))
    let recorded = try parsed(RecordedData.ganttJSON)
    let ownJobs = try #require(own["jobs"] as? [String: NSDictionary])
    let recordedJobs = try #require(recorded["jobs"] as? [String: NSDictionary])
    #expect(ownJobs["50"] == recordedJobs["50"])
    #expect(own["dead_resources"] as? NSDictionary == [:])
    let ownKeys = try #require(own["resources"] as? [[String: Any]]).first?.keys.sorted()
    let keys = try #require(recorded["resources"] as? [[String: Any]]).first?.keys.sorted()
    #expect(ownKeys == keys)
  }

  // MARK: our own form

  @Test("--json of oarstat holds every field of a job under a name that stays")
  func ownForm() throws {
    let call = recordedCall(Oarstat.self, ["--json"]) { _ in
      [.jobs([Recorded.job51, Recorded.job54], last: true)]
    }
    let document = try parsed(call.output)
    #expect(document["format"] as? Int == 1)
    let jobs = try #require(document["jobs"] as? [[String: Any]])
    #expect(
      jobs[0].keys.sorted() == [
        "array_id", "array_index", "assigned_hosts", "assigned_moldable", "assigned_resources",
        "command", "dependencies", "directory", "events", "exit_code", "exit_signal", "id",
        "initial_request", "kind", "message", "moldables", "name", "project", "properties",
        "queue", "reservation", "resubmitted_from", "scheduled_start", "start_time", "state",
        "stderr", "stdout", "stop_time", "submission_time", "types", "user", "wait_status",
        "walltime", "walltime_change",
      ])
    #expect(jobs[0]["start_time"] as? Int == 1_795_177_227)
    #expect(jobs[1]["start_time"] is NSNull)
    #expect((jobs[0]["events"] as? [Any])?.count == 6)
    let moldables = try #require(jobs[1]["moldables"] as? [[String: Any]])
    #expect(moldables.map { $0["walltime"] as? Int } == [600, 300])
  }

  @Test(
    "--json splits a wait status into exit code and signal",
    arguments: [
      (1280, 5, nil), (9, nil, 9), (139, nil, 11), (0, 0, nil),
    ] as [(Int, Int?, Int?)])
  func exitStatus(status: Int, code: Int?, signal: Int?) throws {
    var job = Recorded.job51
    job.exitCode = status
    let fields = try parsed(DocumentOption.document([OutputEntry("job", document(of: job))]))
    let fieldsOfJob = try #require(fields["job"] as? NSDictionary)
    #expect(fieldsOfJob["wait_status"] as? Int == status)
    #expect(fieldsOfJob["exit_code"] as? Int == code)
    #expect(fieldsOfJob["exit_signal"] as? Int == signal)
  }

  @Test("--json of oarnodes holds the site's properties and the jobs")
  func ownResourceForm() throws {
    let call = recordedCall(Oarnodes.self, ["--json"]) { _ in
      [.resources(Recorded.records, properties: Recorded.properties)]
    }
    let resources = try #require(try parsed(call.output)["resources"] as? [[String: Any]])
    #expect(resources.count == 4)
    #expect(resources[0]["host"] as? String == "node1")
    #expect(resources[0]["besteffort"] as? Bool == true)
    #expect(resources[0]["properties"] as? NSDictionary == ["core": 1, "host": "node1"])
    #expect(resources[0]["jobs"] as? [Int] == [50])
  }
}
