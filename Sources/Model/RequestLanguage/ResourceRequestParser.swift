// OAR's resource requests, the values of `-l`:
//
//     request := groups ["," "walltime=" h[:m[:s]]] | "walltime=" h[:m[:s]]
//     groups  := group { "+" group }
//     group   := ["{" sql "}"] ["/"] level { "/" level }
//     level   := property "=" (count | ALL | BEST | BESTHALF)

import ClusterModel

/// One `-l` as written.
public struct ParsedRequest: Hashable, Sendable {
  /// Empty if only a walltime was given: the site's default resources are meant.
  public var groups: [RequestGroup]
  /// `nil` if none was given: the site's default is meant.
  public var walltime: Seconds?

  public init(groups: [RequestGroup], walltime: Seconds?) {
    self.groups = groups
    self.walltime = walltime
  }
}

/// Reads resource requests.
public struct ResourceRequestParser {
  private var scanner: TextScanner
  private let nodesProperty: String

  /// The parts of a request.
  ///
  /// - Parameters:
  ///   - text: the value of one `-l`.
  ///   - nodesProperty: the property that `nodes` stands for (OARSUB_NODES_RESOURCES).
  /// - Throws: ``RequestError``; the conditions in braces are checked for their syntax too. Whether
  ///   the properties exist is not known here.
  public static func parse(
    _ text: String, nodesProperty: String
  ) throws(RequestError) -> ParsedRequest {
    var parser = ResourceRequestParser(
      scanner: try TextScanner(text, subject: "resource request"), nodesProperty: nodesProperty)
    return try parser.request()
  }

  private mutating func request() throws(RequestError) -> ParsedRequest {
    scanner.skipBlanks()
    guard !scanner.isAtEnd else {
      throw scanner.error(
        .missing, at: scanner.index, "the request is empty",
        allowed: "property=count[/property=count…][,walltime=h:m:s], such as host=1/core=2")
    }
    if let walltime = try walltime() {
      return ParsedRequest(groups: [], walltime: walltime)
    }
    var groups: [RequestGroup] = []
    repeat {
      guard groups.count < RequestLimits.groups else {
        throw scanner.error(
          .tooLarge, at: scanner.index, "begins one group too many",
          allowed: "at most \(RequestLimits.groups) groups")
      }
      groups.append(try group())
    } while scanner.accept(UInt8(ascii: "+"))
    guard !scanner.isAtEnd else { return ParsedRequest(groups: groups, walltime: nil) }
    guard scanner.accept(UInt8(ascii: ",")) else {
      throw scanner.unexpected(expected: "/property=count, +property=count or ,walltime=h:m:s")
    }
    scanner.skipBlanks()
    guard let walltime = try walltime() else {
      throw scanner.unexpected(expected: "walltime=h:m:s after the comma")
    }
    return ParsedRequest(groups: groups, walltime: walltime)
  }

  /// The walltime up to the end of the text; `nil` if something else stands here.
  private mutating func walltime() throws(RequestError) -> Seconds? {
    let start = scanner.index
    let word = scanner.take(while: \.isNamePart)
    scanner.skipBlanks()
    guard word.asciiLowercased == "walltime", scanner.accept(UInt8(ascii: "=")) else {
      scanner.index = start
      return nil
    }
    let position = scanner.position(of: scanner.index)
    let value = scanner.text(scanner.index..<scanner.bytes.count)
    return try Walltime.parse(value, subject: scanner.subject, position: position)
  }

  private mutating func group() throws(RequestError) -> RequestGroup {
    scanner.skipBlanks()
    let properties = try condition()
    scanner.skipBlanks()
    _ = scanner.accept(UInt8(ascii: "/"))
    var levels: [RequestLevel] = []
    repeat {
      guard levels.count < RequestLimits.levels else {
        throw scanner.error(
          .tooLarge, at: scanner.index, "begins one level too many",
          allowed: "at most \(RequestLimits.levels) levels")
      }
      levels.append(try level())
    } while scanner.accept(UInt8(ascii: "/"))
    return RequestGroup(properties: properties, levels: levels)
  }

  /// The condition in braces, if there is one; braces within quotes belong to it.
  private mutating func condition() throws(RequestError) -> String {
    let open = scanner.index
    guard scanner.accept(UInt8(ascii: "{")) else { return "" }
    let start = scanner.index
    var quote: UInt8?
    while let byte = scanner.next {
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        quote = byte
      } else if byte == UInt8(ascii: "}") {
        let text = scanner.text(start..<scanner.index)
        try check(text, at: start)
        scanner.index += 1
        return text.trimmed
      } else if byte == UInt8(ascii: "{") {
        throw scanner.error(
          .malformed, at: scanner.index, "is a brace within braces",
          allowed: "one condition in one pair of braces")
      }
      scanner.index += 1
    }
    throw scanner.error(
      .malformed, at: open,
      quote == nil ? "has no closing brace" : "has no closing quote, so its brace never closes",
      allowed: "{condition}/property=count")
  }

  private func check(_ condition: String, at start: Int) throws(RequestError) {
    do {
      _ = try PropertyExpression(parsing: condition)
    } catch {
      var moved = error
      moved.position = error.position.map { $0 + scanner.position(of: start) - 1 }
      throw moved
    }
  }

  private mutating func level() throws(RequestError) -> RequestLevel {
    scanner.skipBlanks()
    let start = scanner.index
    let name = scanner.take(while: \.isNamePart).asciiLowercased
    guard let first = name.utf8.first else {
      throw scanner.unexpected(expected: "a property's name, such as host or core")
    }
    guard first.isNameStart, name.utf8.count <= RequestLimits.nameBytes else {
      throw scanner.error(
        .malformed, at: start, to: scanner.index, "is not the name of a property",
        allowed: "letters, digits and _, at most \(RequestLimits.nameBytes), no digit first")
    }
    scanner.skipBlanks()
    guard scanner.accept(UInt8(ascii: "=")) else {
      throw scanner.error(
        scanner.isAtEnd ? .missing : .malformed, at: start,
        "has no count", allowed: "\(name)=count, such as \(name)=1")
    }
    guard name != "walltime" else {
      throw scanner.error(
        .malformed, at: start, "is not a resource",
        allowed: "a comma before walltime, once, at the end of the request")
    }
    let count = try count()
    return RequestLevel(name == "nodes" ? nodesProperty : name, count)
  }

  private mutating func count() throws(RequestError) -> BlockCount {
    scanner.skipBlanks()
    let allowed = "a number from 1 to \(RequestLimits.largestNumber), ALL, BEST or BESTHALF"
    let start = scanner.index
    let endMarks: [UInt8] = [UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: ",")]
    let word = scanner.take { !$0.isBlank && !endMarks.contains($0) }
    let end = scanner.index
    scanner.skipBlanks()
    if word.isAllDigits {
      guard let number = Int(word), (1...RequestLimits.largestNumber).contains(number) else {
        throw scanner.error(
          .outOfRange, at: start, to: end, "is out of range", allowed: allowed)
      }
      return .exactly(number)
    }
    switch word.asciiLowercased {
    case "all": return .all
    case "best": return .best
    case "besthalf", "half_best": return .bestHalf
    case "":
      throw scanner.error(.missing, at: start, to: end, "the count is missing", allowed: allowed)
    default:
      throw scanner.error(.malformed, at: start, to: end, "is not a count", allowed: allowed)
    }
  }
}
