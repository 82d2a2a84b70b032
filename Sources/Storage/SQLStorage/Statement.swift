// One prepared statement, whichever the database is: its parameters in, its rows out.

import Storage

/// What can be bound to a parameter.
public enum SQLValue: Hashable, Sendable {
  case integer(Int)
  case text(String)
  case null

  static func optional(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }
}

/// A prepared statement. Used by the storage thread alone. Each database has a subclass.
open class Statement {
  public init() {}

  // MARK: Parameters, in order

  @discardableResult
  open func bind(_ value: Int) -> Self { self }

  @discardableResult
  open func bind(_ value: String) -> Self { self }

  @discardableResult
  open func bind(_ bytes: [UInt8]) -> Self { self }

  @discardableResult
  open func bindNull() -> Self { self }

  @discardableResult
  public final func bind(_ value: Int?) -> Self {
    guard let value else { return bindNull() }
    return bind(value)
  }

  @discardableResult
  public final func bind(_ value: String?) -> Self {
    guard let value else { return bindNull() }
    return bind(value)
  }

  @discardableResult
  public final func bind(_ value: SQLValue) -> Self {
    switch value {
    case .integer(let number): bind(number)
    case .text(let text): bind(text)
    case .null: bindNull()
    }
  }

  // MARK: Running

  /// Runs a statement that gives no rows. In a transaction a failure may come with a later call instead,
  /// the commit at the latest.
  open func run() throws(StorageFailure) {
    defer { reset() }
    while try step() {}
  }

  /// Runs a statement that must change a row.
  ///
  /// - Throws: what `error` gives if none was changed; perhaps not before the commit.
  open func run(orElse error: @escaping () -> StorageError) throws {
    try run()
  }

  /// Has the database begin to answer, where that saves time: the rows will be wanted. The same statement
  /// may not be asked again before they were taken.
  @discardableResult
  open func ask() throws(StorageFailure) -> Self { self }

  /// Calls `body` for each row.
  public final func forEachRow(_ body: (Statement) throws -> Void) throws {
    defer { reset() }
    while try step() { try body(self) }
  }

  /// The value of `body` for each row.
  public final func rows<Value>(_ body: (Statement) throws -> Value) throws -> [Value] {
    var values: [Value] = []
    try forEachRow { values.append(try body($0)) }
    return values
  }

  /// The value of `body` for the first row; `nil` if there is none.
  public final func firstRow<Value>(_ body: (Statement) throws -> Value) throws -> Value? {
    defer { reset() }
    return try step() ? body(self) : nil
  }

  /// The value of `body` for the only row of a statement that also writes: it is run to its end.
  public final func onlyRow<Value>(_ body: (Statement) throws -> Value) throws -> Value? {
    try rows(body).last
  }

  /// Goes to the next row; `false` after the last. Callers reset the statement in the end.
  open func step() throws(StorageFailure) -> Bool { false }

  /// Forgets parameters and rows.
  open func reset() {}

  // MARK: Columns of the present row, from 0

  open var columnCount: Int { 0 }

  open func name(_ column: Int) -> String { "" }

  /// The number in a column; 0 for NULL and for texts that don't begin with one.
  open func integer(_ column: Int) -> Int { 0 }

  open func isNull(_ column: Int) -> Bool { true }

  /// The bytes of a text column, valid until the next step.
  open func textBytes(_ column: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: nil, count: 0)
  }

  open func blob(_ column: Int) -> [UInt8] { [] }

  open func value(_ column: Int) -> SQLValue { .null }

  public final func optionalInteger(_ column: Int) -> Int? {
    isNull(column) ? nil : integer(column)
  }

  /// Whether a text was read that is not UTF-8; whoever cares sets it back.
  public final var hasBrokenText = false

  /// The text of a column; empty for NULL. Bytes that aren't UTF-8 are replaced, and ``hasBrokenText`` says so.
  public final func text(_ column: Int) -> String {
    let bytes = textBytes(column)
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    hasBrokenText = true
    return String(decoding: bytes, as: UTF8.self)
  }

  public final func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

  /// Whether a column of YES and NO says YES.
  public final func isYes(_ column: Int) -> Bool {
    textBytes(column).elementsEqual("YES".utf8)
  }
}
