// `oarnodes -e`: what happened to hosts.

import ClusterModel
import CommandLine
import Wire

enum OarnodesEvents {
  /// Events of a host without a date.
  static let shownEvents = 20
  /// Events of a host that are looked at for a date, the most that the server tells; older ones are
  /// not found.
  static let searchedEvents = 1000

  static func run(_ arguments: ParsedArguments, _ context: CommandContext) throws -> Int32 {
    var hosts = arguments.operands
    var start: Instant?
    for case let word? in arguments[OarnodesOption.events] {
      // As in OAR, the word after -e may also be the first host.
      if let date = LocalDate.instant(word) { start = date } else { hosts.insert(word, at: 0) }
    }
    if hosts.isEmpty { hosts = try allHosts(context) }
    let link = try context.server()
    let limit = start == nil ? shownEvents : searchedEvents
    let questions = try hosts.map { try link.send(.hostEvents($0, limit: limit)) }
    var bytes: [UInt8] = []
    for question in questions {
      guard case .events(let events) = try link.reply(to: question) else {
        throw UnexpectedReply(question: "events of a host")
      }
      bytes += text(events.filter { $0.date >= start ?? 0 })
    }
    context.output.pass(bytes)
    return 0
  }

  /// A line for each event: date, job, type, description.
  static func text(_ events: [JobEvent], zone: DateZone = .local) -> [UInt8] {
    var bytes: [UInt8] = []
    for event in events {
      bytes.append(text: "\(LocalDate(event.date, in: zone).text)| \(event.job)| ")
      bytes.append(printable: "\(event.type): \(event.text)")
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  private static func allHosts(_ context: CommandContext) throws -> [String] {
    guard case .resources(let records, _) = try context.ask(.resources(ResourceSelection())) else {
      throw UnexpectedReply(question: "resources")
    }
    return hosts(records).map(\.host).filter { !$0.isEmpty }
  }
}
