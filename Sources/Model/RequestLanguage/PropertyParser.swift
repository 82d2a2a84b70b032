// The grammar of conditions, by descent in the order of SQL's precedence:
//
//     or         := and { OR and }
//     and        := not { AND not }
//     not        := NOT not | comparison
//     comparison := sum [ operator sum | [NOT] LIKE text [ESCAPE text] | [NOT] IN (sum, …)
//                       | [NOT] BETWEEN sum AND sum | IS [NOT] NULL ]
//     sum        := product { (+ | -) product }
//     product    := sign { (* | / | %) sign }
//     sign       := (- | +) sign | ( or ) | column | number | text | NULL | TRUE | FALSE

import ClusterModel

/// Parses one condition.
struct PropertyParser {
  /// What a part of the text turned out to be.
  enum Phrase {
    case condition(Condition)
    case operand(Operand)
  }

  private var tokens: PropertyTokenizer
  var token: PropertyToken
  private var nesting = 0
  private var comparisons = 0
  private var literals = 0
  private var arithmeticOperators = 0

  init(_ text: String) throws(RequestError) {
    tokens = try PropertyTokenizer(text)
    token = try tokens.next()
  }

  mutating func parse() throws(RequestError) -> Condition {
    if token.kind == .end { return .constant(true) }
    let start = token
    let result = try condition(try disjunction(), from: start)
    guard token.kind == .end else {
      throw unexpected("AND, OR or the end of the expression")
    }
    return result
  }

  // MARK: Conditions

  private mutating func disjunction() throws(RequestError) -> Phrase {
    let start = token
    let first = try conjunction()
    guard token.kind == .keyword(.or) else { return first }
    var parts = [try condition(first, from: start)]
    while try accept(.or) {
      let next = token
      parts.append(try condition(try conjunction(), from: next))
    }
    return .condition(.any(of: parts))
  }

  private mutating func conjunction() throws(RequestError) -> Phrase {
    let start = token
    let first = try negation()
    guard token.kind == .keyword(.and) else { return first }
    var parts = [try condition(first, from: start)]
    while try accept(.and) {
      let next = token
      parts.append(try condition(try negation(), from: next))
    }
    return .condition(.all(of: parts))
  }

  private mutating func negation() throws(RequestError) -> Phrase {
    let outer = nesting
    var isNegated = false
    while try accept(.not) {
      try nest()
      isNegated.toggle()
    }
    let start = token
    let phrase = try comparison()
    guard nesting > outer else { return phrase }
    nesting = outer
    return .condition(.not(try condition(phrase, from: start), if: isNegated))
  }

  private mutating func comparison() throws(RequestError) -> Phrase {
    let start = token
    let phrase = try sum()
    guard case .operand(let left) = phrase else { return phrase }
    let result: Condition
    if case .sign(let sign) = token.kind, let comparison = Comparison(sign) {
      try advance()
      let next = token
      let right = try operand(try sum(), from: next)
      result = try compare(left, comparison, right, from: start)
    } else if try accept(.is) {
      let isNegated = try accept(.not)
      guard try accept(.null) else { throw unexpected("NULL or NOT NULL after IS") }
      result = .not(isNull(left), if: isNegated)
    } else {
      let isNegated = try accept(.not)
      guard let inner = try listLikeOrBetween(left, from: start) else {
        if isNegated { throw unexpected("IN, LIKE or BETWEEN after NOT") }
        return phrase
      }
      result = .not(inner, if: isNegated)
    }
    comparisons += 1
    try check(comparisons, upTo: RequestLimits.comparisons, "comparisons")
    if case .sign(let sign) = token.kind, Comparison(sign) != nil {
      throw unexpected("AND or OR between two comparisons")
    }
    return .condition(result)
  }

  private mutating func listLikeOrBetween(
    _ left: Operand, from start: PropertyToken
  ) throws(RequestError) -> Condition? {
    if try accept(.in) { return try list(left, from: start) }
    if try accept(.like) { return try like(left, from: start) }
    guard try accept(.between) else { return nil }
    let lowStart = token
    let low = try operand(try sum(), from: lowStart)
    guard try accept(.and) else { throw unexpected("AND and the upper bound of BETWEEN") }
    let highStart = token
    let high = try operand(try sum(), from: highStart)
    return .all(of: [
      try compare(left, .greaterOrEqual, low, from: start),
      try compare(left, .lessOrEqual, high, from: start),
    ])
  }

  private mutating func list(
    _ left: Operand, from start: PropertyToken
  ) throws(RequestError) -> Condition {
    guard try accept(.open) else { throw unexpected("( and a list of values after IN") }
    var values: [Literal] = []
    var others: [Condition] = []
    repeat {
      let next = token
      let element = try operand(try sum(), from: next)
      if case .literal(let literal) = element, case .column = left, literal.value != .null {
        values.append(literal)
      } else {
        comparisons += 1
        try check(comparisons, upTo: RequestLimits.comparisons, "comparisons")
        others.append(try compare(left, .equal, element, from: next))
      }
    } while try accept(.comma)
    guard try accept(.close) else { throw unexpected(", or ) in the list of values") }
    if case .column(let column) = left, !values.isEmpty {
      others.insert(.oneOf(column, ValueList(values)), at: 0)
    }
    return .any(of: others)
  }

