// `oarstat --follow`: a line for each change of some jobs until all of them have ended.

import ClusterModel
import CommandLine
import Wire

enum OarstatFollow {
  static func run(_ arguments: ParsedArguments, _ context: CommandContext) throws -> Int32 {
    let ids = try followed(arguments, context)
    guard !ids.isEmpty else {
      context.errors.line("No job to follow: none of the selected jobs is known or yet to end.")
      return 0
    }
    var remaining = Set(ids)
    let link = try context.server()
    let question = try link.send(.follow(JobSelection(ids: ids)))
    let asLines = arguments[DocumentOption.json]
    while !remaining.isEmpty {
      guard case .notice(let notice) = try link.reply(to: question) else {
        throw UnexpectedReply(question: "changes of jobs")
      }
      if notice.state.isFinal { remaining.remove(notice.job) }
      if asLines {
        var bytes: [UInt8] = []
        JSONWriter.line.write(document(of: notice), to: &bytes)
        context.output.write(String(decoding: bytes, as: UTF8.self) + "\n")
      } else {
        context.output.write(line(notice))
      }
      guard link.hasEvent || context.output.flush() else { return 0 }
    }
    return 0
  }

  /// The jobs to follow: those named, else the asker's that have not ended.
  private static func followed(
    _ arguments: ParsedArguments, _ context: CommandContext
  ) throws -> [JobID] {
    let query = try OarstatQuery(arguments, context)
    let words = arguments[OarstatOption.follow].compactMap { $0 } + arguments.operands
    let named = try words.flatMap(jobIDs) + query.ids
    if query.arrays.isEmpty, query.condition == nil, !named.isEmpty { return named }
    var message = query.message(full: false)
    if !named.isEmpty || message.selection != nil {
      message.selection = JobSelection(
        ids: named, arrays: query.arrays, condition: query.condition)
    } else if message.users == nil {
      message.users = [ownUserName()]
    }
    return try context.jobs(message).map(\.id)
  }

  /// A change as a line: date, job, state, what happened.
  static func line(_ notice: JobNotice, zone: DateZone = .local) -> String {
    var bytes: [UInt8] = []
    bytes.append(text: LocalDate(notice.date, in: zone).text)
    bytes.append(text: "  ")
    bytes.append(left: String(notice.job), width: 9)
    bytes.append(text: " ")
    bytes.append(left: notice.state.rawValue, width: 10)
    bytes.append(text: " ")
    bytes.append(printable: notice.text)
    if let start = notice.plannedStart, !notice.state.holdsResources, !notice.state.isFinal {
      bytes.append(text: " (planned \(LocalDate(start, in: zone).text))")
    }
    bytes.append(text: "\n")
    return String(decoding: bytes, as: UTF8.self)
  }
}
