// Names of many hosts in few words, as clusters write them: node[1-4,7], @node for all of a role, all.

import CommandLine
import Lab

enum HostSet {
  /// The most names that one word may stand for.
  static let limit = 10_000

  /// The hosts that a list of words means, separated by commas, in the lab's order and each once.
  static func resolve(_ text: String, among hosts: [LabHost]) throws(UsageError) -> [String] {
    var wanted: Set<String> = []
    for piece in pieces(text) {
      if piece == "all" {
        wanted.formUnion(hosts.map(\.name))
      } else if piece.hasPrefix("@") {
        let role = String(piece.dropFirst())
        let ofRole = hosts.filter { $0.role == role }
        guard !ofRole.isEmpty else {
          let roles = hosts.map(\.role).reduce(into: [String]()) {
            if $0.last != $1 { $0.append($1) }
          }
          throw UsageError([
            "There is no role \(shortened(role)); "
              + "the roles are \(roles.joined(separator: ", "))"
          ])
        }
        wanted.formUnion(ofRole.map(\.name))
      } else {
        for name in try expand(piece) {
          guard hosts.contains(where: { $0.name == name }) else {
            throw UsageError([
              "There is no host \(shortened(name)) in the lab; "
                + "its hosts are \(fold(hosts.map(\.name)))"
            ])
          }
          wanted.insert(name)
        }
      }
    }
    guard !wanted.isEmpty else { throw UsageError(["\"\(shortened(text))\" names no host"]) }
    return hosts.map(\.name).filter(wanted.contains)
  }

  /// Parts between commas that are not inside brackets.
  private static func pieces(_ text: String) -> [String] {
    var pieces = [""]
    var isInside = false
    for character in text {
      if character == "[" { isInside = true }
      if character == "]" { isInside = false }
      if character == "," && !isInside {
        pieces.append("")
      } else {
        pieces[pieces.count - 1].append(character)
      }
    }
    return pieces.filter { !$0.isEmpty }
  }

  /// The names that one word with brackets stands for: a[1-3]b is a1b, a2b, a3b.
  static func expand(_ piece: String) throws(UsageError) -> [String] {
    guard let open = piece.firstIndex(of: "[") else { return [piece] }
    guard let end = piece[open...].firstIndex(of: "]") else {
      throw UsageError(["\"\(shortened(piece))\" lacks a ]"])
    }
    let head = piece[..<open]
    let tails = try expand(String(piece[piece.index(after: end)...]))
    var names: [String] = []
    for range in piece[piece.index(after: open)..<end].split(separator: ",") {
      for number in try numbers(range, of: piece) {
        names += tails.map { head + number + $0 }
        guard names.count <= limit else {
          throw UsageError(["\"\(shortened(piece))\" stands for more than \(limit) hosts"])
        }
      }
    }
    return names
  }

  private static func numbers(
    _ range: Substring, of piece: String
  ) throws(UsageError) -> [String] {
    let ends = range.split(separator: "-", omittingEmptySubsequences: false)
    guard (1...2).contains(ends.count), let first = ends.first, let last = ends.last,
      let low = Int(first), let high = Int(last), low >= 0, low <= high, high - low < limit
    else {
      throw UsageError([
        "\"\(shortened(range))\" in \"\(shortened(piece))\" is no range of numbers, such as 1-4"
      ])
    }
    // 01-10 keeps its zeros.
    return (low...high).map { number in
      let digits = String(number)
      return String(repeating: "0", count: max(0, first.count - digits.count)) + digits
    }
  }

  /// Names in few words: node1, node2, node3 and server become node[1-3],server. The order is that
  /// of the first name of each series.
  static func fold(_ names: [String]) -> String {
    var series: [(head: String, numbers: [Int])] = []
    for name in names {
      let digits = String(name.reversed().prefix { $0.isASCII && $0.isNumber }.reversed())
      guard let number = Int(digits), !digits.hasPrefix("0") || digits == "0" else {
        series.append((name, []))
        continue
      }
      let head = String(name.dropLast(digits.count))
      if let place = series.firstIndex(where: { $0.head == head && !$0.numbers.isEmpty }) {
        series[place].numbers.append(number)
      } else {
        series.append((head, [number]))
      }
    }
    return series.map { $0.head + ranges($0.numbers) }.joined(separator: ",")
  }

  private static func ranges(_ numbers: [Int]) -> String {
    guard numbers.count > 1 else { return numbers.first.map(String.init) ?? "" }
    var ranges: [(low: Int, high: Int)] = []
    for number in numbers.sorted() {
      if let last = ranges.last, number <= last.high + 1 {
        ranges[ranges.count - 1].high = number
      } else {
        ranges.append((number, number))
      }
    }
    let texts = ranges.map { $0.low == $0.high ? "\($0.low)" : "\($0.low)-\($0.high)" }
    return "[" + texts.joined(separator: ",") + "]"
  }
}