  private mutating func like(
    _ left: Operand, from start: PropertyToken
  ) throws(RequestError) -> Condition {
    guard case .column(let column) = left else {
      throw error(.unsupported, start, "is not a column", allowed: "column LIKE 'pattern'")
    }
    let patternToken = token
    guard case .text(let text) = token.kind else {
      throw unexpected("a pattern in single quotes after LIKE")
    }
    guard text.utf8.count <= RequestLimits.patternBytes else {
      throw error(
        .tooLarge, token, "is too long for a pattern",
        allowed: "at most \(RequestLimits.patternBytes) bytes")
    }
    try advance()
    literals += 1
    try check(literals, upTo: RequestLimits.literals, "values")
    var escape: Unicode.Scalar? = "\\"
    if try accept(.escape) {
      guard case .text(let text) = token.kind, text.unicodeScalars.count <= 1 else {
        throw unexpected("one character in single quotes after ESCAPE")
      }
      escape = text.unicodeScalars.first
      try advance()
    }
    guard let pattern = LikePattern(text, escape: escape) else {
      throw error(
        .malformed, patternToken, "ends with its escape character",
        allowed: "a character after \(escape.map(String.init) ?? "it")")
    }
    return .like(column, pattern)
  }

  // MARK: Operands

  private mutating func sum() throws(RequestError) -> Phrase {
    let start = token
    var result = try product()
    while case .sign(let sign) = token.kind, let operation = ArithmeticOperator(sumSign: sign) {
      let left = try operand(result, from: start)
      try advance()
      let next = token
      let right = try operand(try product(), from: next)
      result = .operand(try combine(left, operation, right, at: next))
    }
    return result
  }

  private mutating func product() throws(RequestError) -> Phrase {
    let start = token
    var result = try signed()
    while case .sign(let sign) = token.kind, let operation = ArithmeticOperator(productSign: sign) {
      let left = try operand(result, from: start)
      try advance()
      let next = token
      let right = try operand(try signed(), from: next)
      result = .operand(try combine(left, operation, right, at: next))
    }
    return result
  }

  private mutating func signed() throws(RequestError) -> Phrase {
    guard case .sign(let sign) = token.kind, sign == .minus || sign == .plus else {
      return try primary()
    }
    let start = token
    try advance()
    if sign == .minus, case .integer(let magnitude) = token.kind {
      try advance()
      literals += 1
      try check(literals, upTo: RequestLimits.literals, "values")
      return .operand(.literal(Literal(.integer(Int(truncatingIfNeeded: 0 &- magnitude)))))
    }
    try nest()
    let next = token
    let value = try operand(try signed(), from: next)
    nesting -= 1
    if sign == .plus { return .operand(value) }
    return .operand(try combine(.literal(Literal(.integer(0))), .subtract, value, at: start))
  }

  private mutating func primary() throws(RequestError) -> Phrase {
    switch token.kind {
    case .sign(.open):
      try advance()
      try nest()
      let inner = try disjunction()
      nesting -= 1
      guard try accept(.close) else { throw unexpected("a closing parenthesis") }
      return inner
    case .name(let name), .quotedName(let name):
      try advance()
      if token.kind == .sign(.open) {
        throw error(
          .unsupported, token, "follows the name \(name): functions are not supported",
          allowed: "columns and values")
      }
      return .operand(.column(PropertyColumn(name)))
    case .integer(let magnitude):
      guard let integer = Int(exactly: magnitude) else {
        throw error(.outOfRange, token, "is too large", allowed: "numbers up to \(Int.max)")
      }
      return try literal(.integer(integer))
    case .text(let text): return try literal(.text(text))
    case .keyword(.null): return try literal(.null)
    case .keyword(.true), .keyword(.false):
      let truth = token.kind == .keyword(.true)
      try advance()
      return .condition(.constant(truth))
    default: throw unexpected("a column, a number or a text in single quotes")
    }
  }

  private mutating func literal(_ value: PropertyValue) throws(RequestError) -> Phrase {
    literals += 1
    try check(literals, upTo: RequestLimits.literals, "values")
    try advance()
    return .operand(.literal(Literal(value)))
  }

  private mutating func combine(
    _ left: Operand, _ operation: ArithmeticOperator, _ right: Operand, at place: PropertyToken
  ) throws(RequestError) -> Operand {
    arithmeticOperators += 1
    try check(
      arithmeticOperators, upTo: RequestLimits.arithmeticOperators, "arithmetic operators")
    return try folded(left, operation, right, at: place)
  }

  // MARK: Tokens

  private mutating func advance() throws(RequestError) {
    token = try tokens.next()
  }

  private mutating func accept(_ keyword: PropertyToken.Keyword) throws(RequestError) -> Bool {
    guard token.kind == .keyword(keyword) else { return false }
    try advance()
    return true
  }

  private mutating func accept(_ sign: PropertyToken.Sign) throws(RequestError) -> Bool {
    guard token.kind == .sign(sign) else { return false }
    try advance()
    return true
  }

  // MARK: Limits and errors

  private mutating func nest() throws(RequestError) {
    nesting += 1
    guard nesting <= RequestLimits.nesting else {
      throw error(
        .tooLarge, token, "is nested too deeply",
        allowed: "at most \(RequestLimits.nesting) parentheses, NOTs and signs within each other")
    }
  }

  private func check(_ count: Int, upTo limit: Int, _ what: String) throws(RequestError) {
    guard count <= limit else {
      throw error(
        .tooLarge, token, "comes after too many \(what)", allowed: "at most \(limit) \(what)")
    }
  }

  func error(
    _ kind: RequestError.Kind, _ token: PropertyToken, _ problem: String, allowed: String
  ) -> RequestError {
    tokens.scanner.error(kind, at: token.start, to: token.end, problem, allowed: allowed)
  }

  func unexpected(_ expected: String) -> RequestError {
    token.kind == .end
      ? error(.missing, token, "something is missing at the end", allowed: expected)
      : error(.malformed, token, "is not expected here", allowed: expected)
  }
}
