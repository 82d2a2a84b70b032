// The machines that a lab may use, as a file names them: one a line, as OAR writes node files.

import Glibc

/// The names in a file of machines, in order, each once.
struct MachineList: Equatable {
  var names: [String] = []
  /// How many lines name a machine, repetitions included.
  var lines = 0
  /// Whether the last line is complete.
  var isComplete = true

  /// The most bytes of a file, and the most machines.
  static let sizeLimit = 4 << 20
  static let machineLimit = 100_000
  /// The most bytes of a name: those of the domain name system, and a user.
  private static let nameLimit = 320

  init(names: [String]) { (self.names, lines) = (names, names.count) }

  /// Reads the text of a file. Everything from a # on is a comment; blank lines mean nothing.
  ///
  /// - Parameter onlyComplete: leave out a last line that somebody may still be writing.
  init(_ text: String, file: String, onlyComplete: Bool = false) throws {
    var seen: Set<String> = []
    // To Swift a carriage return and a newline are one character.
    var all = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    isComplete = all.last?.isEmpty ?? true
    if !isComplete && onlyComplete { all.removeLast() }
    for (number, line) in all.enumerated() {
      let name = Self.trimmed(line.prefix { $0 != "#" })
      guard !name.isEmpty else { continue }
      guard Self.isName(name) else {
        throw LabError(
          "\(file), line \(number + 1): \"\(name.prefix(60))\" is not the name or address of a machine; "
            + "each line has one, such as node-3.site or user@10.0.0.3")
      }
      lines += 1
      guard seen.insert(name).inserted else { continue }
      names.append(name)
      guard names.count <= Self.machineLimit else {
        throw LabError("\(file) names more than \(Self.machineLimit) machines")
      }
    }
  }

  private static func trimmed(_ line: Substring) -> String {
    let blanks: Set<Character> = [" ", "\t", "\r", "\r\n"]
    var rest = line
    while let first = rest.first, blanks.contains(first) { rest.removeFirst() }
    while let last = rest.last, blanks.contains(last) { rest.removeLast() }
    return String(rest)
  }

  /// Whether ssh takes a word for a machine and nothing else: no option, no blank, nothing for a shell.
  static func isName(_ word: String) -> Bool {
    guard let first = word.utf8.first, word.utf8.count <= nameLimit else { return false }
    return isLetterOrDigit(first)
      && word.utf8.allSatisfy {
        isLetterOrDigit($0) || "._-:@%".utf8.contains($0)
      }
  }

  static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}

/// Which machine each host is to be, before any machine was asked.
struct MachineChoice: Equatable {
  /// The machines of the hosts by the hosts' names.
  var machines: [String: String]
  /// Machines that are left alone.
  var left: [String]
}
