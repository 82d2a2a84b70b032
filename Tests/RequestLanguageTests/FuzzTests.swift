// No text whatever makes a parser crash: it is read or refused.

import ClusterModel
import RequestLanguage
import Testing

@Suite("Arbitrary texts")
struct FuzzTests {
  static let seeds: [String] =
    ResourceRequestTests.good.map(\.text)
    + [
      "core IN (1, '4') AND host LIKE 'n_d%' ESCAPE '|' OR NOT (mem*2 BETWEEN 1 AND -2)",
      "a IS NOT NULL AND \"b\" <> 'it''s'", "timesharing=user,*", "token:x=3",
      "deadline=2027-03-25 17:32", "2027-03-25 17:32:12", "1:2:3", "42,0,3600", "SIGUSR1",
      "#!/bin/sh\n#OAR -l \"nodes=1\"\n#OAR --hold\n",
    ]

  static let bytes = Array("{}()'\"/=+,:-*%_~!<>#\n\\ \t0123456789aAzZéN\u{0}".utf8) + [0xFF, 0xC3]

  /// Gives a text to every parser; returns how many took it.
  static func tryAll(_ text: String) -> Int {
    var taken = 0
    func attempt(_ parse: () throws -> Void) { if (try? parse()) != nil { taken += 1 } }
    attempt {
      let request = try ResourceRequestParser.parse(text, nodesProperty: "host")
      let moldable = Moldable(walltime: request.walltime ?? 1, groups: request.groups)
      guard !request.groups.isEmpty else { return }
      let again = try ResourceRequestParser.parse(moldable.requestText, nodesProperty: "host")
      #expect(again.groups == request.groups, "\(text)")
    }
    attempt {
      let expression = try PropertyExpression(parsing: text)
      _ = expression.matches { $0.utf8.count % 2 == 0 ? .integer(4) : .text(text) }
      _ = expression.sql(style: .dollar)
      #expect((try? PropertyExpression(parsing: expression.text)) == expression, "\(text)")
    }
    attempt {
      let type = try JobType(parsing: text)
      #expect((try? JobType(parsing: type.text)) == type, "\(text)")
    }
    attempt { _ = try OARDate.parse(text, precision: .optionalTime) }
    attempt { _ = try Walltime.parse(text) }
    attempt { _ = try JobDependency(parsing: text) }
    attempt { _ = try SignalName.number(parsing: text) }
    attempt { _ = try ScriptDirectives.parse(text) }
    attempt { _ = try parameterLines(text) }
    return taken
  }

  @Test("random bytes are read or refused")
  func randomBytes() {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<3000 {
      let length = random.number(0...40)
      let any = (0..<length).map { _ in UInt8(random.number(0...255)) }
      let likely = (0..<length).map { _ in random.pick(Self.bytes) }
      _ = Self.tryAll(String(decoding: any, as: UTF8.self))
      _ = Self.tryAll(String(decoding: likely, as: UTF8.self))
    }
  }

  @Test("texts that are nearly right are read or refused")
  func mutations() {
    var random = SeededGenerator(seed: 12)
    var taken = 0
    for _ in 0..<6000 {
      var text = Array(random.pick(Self.seeds).utf8)
      for _ in 0..<random.number(1...4) { Self.mutate(&text, &random) }
      taken += Self.tryAll(String(decoding: text, as: UTF8.self))
    }
    #expect(taken > 1000)
  }

  private static func mutate(_ text: inout [UInt8], _ random: inout SeededGenerator) {
    let place = random.number(0...text.count)
    switch random.number(0...4) {
    case 0: text.insert(random.pick(bytes), at: place)
    case 1 where place < text.count: text.remove(at: place)
    case 2 where place < text.count: text[place] = random.pick(bytes)
    case 3: text.removeSubrange(place...)
    default:
      let other = Array(random.pick(seeds).utf8)
      text.insert(contentsOf: other.suffix(random.number(0...other.count)), at: place)
    }
  }
}
