// PostgreSQL as a database of the store: transactions whose statements are sent without waiting, a
// connection that is made again, and commits whose fate is found out.

import CPostgreSQL
import Glibc
import SQLStorage
import Storage

/// A connection to a PostgreSQL database. Used by the storage thread alone.
class PostgreSQLConnection: Connection {
  /// The pause between two attempts to connect, in microseconds.
  private static let reconnectPause: UInt32 = 100_000

  let settings: PostgreSQLSettings
  let manner: Manner
  /// The key of the lock that makes us the only one of our kind; `nil` for none.
  private let lock: AdvisoryLock?
  private var session: Session
  private var inTransaction = false
  /// What went wrong in the present transaction, or since the last waiting.
  private var failure: (any Error)?
  private var statementCount = 0

  /// Connects, and waits for a database that is away as long as the settings say.
  init(_ settings: PostgreSQLSettings, _ manner: Manner, lock: AdvisoryLock?) throws {
    self.settings = settings
    self.manner = manner
    self.lock = lock
    session = try Self.connect(settings, within: settings.patience)
    super.init(.postgreSQL)
    try takeLock()
  }

  deinit { dropStatements() }

  // MARK: The session

  private static func connect(
    _ settings: PostgreSQLSettings, within patience: Duration
  ) throws(StorageFailure) -> Session {
    let deadline = ContinuousClock.now + patience
    while true {
      do {
        // A name that leads nowhere, or a full backlog, may need the time of several attempts.
        return try Session(settings, until: deadline + .seconds(1))
      } catch {
        guard error.isPassing, .now < deadline else { throw error.failure }
      }
      usleep(reconnectPause)
    }
  }

  /// Connects again if the connection was lost.
  private func ensureSession(within patience: Duration? = nil) throws {
    session.checkIdle()
    guard session.isLost else { return }
    session = try Self.connect(settings, within: patience ?? settings.patience)
    failure = nil
    try takeLock()
  }

  private func takeLock() throws {
    guard let lock else { return }
    let deadline = ContinuousClock.now + lock.patience
    while true {
      let isOurs = try prepare("SELECT pg_try_advisory_lock(CAST(? AS bigint))").bind(lock.key)
        .firstRow { $0.integer(0) == 1 }
      if isOurs == true { return }
      guard .now < deadline else {
        throw StorageError.unusable(
          "\(settings) is in use by another \(lock.holder): stop it first")
      }
      usleep(Self.reconnectPause)
    }
  }

  // MARK: Statements

  override func prepare(_ sql: String, isKept: Bool) throws(StorageFailure) -> Statement {
    statementCount += 1
    return PostgreSQLStatement(sql, name: "s\(statementCount)", isKept: isKept, of: self)
  }

  /// Sends a statement that gives no rows; in a transaction nothing is waited for.
  func run(
    _ statement: PostgreSQLStatement, orElse error: (() -> StorageError)?
  ) throws(StorageFailure) {
    try send(statement, expecting: .success(orElse: error))
    if inTransaction { return }
    try session.synchronize()
    try drain()
    try throwFailure()
  }

  /// Sends a question and asks for the answer.
  func ask(_ statement: PostgreSQLStatement) throws(StorageFailure) {
    try send(statement, expecting: .rows(statement))
    statement.isAsked = true
    try session.synchronize()
  }

  /// Waits for the rows of a question.
  func awaitRows(of statement: PostgreSQLStatement) throws(StorageFailure) {
    while statement.isAsked, !statement.hasRows { try receive() }
    if statement.hasRows { return }
    try throwFailure()
    throw .lost("an answer did not come", settings)
  }

  private func send(
    _ statement: PostgreSQLStatement, expecting expectation: Expectation
  ) throws(StorageFailure) {
    if statement.hasZeroByte {
      statement.forgetParameters()
      let text = "a text with a zero byte can't be stored"
      throw StorageFailure(.refused, text, .failed("\(settings) refused: \(text)"))
    }
    if !inTransaction { try reconnectForQuestion() }
    if statement.isKept, statement.preparedIn !== session {
      try session.prepare(statement)
      statement.preparedIn = session
    }
    try session.send(statement, expecting: expectation)
  }

