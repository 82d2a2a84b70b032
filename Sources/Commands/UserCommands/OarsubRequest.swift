// From the options of `oarsub` to the submission that is sent: what can be checked here is checked here.

import CommandLine
import Glibc
import Wire

/// A submission in the making.
struct OarsubRequest {
  var submission: Submission
  /// What the user should know, for the standard error.
  var notes: [String] = []

  /// - Throws: ``CommandFailure``, ``UsageError``
  init(_ typed: ParsedArguments, in context: CommandContext) throws {
    var arguments = typed
    let words = typed.operands
    let isInteractive = typed[OarsubOption.interactive]
    guard words.count <= 1 else {
      throw CommandFailure(
        5,
        "[ERROR] \(words.count) words; quote the command and its arguments: "
          + "'\(shortened(words.joined(separator: " ")))'", showsUsage: true)
    }
    var request = ([context.program] + context.arguments).joined(separator: " ")
    if typed[OarsubOption.scanScript] {
      let script = try ScriptOptions(command: words.first, in: context)
      arguments = script.arguments(under: typed, notes: &notes)
      if !script.text.isEmpty { request += " " + script.text }
    }
    let needsCommand =
      !isInteractive && typed[OarsubOption.reservation] == nil
      && !arguments[OarsubOption.type].contains { $0 == "noop" || $0.hasPrefix("noop=") }
    guard !words.isEmpty || !needsCommand else { throw CommandFailure(5, showsUsage: true) }
    let directory = try workingDirectory(arguments[OarsubOption.directory], in: context)
    submission = Submission(
      directory: directory, initialRequest: request, submissionHost: hostName())
    submission.command = isInteractive ? "" : words.first ?? ""
    if isInteractive {
      submission.kind = .interactive
      if !words.isEmpty {
        notes.append("An interactive job opens a shell: the command is ignored.")
      }
    }
    try readOptions(arguments)
    try readArray(arguments)
    if isInteractive { try checkInteractive(arguments) }
  }

  private mutating func readOptions(_ arguments: ParsedArguments) throws {
    if let option = [OarsubOption.stageIn, OarsubOption.stageInSum].first(where: arguments.has) {
      throw CommandFailure(
        8,
        "[ERROR] --\(option.definition.name) is of OAR's desktop computing, which there is not "
          + "here. Put the files where the job's hosts see them.")
    }
    submission.resources = arguments[OarsubOption.resource]
    submission.properties = arguments[OarsubOption.property] ?? ""
    submission.queue = arguments[OarsubOption.queue]
    submission.types = arguments[OarsubOption.type]
    submission.name = arguments[OarsubOption.name]
    submission.project = arguments[OarsubOption.project]
    submission.stdout = arguments[OarsubOption.stdout]
    submission.stderr = arguments[OarsubOption.stderr]
    submission.dependencies = arguments[OarsubOption.anterior]
    submission.hold = arguments[OarsubOption.hold]
    submission.checkpoint = try inRange(arguments, OarsubOption.checkpoint, 0...Int(Int32.max)) ?? 0
    submission.checkpointSignal = try inRange(arguments, OarsubOption.signal, 1...64) ?? 12
    if let method = arguments[OarsubOption.notify] {
      guard isNotification(method) else {
        throw CommandFailure(
          250, "/!\\Bad syntax for the notify option",
          "\"\(shortened(method))\" is neither \"mail:ADDRESS\" nor \"exec:PROGRAM WORDS\", with or "
            + "without [END,ERROR] before it.")
      }
      submission.notify = method
    }
    if let date = arguments[OarsubOption.reservation] {
      guard let dates = ReservationDates(parsing: date) else {
        let example = LocalDate(LocalDate.now).text
        throw CommandFailure(
          7,
          "[ERROR] Syntax error near the -r or --reservation option. The reservation date "
            + "synstax is : \"\(example)\".", "It was \"\(shortened(date))\".")
      }
      submission.reservationStart = dates.start
      submission.reservationEnd = dates.end
    }
    if OarsubOption.jobKeys.contains(where: { arguments.has($0) }) {
      notes.append(
        "Job keys are not needed here: the server knows who asks from the system itself. The "
          + "option is ignored.")
    }
  }

  private mutating func readArray(_ arguments: ParsedArguments) throws(CommandFailure) {
    if let file = arguments[OarsubOption.parameterFile] {
      let lines = try arrayParameters(file)
      submission.parameters = lines
      submission.arraySize = lines.count
    } else if let size = arguments[OarsubOption.array] {
      guard size > 0 else {
        throw CommandFailure(
          6, "[ERROR] An array job must have a positive number of sub-jobs.", showsUsage: true)
      }
      submission.arraySize = size
    }
  }

  private func checkInteractive(_ arguments: ParsedArguments) throws(CommandFailure) {
    if arguments.has(OarsubOption.reservation) {
      throw CommandFailure(7, "[ERROR] An advance reservation cannot be interactive.")
    }
    if arguments.has(OarsubOption.array) || arguments.has(OarsubOption.parameterFile) {
      throw CommandFailure(8, "/!\\ An array job cannot be interactive.", showsUsage: true)
    }
    let names = submission.types.map { $0.prefix { $0 != "=" } }
    if names.contains("noop") {
      throw CommandFailure(17, "[ERROR] A noop job cannot be interactive.")
    }
    if names.contains("desktop_computing") {
      throw CommandFailure(
        17, "[ERROR] A desktop computing job cannot be interactive.", showsUsage: true)
    }
  }

  private func inRange(
    _ arguments: ParsedArguments, _ key: Key<Int?>, _ range: ClosedRange<Int>
  ) throws(UsageError) -> Int? {
    guard let value = arguments[key] else { return nil }
    guard range.contains(value) else {
      throw UsageError([
        "Value \"\(value)\" invalid for option \(key.definition.name) "
          + "(\(range.lowerBound) to \(range.upperBound) expected)"
      ])
    }
    return value
  }

  private func isNotification(_ method: String) -> Bool {
    var rest = method.drop { $0 == " " }
    if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
      rest = rest[rest.index(after: end)...].drop { $0 == " " }
    }
    return ["mail:", "exec:"].contains { rest.hasPrefix($0) && rest.count > $0.count }
  }
}

/// The name of this host.
func hostName() -> String {
  var name = [CChar](repeating: 0, count: 256)
  guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
  return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
