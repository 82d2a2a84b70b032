// The words of a call: a benchmark's name and options with a value each.

/// A benchmark that could not be carried out.
struct BenchmarkError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

struct Arguments {
  let name: String
  let isJSON: Bool
  private var options: [String: String] = [:]

  private static let known = [
    "count", "parallel", "slurm", "rounds", "command", "note", "scenario", "socket",
    "jobs", "resources",
  ]

  init(_ words: some Collection<String>) throws {
    var rest = words.filter { $0 != "--json" }[...]
    isJSON = rest.count < words.count
    guard let name = rest.popFirst(), !name.hasPrefix("-") else {
      throw BenchmarkError("the name of a benchmark is needed")
    }
    self.name = name
    while let word = rest.popFirst() {
      let option = String(word.drop { $0 == "-" })
      guard word.hasPrefix("--"), Self.known.contains(option), let value = rest.popFirst() else {
        throw BenchmarkError(
          "\"\(word)\" is no option with a value; there are --json and "
            + Self.known.map { "--" + $0 }.joined(separator: ", "))
      }
      options[option] = value
    }
  }

  func text(_ option: String) -> String? { options[option] }

  func integer(_ option: String, default fallback: Int) throws -> Int {
    guard let text = options[option] else { return fallback }
    guard let number = Int(text), number > 0 else {
      throw BenchmarkError("--\(option) takes a whole number from 1, not \"\(text)\"")
    }
    return number
  }

  func number(_ option: String) throws -> Double? {
    guard let text = options[option] else { return nil }
    guard let number = Double(text), number > 0 else {
      throw BenchmarkError("--\(option) takes a number above 0, not \"\(text)\"")
    }
    return number
  }
}
