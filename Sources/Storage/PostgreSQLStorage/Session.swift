// One connection of libpq's, from its beginning to its end: statements sent one after the other without
// waiting (libpq's pipeline mode), and their results in the same order.

import CPostgreSQL
import Glibc
import SQLStorage
import Storage

/// A statement that was sent, and what its result is for.
enum Expectation {
  case preparation(PostgreSQLStatement)
  /// Nothing but the result's status; `error` if it must have changed a row.
  case success(orElse: (() -> StorageError)?)
  /// Rows, for the statement.
  case rows(PostgreSQLStatement)
  /// The point up to which the server has answered all.
  case synchronization
}

/// A connection to a server. Used by the storage thread alone.
final class Session {
  /// How long is waited for the server to say anything, beyond its own limit for a statement.
  private static let silenceLimit = Duration.seconds(15)

  private let settings: PostgreSQLSettings
  private let handle: OpaquePointer
  private var expected: [Expectation] = []
  private var firstExpected = 0
  private(set) var isLost = false

  /// Connects.
  ///
  /// - Parameter deadline: when to give up.
  init(
    _ settings: PostgreSQLSettings, until deadline: ContinuousClock.Instant
  ) throws(ConnectionRefusal) {
    self.settings = settings
    handle = try Self.connect(settings, until: deadline)
    PQsetnonblocking(handle, 1)
    PQenterPipelineMode(handle)
  }

  /// A connection with our settings, for whoever calls; who takes it ends it.
  static func connect(
    _ settings: PostgreSQLSettings, until deadline: ContinuousClock.Instant
  ) throws(ConnectionRefusal) -> OpaquePointer {
    let handle = withParameters(settings.parameters) { PQconnectStartParams($0, $1, 0) }
    guard let handle else { throw ConnectionRefusal("no memory", settings) }
    // With the server's code: its text may be in any language.
    PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
    guard finishConnecting(handle, deadline) else {
      let text = String(cString: PQerrorMessage(handle))
      PQfinish(handle)
      throw ConnectionRefusal(text.isEmpty ? "it does not answer" : text, settings)
    }
    PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    guard configure(handle, settings) else {
      let text = String(cString: PQerrorMessage(handle))
      PQfinish(handle)
      throw ConnectionRefusal(text, settings)
    }
    return handle
  }

  deinit { PQfinish(handle) }

  private static func finishConnecting(
    _ handle: OpaquePointer, _ deadline: ContinuousClock.Instant
  ) -> Bool {
    var next = PQconnectPoll(handle)
    while next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING {
      let events = Int16(next == PGRES_POLLING_READING ? POLLIN : POLLOUT)
      guard wait(PQsocket(handle), events, until: deadline) != 0 else { return false }
      next = PQconnectPoll(handle)
    }
    return next == PGRES_POLLING_OK
  }

  private static func configure(_ handle: OpaquePointer, _ settings: PostgreSQLSettings) -> Bool {
    var sql = """
      SET statement_timeout = \(settings.statementLimit);
      SET lock_timeout = \(settings.lockLimit);
      SET standard_conforming_strings = on; SET datestyle = 'ISO'
      """
    if settings.isOurServer { sql += "; \(ChangeTriggers.markingOurs)" }
    if settings.isReadOnly { sql += "; SET default_transaction_read_only = on" }
    // Compiling a question takes longer than any of ours.
    if PQserverVersion(handle) >= 110_000 { sql += "; SET jit = off" }
    // What a program that died was waiting for is given up soon, and its locks with it.
    if PQserverVersion(handle) >= 140_000 { sql += "; SET client_connection_check_interval = 500" }
    let result = PQexec(handle, sql)
    defer { PQclear(result) }
    return PQresultStatus(result) == PGRES_COMMAND_OK
  }

  /// The server's version, such as 150018.
  var serverVersion: Int { Int(PQserverVersion(handle)) }

  // MARK: Sending

  /// Whether results are awaited.
  var isWaiting: Bool { firstExpected < expected.count }

  /// Prepares a statement under its name.
  func prepare(_ statement: PostgreSQLStatement) throws(StorageFailure) {
    try sent(PQsendPrepare(handle, statement.name, statement.sql, 0, nil))
    expected.append(.preparation(statement))
  }

