// The command that reaches the agent of a host, as the admin configured it. No shell is involved.

/// A command with a place for the host's name, such as `ssh root@{host} liburna-node agent`.
public struct CommandTemplate: Sendable {
  /// Why a template or a host's name is refused.
  public struct Failure: Error, CustomStringConvertible, Sendable {
    public let description: String
  }

  private let words: [String]

  private init(words: [String]) { self.words = words }

  /// The same command with one more word.
  func adding(_ word: String) -> CommandTemplate { CommandTemplate(words: words + [word]) }

  /// Splits the command into words at blanks; quotes keep blanks in a word.
  ///
  /// - Throws: ``Failure`` when it is empty or a quote is open.
  public init(_ text: String) throws(Failure) {
    var words: [String] = []
    var word = ""
    var isInWord = false
    var quote: Character?
    for character in text {
      if let open = quote {
        if character == open { quote = nil } else { word.append(character) }
      } else if character == "\"" || character == "'" {
        quote = character
        isInWord = true
      } else if character.isWhitespace {
        if isInWord { words.append(word) }
        (word, isInWord) = ("", false)
      } else {
        word.append(character)
        isInWord = true
      }
    }
    guard quote == nil else {
      throw Failure(description: "a quote is not closed in the node command: \(text)")
    }
    if isInWord { words.append(word) }
    guard !words.isEmpty else { throw Failure(description: "the node command is empty") }
    self.words = words
  }

  /// The words as they are, for a command that is of no host.
  var plainWords: [String] { words }

  /// The words for one host.
  ///
  /// - Throws: ``Failure`` when the name could be taken for an option or for more than a name.
  public func words(host: String) throws(Failure) -> [String] {
    guard let first = host.utf8.first, first != UInt8(ascii: "-"), host.utf8.count <= 255,
      host.utf8.allSatisfy(Self.isHostByte)
    else {
      throw Failure(
        description: "\"\(host)\" is no host name (allowed: letters, digits, '.', '_', '-', ':')")
    }
    return words.map { word in
      var result = ""
      var rest = word[...]
      while let mark = rest.firstRange(of: "{host}") {
        result += rest[..<mark.lowerBound] + host
        rest = rest[mark.upperBound...]
      }
      return result + rest
    }
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "-"), UInt8(ascii: ":"):
      true
    default: false
    }
  }
}