  /// Outside of a transaction, a connection that was lost meanwhile is nothing to tell.
  private func reconnectForQuestion() throws(StorageFailure) {
    session.checkIdle()
    guard session.isLost else { return }
    do {
      try ensureSession()
    } catch let failure as StorageFailure {
      throw failure
    } catch {
      throw StorageFailure(.other, "\(error)", error as? StorageError ?? .failed("\(error)"))
    }
  }

  // MARK: Results

  /// Receives all that is on its way.
  private func drain() throws(StorageFailure) {
    while session.isWaiting { try receive() }
  }

  private func receive() throws(StorageFailure) {
    let (expectation, result) = try session.receive()
    switch PQresultStatus(result) {
    case PGRES_TUPLES_OK, PGRES_COMMAND_OK: succeed(expectation, result)
    case PGRES_PIPELINE_SYNC: PQclear(result)
    default:
      // What follows a failure is not run, and says so; the first failure is the reason.
      if failure == nil, PQresultStatus(result) != PGRES_PIPELINE_ABORTED {
        failure = session.failure(result)
      }
      PQclear(result)
      fail(expectation)
    }
  }

  private func succeed(_ expectation: Expectation, _ result: OpaquePointer) {
    switch expectation {
    case .rows(let statement): return statement.take(result)
    case .success(let error?):
      if failure == nil, PQcmdTuples(result).pointee == CChar(bitPattern: UInt8(ascii: "0")) {
        failure = error()
      }
    default: break
    }
    PQclear(result)
  }

  private func fail(_ expectation: Expectation) {
    switch expectation {
    case .preparation(let statement): statement.preparedIn = nil
    case .rows(let statement): statement.isAsked = false
    default: break
    }
  }

  /// Throws what went wrong; in a transaction it is thrown again until that is undone.
  private func throwFailure() throws(StorageFailure) {
    guard let failure else { return }
    if !inTransaction { self.failure = nil }
    if let failure = failure as? StorageFailure { throw failure }
    throw StorageFailure(.other, "\(failure)", failure as? StorageError ?? .failed("\(failure)"))
  }

  // MARK: Transactions

  override func begin(durable: Bool) throws(StorageFailure) {
    try begin("BEGIN")
    guard !durable else { return }
    do {
      try statement("SET LOCAL synchronous_commit TO off").run()
    } catch {
      rollBack()
      throw error
    }
  }

  private func begin(_ sql: String) throws(StorageFailure) {
    try reconnectForQuestion()
    failure = nil
    inTransaction = true
    do {
      try prepare(sql).run()
    } catch {
      inTransaction = false
      throw error
    }
  }

  /// First everything is known to have gone well, then the end is asked for: what is lost before that was
  /// surely not written.
  override func commit() throws {
    let mark = try leaveMark()
    try throwFailure()
    do {
      try send("COMMIT")
    } catch  where session.isLost {
      inTransaction = false
      return try findFate(mark)
    }
    inTransaction = false
    try throwFailure()
  }

  private func send(_ sql: String) throws(StorageFailure) {
    let statement = PostgreSQLStatement(sql, name: "", isKept: false, of: self)
    try session.send(statement, expecting: .success(orElse: nil))
    try session.synchronize()
    try drain()
    if session.isLost { throw .lost("the server ended it", settings) }
  }

  // MARK: The fate of a transaction

  /// By what a transaction is found again.
  private enum Mark {
    /// A text in a row of our own.
    case token(String)
    /// The database's number of it; `nil` if it wrote nothing.
    case number(Int?)
  }

  /// Whether the database has a row for tokens.
  var keepsTokens: Bool { false }

  /// Marks the present transaction, and waits for all that was sent in it.
  private func leaveMark() throws -> Mark {
    // A number may be given again after a crash of the database, a token never.
    if keepsTokens {
      let token = String(UInt64.random(in: 0...UInt64.max), radix: 36)
      try statement(
        """
        INSERT INTO liburna_facts (name, value) VALUES ('last commit', ?)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value
        """
      ).bind(token).run()
      try session.synchronize()
      try drain()
      return .token(token)
    }
    let number = try statement("SELECT txid_current_if_assigned()").firstRow {
      $0.optionalInteger(0)
    }
    return .number(number ?? nil)
  }