  /// Runs a statement with the parameters bound to it.
  func send(
    _ statement: PostgreSQLStatement, expecting expectation: Expectation
  ) throws(StorageFailure) {
    let code = statement.withParameters { count, values, lengths, formats in
      statement.isKept
        ? PQsendQueryPrepared(handle, statement.name, count, values, lengths, formats, 1)
        : PQsendQueryParams(handle, statement.sql, count, nil, values, lengths, formats, 1)
    }
    try sent(code)
    expected.append(expectation)
  }

  /// Asks the server to answer all that was sent.
  func synchronize() throws(StorageFailure) {
    try sent(PQpipelineSync(handle))
    expected.append(.synchronization)
    if PQflush(handle) < 0 { throw lose() }
  }

  private func sent(_ code: Int32) throws(StorageFailure) {
    if code != 1 { throw lose() }
  }

  // MARK: Receiving

  /// The next result; whoever takes it clears it.
  func receive() throws(StorageFailure) -> (Expectation, OpaquePointer) {
    let deadline = ContinuousClock.now + .milliseconds(settings.statementLimit) + Self.silenceLimit
    var emptyAnswers = 0
    while true {
      if PQisBusy(handle) == 0, emptyAnswers < 2 {
        if let result = PQgetResult(handle) {
          let expectation = expected[firstExpected]
          firstExpected += 1
          if firstExpected == expected.count {
            expected.removeAll(keepingCapacity: true)
            firstExpected = 0
          }
          return (expectation, result)
        }
        // There is nothing between the results of two statements.
        emptyAnswers += 1
        continue
      }
      emptyAnswers = 0
      try exchange(until: deadline)
    }
  }

  /// Sends what waits to be sent, and reads what came.
  private func exchange(until deadline: ContinuousClock.Instant) throws(StorageFailure) {
    let unsent = PQflush(handle)
    guard unsent >= 0 else { throw lose() }
    let events = Int16(POLLIN) | (unsent > 0 ? Int16(POLLOUT) : 0)
    guard wait(PQsocket(handle), events, until: deadline) != 0 else {
      throw lose("it does not answer")
    }
    guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else { throw lose() }
  }

  /// Notices a connection that the server has ended meanwhile.
  func checkIdle() {
    guard !isLost, !isWaiting, wait(PQsocket(handle), Int16(POLLIN), until: .now) != 0 else {
      return
    }
    if PQconsumeInput(handle) != 1 || PQstatus(handle) != CONNECTION_OK { isLost = true }
  }

  /// What a failed result says.
  func failure(_ result: OpaquePointer) -> StorageFailure {
    let code = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) }
    let text =
      PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
      ?? String(cString: PQresultErrorMessage(result))
    if PQstatus(handle) != CONNECTION_OK {
      isLost = true
      return .lost(StorageFailure.firstLine(text), settings)
    }
    let failure = StorageFailure(code: code ?? "", text: text, settings)
    if failure.kind == .lost { isLost = true }
    return failure
  }

  func markLost() { isLost = true }

  private func lose(_ text: String? = nil) -> StorageFailure {
    isLost = true
    let said = text ?? StorageFailure.firstLine(String(cString: PQerrorMessage(handle)))
    return .lost(said, settings)
  }
}

/// Waits until a descriptor is ready.
///
/// - Returns: what it is ready for; 0 when the time is over.
func wait(_ descriptor: Int32, _ events: Int16, until deadline: ContinuousClock.Instant) -> Int16 {
  while true {
    let left = max(.zero, deadline - .now)
    let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / Int64(1e15)
    var request = pollfd(fd: descriptor, events: events, revents: 0)
    let count = poll(&request, 1, Int32(clamping: milliseconds))
    if count > 0 { return request.revents }
    if count == 0 || errno != EINTR { return 0 }
  }
}

/// Calls `body` with names and values as libpq takes them.
func withParameters<Result>(
  _ parameters: [(name: String, value: String)],
  _ body: (
    UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>
  ) -> Result?
) -> Result? {
  let names = parameters.map { strdup($0.name) }
  let values = parameters.map { strdup($0.value) }
  defer { for text in names + values { free(text) } }
  let constantNames = names.map { UnsafePointer($0) } + [nil]
  let constantValues = values.map { UnsafePointer($0) } + [nil]
  return constantNames.withUnsafeBufferPointer { names in
    constantValues.withUnsafeBufferPointer { values in
      guard let names = names.baseAddress, let values = values.baseAddress else { return nil }
      return body(names, values)
    }
  }
}
