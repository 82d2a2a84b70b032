// One statement for PostgreSQL: parameters as texts, results as the bytes that the server holds.

import CPostgreSQL
import SQLStorage
import Storage

/// A statement. Used by the storage thread alone.
final class PostgreSQLStatement: Statement {
  /// With parameters as `$1`, `$2` …
  let sql: String
  /// What the server calls it, if it is kept there.
  let name: String
  let isKept: Bool
  private unowned let connection: PostgreSQLConnection
  private var parameters = Parameters()

  /// Where it is prepared, or about to be.
  weak var preparedIn: Session?
  /// Whether rows are on their way or here.
  var isAsked = false
  private var result: OpaquePointer?
  private var row: Int32 = -1
  private var rowCount: Int32 = 0
  private var kinds: [Kind] = []
  /// The digits of a number that is wanted as text.
  private let digits = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 32)

  /// How a column's bytes are to be read.
  private enum Kind {
    case bytes, integer, float, truth
  }

  init(_ sql: String, name: String, isKept: Bool, of connection: PostgreSQLConnection) {
    self.sql = numbered(sql)
    self.name = name
    self.isKept = isKept
    self.connection = connection
    super.init()
  }

  deinit {
    PQclear(result)
    digits.deallocate()
  }

  // MARK: Parameters

  @discardableResult
  override func bind(_ value: Int) -> Self {
    parameters.add(String(value).utf8)
    return self
  }

  @discardableResult
  override func bind(_ value: String) -> Self {
    parameters.add(value.utf8)
    return self
  }

  @discardableResult
  override func bind(_ bytes: [UInt8]) -> Self {
    parameters.add(bytes, isBinary: true)
    return self
  }

  @discardableResult
  override func bindNull() -> Self {
    parameters.addNull()
    return self
  }

  /// Calls `body` with the parameters as libpq takes them, and forgets them.
  func withParameters<Result>(
    _ body: (
      Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
    ) -> Result
  ) -> Result {
    defer { parameters.removeAll() }
    return parameters.withPointers(body)
  }

  /// PostgreSQL's texts have no byte 0, and would end there.
  var hasZeroByte: Bool { parameters.hasZeroByte }

  func forgetParameters() { parameters.removeAll() }

  // MARK: Running

  override func run() throws(StorageFailure) { try connection.run(self, orElse: nil) }

  override func run(orElse error: @escaping () -> StorageError) throws {
    try connection.run(self, orElse: error)
  }

  @discardableResult
  override func ask() throws(StorageFailure) -> Self {
    try connection.ask(self)
    return self
  }

  override func step() throws(StorageFailure) -> Bool {
    if result == nil {
      if !isAsked { try connection.ask(self) }
      try connection.awaitRows(of: self)
    }
    row += 1
    return row < rowCount
  }

  override func reset() {
    PQclear(result)
    result = nil
    row = -1
    rowCount = 0
    isAsked = false
    parameters.removeAll()
  }

  var hasRows: Bool { result != nil }

  /// Takes the rows that the server sent.
  func take(_ rows: OpaquePointer) {
    PQclear(result)
    result = rows
    row = -1
    rowCount = PQntuples(rows)
    kinds.removeAll(keepingCapacity: true)
    for column in 0..<PQnfields(rows) {
      switch PQftype(rows, column) {
      case 20, 21, 23, 26: kinds.append(.integer)
      case 700, 701: kinds.append(.float)
      case 16: kinds.append(.truth)
      default: kinds.append(.bytes)
      }
    }
  }

  // MARK: Columns of the present row, from 0

  override var columnCount: Int { kinds.count }

  override func name(_ column: Int) -> String {
    PQfname(result, Int32(column)).map { String(cString: $0) } ?? ""
  }

  override func isNull(_ column: Int) -> Bool { PQgetisnull(result, row, Int32(column)) == 1 }

  override func integer(_ column: Int) -> Int {
    let bytes = bytes(column)
    switch kinds[column] {
    case .integer: return wholeNumber(bytes)
    case .bytes: return numberAtStart(of: bytes)
    case .float: return Int(clamping: float(bytes))
    case .truth: return Int(bytes.first ?? 0)
    }
  }

  override func textBytes(_ column: Int) -> UnsafeBufferPointer<UInt8> {
    let bytes = bytes(column)
    if bytes.isEmpty { return bytes }
    switch kinds[column] {
    case .bytes: return bytes
    case .integer, .truth: return written(String(integer(column)))
    case .float: return written(String(float(bytes)))
    }
  }

  private func written(_ text: String) -> UnsafeBufferPointer<UInt8> {
    let end = digits.update(fromContentsOf: text.utf8.prefix(digits.count))
    return UnsafeBufferPointer(rebasing: digits[..<end])
  }

  override func blob(_ column: Int) -> [UInt8] { Array(bytes(column)) }

  override func value(_ column: Int) -> SQLValue {
    if isNull(column) { return .null }
    return kinds[column] == .integer ? .integer(integer(column)) : .text(text(column))
  }

  private func bytes(_ column: Int) -> UnsafeBufferPointer<UInt8> {
    let count = Int(PQgetlength(result, row, Int32(column)))
    guard let start = PQgetvalue(result, row, Int32(column)) else {
      return UnsafeBufferPointer(start: nil, count: 0)
    }
    return UnsafeBufferPointer(
      start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: count)
  }

  /// A number as it comes, of two, four or eight bytes; 0 for NULL.
  private func wholeNumber(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let bytes = UnsafeRawBufferPointer(bytes)
    switch bytes.count {
    case 8: return Int(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
    case 4: return Int(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
    case 2: return Int(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
    default: return 0
    }
  }

  private func float(_ bytes: UnsafeBufferPointer<UInt8>) -> Double {
    let bits = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return bytes.count == 4
      ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))) : Double(bitPattern: bits)
  }
}

extension Int {
  /// The number without its fraction, as near as an integer comes.
  fileprivate init(clamping number: Double) {
    self = Int(exactly: number.rounded(.towardZero)) ?? (number > 0 ? .max : number < 0 ? .min : 0)
  }
}

/// The whole number that a text begins with; 0 if it does not begin with one.
private func numberAtStart(of text: UnsafeBufferPointer<UInt8>) -> Int {
  let digits = text.prefix { (48...57).contains($0) || $0 == 45 }
  return Int(String(decoding: digits, as: UTF8.self)) ?? 0
}
