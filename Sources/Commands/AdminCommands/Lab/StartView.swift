// How a start is watched: a line for each host, which changes in its place on a terminal; lines one
// after the other elsewhere; or lines of JSON.

import CommandLine
import Lab

final class StartView {
  private enum Form {
    case lines
    case json
    /// A line for each host, of so many columns.
    case table(columns: Int)
    /// One line for all hosts, where the terminal is too small.
    case summary(columns: Int)
  }

  private let lab: String
  private let hostCount: Int
  private let context: CommandContext
  private let form: Form
  private var rows: [(host: String?, text: String)] = []
  /// Those of which something was heard.
  private var heard: Set<String> = []
  private var hasLine = false
  private var milliseconds = 0

  /// Rows of a terminal that stay free: the prompt, the first line, the last words.
  private static let freeRows = 4

  init(lab: String, hosts: Int, isJSON: Bool, in context: CommandContext) {
    self.lab = lab
    hostCount = hosts
    self.context = context
    if isJSON {
      form = .json
    } else if let size = context.errors.terminalSize, context.variable("TERM") != "dumb" {
      form =
        hosts + Self.freeRows <= size.rows
        ? .table(columns: size.columns) : .summary(columns: size.columns)
    } else {
      form = .lines
    }
  }

  /// Shows a step at once: whoever waits wants to see where it stands.
  func show(_ progress: LabProgress) {
    milliseconds = progress.milliseconds
    let text = Self.line(progress)
    switch form {
    case .lines: context.errors.line(text)
    case .json: writeJSON(progress)
    case .table(let columns): place(progress.host, String(text.prefix(columns - 1)))
    case .summary(let columns):
      if let host = progress.host { heard.insert(host) }
      let line = "\(text) (\(heard.count) of \(hostCount) hosts heard)"
      overwrite(String(line.prefix(columns - 1)))
    }
    context.errors.flush()
    context.output.flush()
  }

  /// Says that everything answers, how long it took, and, if `isEnd`, what to do next.
  func finish(isEnd: Bool = true) {
    if case .json = form {
      var bytes: [UInt8] = []
      JSONWriter.line.write(
        [
          "event": .text("ready"), "hosts": .integer(hostCount),
          "milliseconds": .integer(milliseconds),
        ],
        to: &bytes)
      context.output.pass(bytes + [UInt8(ascii: "\n")])
      return
    }
    if hasLine { context.errors.line() }
    let name = lab == Lab.standardName ? "" : " --name \(lab)"
    let hosts = hostCount == 1 ? "1 host" : "\(hostCount) hosts"
    context.errors.line("Lab \(lab): \(hosts) in \(Self.seconds(milliseconds)).")
    defer { context.errors.flush() }
    guard isEnd else { return }
    context.errors.line(
      "Next: liburna lab\(name) connect (all hosts), connect frontend (one), stop (the end)")
  }

  static func seconds(_ milliseconds: Int) -> String {
    "\(milliseconds / 1000).\(String(1000 + milliseconds % 1000).dropFirst()) s"
  }

  static func line(_ progress: LabProgress) -> String {
    let time = seconds(progress.milliseconds).filter { $0 != " " }
    let host = LabOption.column(progress.host ?? "lab", 10)
    var bytes: [UInt8] = []
    bytes.append(printable: progress.reason.map { ": " + $0 } ?? "")
    return "\(time)  \(host)  \(progress.step)" + String(decoding: bytes, as: UTF8.self)
  }

  private func writeJSON(_ progress: LabProgress) {
    var bytes: [UInt8] = []
    JSONWriter.line.write(
      [
        "event": .text(progress.isWaiting ? "waiting" : "step"), "host": .optional(progress.host),
        "step": .text(progress.step), "reason": .optional(progress.reason),
        "milliseconds": .integer(progress.milliseconds),
      ], to: &bytes)
    context.output.pass(bytes + [UInt8(ascii: "\n")])
  }

  // MARK: - On a terminal

  /// Writes a host's line, over the one that it had.
  private func place(_ host: String?, _ text: String) {
    guard let row = rows.firstIndex(where: { $0.host == host }) else {
      rows.append((host, text))
      context.errors.line(text)
      return
    }
    rows[row].text = text
    let up = rows.count - row
    context.errors.write("\u{1b}[\(up)A\r\u{1b}[K\(text)\r\u{1b}[\(up)B")
  }

  private func overwrite(_ text: String) {
    context.errors.write("\r\u{1b}[K" + text)
    hasLine = true
  }
}