  /// Finds out whether a transaction was committed when nobody heard the answer.
  private func findFate(_ mark: Mark) throws {
    if case .number(nil) = mark { return }
    let deadline = ContinuousClock.now + settings.fateLimit
    repeat {
      do {
        try ensureSession(within: settings.fateLimit)
        if let isCommitted = try isCommitted(mark) {
          if isCommitted { return }
          throw UnwrittenCommit()
        }
      } catch is UnwrittenCommit {
        throw StorageFailure.lost("at the commit", settings)
      } catch let failure as StorageFailure where failure.kind == .lost || failure.kind == .busy {}
      usleep(Self.reconnectPause)
    } while .now < deadline
    throw StorageError.unusable(
      "whether \(settings) has written the last changes could not be learnt within "
        + "\(settings.fateLimit): when it is back, start the server again")
  }

  /// `nil` if it is not decided: the process of the database that served us is still at it.
  private func isCommitted(_ mark: Mark) throws -> Bool? {
    switch mark {
    case .token(let token):
      // The lock waits for whoever wrote the row and has not ended.
      return try prepare("SELECT value FROM liburna_facts WHERE name = 'last commit' FOR UPDATE")
        .firstRow { $0.text(0) == token } ?? false
    case .number(let number):
      // A number that nobody has got yet: the crash took all that we did.
      let status = try prepare(
        """
        SELECT CASE WHEN CAST(?1 AS bigint) < txid_snapshot_xmax(txid_current_snapshot())
          THEN txid_status(CAST(?1 AS bigint)) ELSE 'aborted' END
        """
      ).bind(number).firstRow { $0.text(0) }
      return status == "committed" ? true : status == "aborted" ? false : nil
    }
  }

  override func rollBack() {
    defer {
      inTransaction = false
      failure = nil
    }
    guard !session.isLost else { return }
    do {
      // After a failure the server ignores everything up to this point.
      try session.synchronize()
      try send("ROLLBACK")
    } catch {
      session.markLost()
    }
  }

  /// Others may write between two questions; and a connection lost meanwhile costs one more attempt.
  override func snapshot<Result>(_ body: () throws -> Result) throws -> Result {
    if inTransaction { return try body() }
    do {
      return try readTransaction(body)
    } catch let failure as StorageFailure where failure.kind == .lost {
      return try readTransaction(body)
    }
  }

  private func readTransaction<Result>(_ body: () throws -> Result) throws -> Result {
    try begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    do {
      let result = try body()
      try send("COMMIT")
      try throwFailure()
      inTransaction = false
      return result
    } catch {
      rollBack()
      throw error
    }
  }

  override func withPatience<Result>(
    _ patience: Duration, _ body: () throws -> Result
  ) throws -> Result {
    try snapshot {
      let limit = patience.components.seconds * 1000 + patience.components.attoseconds / Int64(1e15)
      try prepare("SET LOCAL statement_timeout = \(max(1, limit))").run()
      return try body()
    }
  }
}

/// A transaction that turned out not to be written.
private struct UnwrittenCommit: Error {}

/// A lock by which one of several programs is alone on a database; it ends with the connection.
public struct AdvisoryLock: Sendable {
  let key: Int
  /// Who holds it, for messages: `server` …
  let holder: String
  /// How long it is waited for: that its holder died may come to the database some moments later.
  let patience: Duration

  /// Held by whoever is the server. The number is that of the letters `liburna`.
  public static let server = AdvisoryLock(
    key: 0x6c_69_62_75_72_6e_61, holder: "server", patience: .seconds(5))
  /// Held by a metascheduler while it plans. Almighty waits for the one that comes second.
  public static let metascheduler = AdvisoryLock(
    key: 0x6c_69_62_75_72_6e_62, holder: "metascheduler", patience: .seconds(2))
}
