// The example of oar.conf against the code that reads it: every variable is in both, and what the example
// says of defaults is true.

import ClusterModel
import FoundationEssentials
import LabFixture
import Testing

@testable import Controller

@Suite("The example of oar.conf")
struct SettingsExample {
  static let repository = String(
    #filePath.dropLast("/Tests/PackagesTests/SettingsExample.swift".count))
  /// The layers whose programs read oar.conf.
  private static let layers = [
    "Model", "Planning", "Storage", "Execution", "Colocation", "Service", "Commands",
  ]

  static func text(_ path: String) throws -> String {
    try String(decoding: Data(contentsOf: URL(filePath: "\(repository)/\(path)")), as: UTF8.self)
  }

  /// The example, and the variables in it.
  private let example: String
  private let variables: [String]

  init() throws {
    example = try Self.text("Packaging/oar.conf")
    variables = example.split(separator: "\n").compactMap { line in
      line.firstMatch(of: #/^#([A-Z][A-Z0-9_]*)="/#).map { String($0.1) }
    }
  }

  /// What the files that read oar.conf hold between quotes in capitals; a part that is filled in stands as `*`.
  private struct Words {
    var all: Set<String> = []
    /// Those that are asked for: `configuration["NAME"]`, `text("NAME"`.
    var asked: Set<String> = []

    mutating func read(_ text: String) {
      let word = #/"((?:\\\(\w+\)_)?[A-Z][A-Z0-9_]+(?:\\\(\w+\)[A-Z0-9_]*)?)"/#
      let calls = ["text", "integer", "flag", "number", "seconds", "time", "amounts", "users"]
      for match in text.matches(of: word) {
        let name = String(match.1).replacing(#/\\\(\w+\)/#, with: "*")
        all.insert(name)
        let before = String(text[..<match.range.lowerBound].suffix(80)).trimmingBlanks
        if before.hasSuffix("onfiguration[")
          || calls.contains(where: { before.hasSuffix($0 + "(") })
        {
          asked.insert(name)
        }
      }
    }
  }

  private static func words() throws -> Words {
    var words = Words()
    for layer in layers {
      let folder = "\(repository)/Sources/\(layer)"
      for name in try FileManager.default.subpathsOfDirectory(atPath: folder)
      where name.hasSuffix(".swift") && !name.contains("/Lab/") && !name.hasPrefix("SiteCheck/")
        && !name.hasPrefix("LendingServer/")
      {
        let text = try text("Sources/\(layer)/\(name)")
        if text.contains("onfiguration") { words.read(text) }
      }
    }
    return words
  }

  /// Whether a word of the sources stands for a variable.
  private static func means(_ word: String, _ variable: String) -> Bool {
    let parts = word.split(separator: "*", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return word == variable }
    return variable.hasPrefix(parts[0]) && variable.hasSuffix(parts[1])
      && variable.count > parts[0].count + parts[1].count
  }

  @Test("every variable that the programs read is explained, and none that they do not")
  func complete() throws {
    let words = try Self.words()
    #expect(words.asked.count > 40)
    for word in words.asked {
      // A name may be put together: of "SCHEDULER_NODE_MANAGER" and "SLEEP_TIME".
      let isKnown = variables.contains { Self.means(word, $0) || $0.hasSuffix("_" + word) }
      #expect(isKnown, "Packaging/oar.conf does not explain \(word)")
    }
    for variable in variables {
      #expect(words.all.contains { Self.means($0, variable) }, "nothing reads \(variable)")
    }
    #expect(Set(variables).count == variables.count)
  }

  @Test("each is explained before it stands, in lines that fit a page")
  func explained() {
    var isExplained = false
    for line in example.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("# ") { isExplained = true }
      if line.isEmpty || line.hasPrefix("##") { isExplained = false }
      if line.hasPrefix("#"), line.dropFirst().first?.isUppercase == true {
        #expect(isExplained, "\(line)")
      } else {
        #expect(line.count <= 120, "\(line)")
        #expect(line.isEmpty || line.hasPrefix("#"), "\(line)")
      }
    }
  }

  @Test("what it says holds without the line does hold")
  func defaults() throws {
    var configuration = Configuration(parsing: example.replacing(#/(?m)^#([A-Z])/#) { $0.1 })
    for variable in variables { #expect(configuration[variable] != nil) }
    // The one that is an example.
    configuration["SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS"] = nil
    let (told, real) = (try ServerSettings(configuration), try ServerSettings(Configuration()))
    #expect(String(describing: told) == String(describing: real))
  }

  @Test("Docs/Configuration.md names every variable of the example")
  func documented() throws {
    let text = try Self.text("Docs/Configuration.md")
    for variable in variables {
      // Some are written after one of their kind: `…_COEF_USER`.
      let endings = variable.indices.filter { variable[$0] == "_" }.map { "…" + variable[$0...] }
      #expect(([variable] + endings).contains { text.contains("`\($0)`") }, "\(variable)")
    }
  }
}
