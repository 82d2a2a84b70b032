// What PostgreSQL's codes (SQLSTATE) mean to the store's callers.

import SQLStorage
import Storage

extension StorageFailure {
  /// The connection is gone, and nothing of the present transaction was written.
  static func lost(_ text: String, _ settings: PostgreSQLSettings) -> StorageFailure {
    StorageFailure(
      .lost, text,
      .full(
        "the connection to \(settings) was lost (\(text)): nothing was written; it is tried again"))
  }

  /// A failed call.
  ///
  /// - Parameters:
  ///   - code: five letters and digits; empty if the failure is not the server's.
  ///   - text: the server's or the library's text.
  init(code: String, text: String, _ settings: PostgreSQLSettings) {
    let text = Self.firstLine(text)
    switch code {
    case "08000"..."08P99", "57P01", "57P02", "57P03", "57P05":
      self = .lost(text, settings)
    case "25006":
      self = .notNow(text, settings, "it is read-only; see default_transaction_read_only there")
    case "53100":
      self = .notNow(text, settings, "its disk is full; free some space")
    case "53300", "53400":
      self = .notNow(
        text, settings, "it has no connection left; end idle ones or raise max_connections there")
    case "53000"..."53ZZZ", "58000"..."58ZZZ":
      self = .notNow(text, settings, "its server lacks something; see its log")
    case "55P03":
      self = .notNow(text, settings, "another program keeps a lock; see pg_locks there", .busy)
    case "40001", "40P01":
      self = .notNow(text, settings, "another program wrote the same", .busy)
    case "57014":
      self = .notNow(text, settings, "it took too long", .interrupted)
    case "42501":
      self = .notNow(
        text, settings, "the user \(settings.user) lacks a right; GRANT it, or change DB_BASE_LOGIN"
      )
    case "XX001", "XX002":
      self.init(
        .other, text,
        .unusable("\(settings) is damaged (\(text)): stop the server and restore a backup"))
    default:
      self.init(.refused, text, .failed("\(settings) refused: \(text)"))
    }
  }

  private static func notNow(
    _ text: String, _ settings: PostgreSQLSettings, _ what: String, _ kind: Kind = .other
  ) -> StorageFailure {
    StorageFailure(
      kind, text, .full("\(settings) can't be written: \(what) (\(text)); nothing was written"))
  }

  /// Servers add details that are for logs, and values of rows among them.
  static func firstLine(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "no reason given"
    return line.hasPrefix("ERROR:  ") ? String(line.dropFirst(8)) : line
  }
}

/// A connection that can't be made.
struct ConnectionRefusal: Error {
  let failure: StorageFailure
  /// Whether it may be made a little later, without anybody doing something about it.
  let isPassing: Bool

  /// - Parameters:
  ///   - text: the library's text with all details, the server's code among them.
  init(_ text: String, _ settings: PostgreSQLSettings) {
    let line = StorageFailure.firstLine(text)
    let code = Self.code(in: line)
    let reason = code.map { line.replacing(" \($0):", with: "") } ?? line
    switch code {
    case "28P01", "28000":
      isPassing = false
      failure = Self.unusable(
        reason, "\(settings) refuses the user \(settings.user)",
        "check DB_BASE_LOGIN and DB_BASE_PASSWD in oar.conf, and pg_hba.conf at the server")
    case "3D000":
      isPassing = false
      failure = Self.unusable(
        reason, "\(settings) does not exist", "check DB_BASE_NAME in oar.conf, or create it")
    case "42501":
      isPassing = false
      failure = Self.unusable(
        reason, "\(settings) refuses the user \(settings.user)", "GRANT CONNECT to that user")
    case "53300":
      isPassing = true
      failure = StorageFailure(code: "53300", text: reason, settings)
    case "57P03", nil:
      isPassing = true
      failure = StorageFailure(
        .lost, reason,
        .full(
          "\(settings) can't be reached (\(reason)): check that PostgreSQL runs there, and "
            + "DB_HOSTNAME and DB_PORT in oar.conf"))
    case let code?:
      isPassing = false
      failure = StorageFailure(code: code, text: reason, settings)
    }
  }

  private static func unusable(_ text: String, _ what: String, _ advice: String) -> StorageFailure {
    StorageFailure(.other, text, .unusable("\(what) (\(text)): \(advice)"))
  }

  /// The server's code in a verbose text, such as `FATAL:  28P01: password …`.
  private static func code(in text: String) -> String? {
    text.split(separator: " ").first { word in
      word.utf8.count == 6 && word.last == ":"
        && word.dropLast().utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) }
        && word.utf8.contains { (48...57).contains($0) }
    }.map { String($0.dropLast()) }
  }
}
