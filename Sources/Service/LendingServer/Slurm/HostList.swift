// Slurm's lists of hosts: `n[1-3,07],login`.

/// A list that is not one.
struct HostListError: Error, CustomStringConvertible {
  let description: String
}

enum HostList {
  /// No list names more hosts.
  static let limit = 100_000

  /// The hosts of a list, in its order.
  ///
  /// - Throws: ``HostListError`` with the part that can't be read.
  static func hosts(_ list: some StringProtocol) throws(HostListError) -> [String] {
    var hosts: [String] = []
    for part in try split(Substring(list)) {
      hosts += try expand(part)
      guard hosts.count <= limit else {
        throw HostListError(description: "more than \(limit) hosts in one list")
      }
    }
    return hosts
  }

  /// The parts between commas outside of brackets.
  private static func split(_ list: Substring) throws(HostListError) -> [Substring] {
    var parts: [Substring] = []
    var (begin, depth) = (list.startIndex, 0)
    for index in list.indices {
      switch list[index] {
      case "[": depth += 1
      case "]": depth -= 1
      case "," where depth == 0:
        parts.append(list[begin..<index])
        begin = list.index(after: index)
      default: break
      }
      guard (0...1).contains(depth) else {
        throw HostListError(description: "brackets in \"\(list.prefix(100))\"")
      }
    }
    guard depth == 0 else {
      throw HostListError(description: "a bracket is open in \"\(list.prefix(100))\"")
    }
    parts.append(list[begin...])
    return parts.filter { !$0.isEmpty }
  }

  /// One part: its first bracket is written out, then what follows.
  private static func expand(_ part: Substring) throws(HostListError) -> [String] {
    guard let open = part.firstIndex(of: "["), let close = part.firstIndex(of: "]"), open < close
    else { return [String(part)] }
    let head = part[..<open]
    let tails = try expand(part[part.index(after: close)...])
    var hosts: [String] = []
    for range in part[part.index(after: open)..<close].split(separator: ",") {
      for number in try numbers(range) {
        for tail in tails { hosts.append(head + number + tail) }
      }
      guard hosts.count <= limit else {
        throw HostListError(description: "more than \(limit) hosts in one list")
      }
    }
    return hosts
  }

  /// `3`, `07-12`: the width of the first is that of all.
  private static func numbers(_ range: Substring) throws(HostListError) -> [String] {
    let ends = range.split(separator: "-", omittingEmptySubsequences: false)
    guard let first = ends.first, let last = ends.last, ends.count <= 2, let low = Int(first),
      let high = Int(last), low >= 0, low <= high, high - low < limit
    else { throw HostListError(description: "\"\(range.prefix(100))\" is no range of numbers") }
    return (low...high).map { number in
      let text = String(number)
      return String(repeating: "0", count: max(0, first.count - text.count)) + text
    }
  }
}
