// OAR's resource requests: what is read, what is refused, and that the text comes back.

import ClusterModel
import RequestLanguage
import Testing

@Suite("Resource requests")
struct ResourceRequestTests {
  struct Good: Sendable {
    let text: String
    let groups: [RequestGroup]
    let walltime: Seconds?

    init(_ text: String, _ groups: [RequestGroup], walltime: Seconds? = nil) {
      self.text = text
      self.groups = groups
      self.walltime = walltime
    }
  }

  static func group(_ properties: String = "", _ levels: (String, BlockCount)...) -> RequestGroup {
    RequestGroup(properties: properties, levels: levels.map { RequestLevel($0.0, $0.1) })
  }

  static let good: [Good] = [
    Good("core=1,walltime=0:1:0", [group("", ("core", .exactly(1)))], walltime: 60),
    Good("core=1,walltime=0:1", [group("", ("core", .exactly(1)))], walltime: 60),
    Good("nodes=1", [group("", ("network_address", .exactly(1)))]),
    Good(
      "host=1/core=2,walltime=1", [group("", ("host", .exactly(1)), ("core", .exactly(2)))],
      walltime: 3600),
    Good(
      "{host='node1'}/core=1+{host='node2'}/core=2,walltime=0:1:0",
      [group("host='node1'", ("core", .exactly(1))), group("host='node2'", ("core", .exactly(2)))],
      walltime: 60),
    Good("host=BEST", [group("", ("host", .best))]),
    Good("host=ALL", [group("", ("host", .all))]),
    Good("host=BESTHALF", [group("", ("host", .bestHalf))]),
    Good(
      "/switch=2/nodes=10,walltime=10:0",
      [group("", ("switch", .exactly(2)), ("network_address", .exactly(10)))], walltime: 36000),
    Good(
      "{gpu='YES'}/nodes=ALL+{gpu='NO'}/core=20",
      [
        group("gpu='YES'", ("network_address", .all)), group("gpu='NO'", ("core", .exactly(20))),
      ]),
    Good("walltime=4:0", [], walltime: 14400),
    Good(" walltime = 2 ", [], walltime: 7200),
    Good(
      " / host = 2 / core = all + core=3 , walltime = 0 : 90 : 5 ",
      [group("", ("host", .exactly(2)), ("core", .all)), group("", ("core", .exactly(3)))],
      walltime: 5405),
    Good(
      "{network_address in ('a','b')}/resource_id=1,walltime=1",
      [group("network_address in ('a','b')", ("resource_id", .exactly(1)))], walltime: 3600),
    Good(
      "{ tag = 'a}/core=1+{,''x' and mem > 1 + 2 }core=1",
      [group("tag = 'a}/core=1+{,''x' and mem > 1 + 2", ("core", .exactly(1)))]),
    Good("{type = 'default'}/host=1", [group("type = 'default'", ("host", .exactly(1)))]),
    Good("{}/core=1", [group("", ("core", .exactly(1)))]),
    Good("CORE=2147483647", [group("", ("core", .exactly(2_147_483_647)))]),
    Good("foo=1", [group("", ("foo", .exactly(1)))]),
  ]

  @Test("a request of OAR's language is read as it is meant", arguments: good)
  func reads(_ example: Good) throws {
    let request = try ResourceRequestParser.parse(
      example.text, nodesProperty: "network_address")
    #expect(request.groups == example.groups)
    #expect(request.walltime == example.walltime)
  }

  static let bad: [(String, RequestError.Kind, Int?)] = [
    ("", .missing, 1), ("   ", .missing, 4), ("nodes=0", .outOfRange, 7),
    ("host=-1", .malformed, 6), ("host=x", .malformed, 6), ("host=1.5", .malformed, 6),
    ("host=+1", .missing, 6), ("core", .missing, 1), ("core=", .missing, 6),
    ("=1", .malformed, 1), ("core 1", .malformed, 1), ("1core=1", .malformed, 1),
    ("core=2147483648", .outOfRange, 6),
    ("core=99999999999999999999999999", .outOfRange, 6),
    ("core=1/", .missing, 8), ("core=1+", .missing, 8), ("core=1,", .missing, 8),
    ("core=1,core=2", .malformed, 8), ("core=1 2", .malformed, 8), ("+core=1", .malformed, 1),
    ("core=1//core=1", .malformed, 8), ("host=1/walltime=2", .malformed, 8),
    ("core=1,walltime=1,walltime=1", .malformed, 17), ("walltime=1,core=1", .malformed, 10),
    ("{host='a'/core=1", .malformed, 1), ("host='a'}/core=1", .malformed, 6),
    ("{host='a}/core=1", .malformed, 1), ("{a='b'}", .missing, 8),
    ("{{a=1}}/core=1", .malformed, 2), ("{host = }/core=1", .missing, 9),
    ("é{host = 1}/core=1", .malformed, 1), ("{tag = 'é' AND}/core=1", .missing, 15),
    ("core=1,walltime=abc", .malformed, 17), ("core=1,walltime=", .malformed, 17),
    ("core=1,walltime=0", .outOfRange, 17), ("core=1,walltime=0:0:0", .outOfRange, 17),
    ("core=1,walltime=-1", .malformed, 17), ("core=1,walltime=1:2:3:4", .malformed, 17),
    ("core=1,walltime=1::2", .malformed, 17), ("core=1,walltime=1.5", .malformed, 17),
    ("core=1,walltime=99999999999999999999", .outOfRange, 17),
    ("core=1,walltime=596524", .outOfRange, 17),
  ]

  @Test("a request that OAR's language does not have is refused at its place", arguments: bad)
  func refuses(_ text: String, _ kind: RequestError.Kind, _ position: Int?) {
    let error = #expect(throws: RequestError.self) {
      try ResourceRequestParser.parse(text, nodesProperty: "network_address")
    }
    #expect(error?.kind == kind)
    #expect(error?.position == position)
    #expect(error?.allowed.isEmpty == false)
  }

  @Test("an error says what was read, where, the value and what is allowed")
  func describes() {
    let error = #expect(throws: RequestError.self) {
      try ResourceRequestParser.parse("core=1/nodes=0", nodesProperty: "host")
    }
    #expect(
      error?.description
        == "resource request, character 14: '0' is out of range; "
        + "allowed: a number from 1 to 2147483647, ALL, BEST or BESTHALF")
  }

  @Test("an error repeats only the start of a value, without control characters")
  func excerpts() {
    let error = #expect(throws: RequestError.self) {
      try ResourceRequestParser.parse(
        "core=\u{1B}[31m" + String(repeating: "x", count: 500), nodesProperty: "host")
    }
    #expect(error?.value.hasPrefix("?[31mxxx") == true)
    #expect((error?.value.count ?? 1000) < 60)
  }

  @Test("a megabyte of text is refused for its size")
  func refusesHugeText() {
    let error = #expect(throws: RequestError.self) {
      try ResourceRequestParser.parse(
        String(repeating: "core=1+", count: 150_000), nodesProperty: "host")
    }
    #expect(error?.kind == .tooLarge)
  }

  @Test("too many groups and too many levels are refused")
  func refusesTooMany() {
    for (separator, limit) in [("+", RequestLimits.groups), ("/", RequestLimits.levels)] {
      let fits = Array(repeating: "a=1", count: limit).joined(separator: separator)
      #expect(throws: Never.self) {
        try ResourceRequestParser.parse(fits, nodesProperty: "host")
      }
      let error = #expect(throws: RequestError.self) {
        try ResourceRequestParser.parse(fits + separator + "a=1", nodesProperty: "host")
      }
      #expect(error?.kind == .tooLarge)
    }
  }

  @Test("wanted resources look as oarstat -f shows them")
  func rendersWantedResources() throws {
    let moldables = [
      Moldable(
        walltime: 600,
        groups: [Self.group("type = 'default'", ("core", .exactly(1)))]),
      Moldable(
        walltime: 300,
        groups: [Self.group("type = 'default'", ("host", .exactly(2)), ("core", .best))]),
    ]
    #expect(
      moldables.wantedResources
        == #"-l "{type = 'default'}/core=1,walltime=0:10:0" "#
        + #"-l "{type = 'default'}/host=2/core=BEST,walltime=0:5:0" "#)
  }

  @Test("any request comes back from its text")
  func roundTrips() throws {
    var random = SeededGenerator(seed: 1)
    for _ in 0..<2000 {
      let moldable = Self.randomMoldable(&random)
      let parsed = try ResourceRequestParser.parse(moldable.requestText, nodesProperty: "host")
      #expect(parsed.groups == moldable.groups)
      #expect(parsed.walltime == moldable.walltime)
    }
  }

  static func randomMoldable(_ random: inout SeededGenerator) -> Moldable {
    let names = ["host", "cpu", "core", "switch", "gpu_count", "_x9"]
    let groups = (0..<random.number(1...4)).map { _ in
      RequestGroup(
        properties: random.chance(40) ? "" : RandomConditions.text(&random),
        levels: (0..<random.number(1...4)).map { _ in
          RequestLevel(
            random.pick(names),
            random.pick([.all, .best, .bestHalf, .exactly(random.number(1...2_147_483_647))]))
        })
    }
    return Moldable(walltime: random.number(1...2_147_483_647), groups: groups)
  }
}
