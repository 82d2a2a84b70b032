// `oarnodesetting -a`: new resources.

import ClusterModel
import CommandLine
import Wire

enum ResourceAddition {
  /// Adds one resource to each named host, or one for each line of a table.
  static func run(
    _ setting: ResourceSetting, _ arguments: ParsedArguments, _ context: CommandContext
  ) throws -> Int32 {
    guard arguments[OarnodesettingOption.resources].isEmpty,
      arguments[OarnodesettingOption.condition] == nil
    else {
      throw CommandFailure(
        1, "/!\\ --add makes a new resource: it goes with -h or -f, not with -r or --sql.",
        showsUsage: true)
    }
    guard setting.maintenance == nil else {
      throw CommandFailure(
        1, "/!\\ --maintenance is for resources that exist: add it with -s Absent instead.")
    }
    var setting = setting
    if let drain = setting.drain {
      setting.drain = nil
      setting.properties.append(("drain", drain ? "YES" : "NO"))
    }
    let additions =
      if let table = arguments[OarnodesettingOption.table] {
        try rows(of: table, setting, arguments, context)
      } else {
        try HostNames.named(arguments).map { Addition(host: $0, setting: setting) }
      }
    for start in stride(from: 0, to: additions.count, by: batch) {
      try add(additions[start..<min(start + batch, additions.count)], context)
    }
    return 0
  }

  private struct Addition {
    var host: String
    var setting: ResourceSetting
  }

  /// How many additions the server is told of before its answers are read.
  private static let batch = 64

  /// Adds resources in their order; the server makes those that come together durable together.
  private static func add(_ additions: ArraySlice<Addition>, _ context: CommandContext) throws {
    let server = try context.server()
    let questions = try additions.map { try server.send(.addResource(host: $0.host, $0.setting)) }
    for (addition, question) in zip(additions, questions) {
      guard case .added(let id) = try server.reply(to: question) else {
        throw UnexpectedReply(question: "a new resource")
      }
      context.output.line("New resource added:  \(addition.host)")
      report(addition.setting, on: id, context)
    }
  }

  /// The most bytes of a table.
  private static let tableLimit = 64 << 20

  /// What the lines of a table add to what the options say: each a host and its properties.
  private static func rows(
    of table: String, _ common: ResourceSetting, _ arguments: ParsedArguments,
    _ context: CommandContext
  ) throws -> [Addition] {
    guard arguments[OarnodesettingOption.hosts].isEmpty, arguments[OarnodesettingOption.file] == nil
    else {
      throw CommandFailure(
        1, "/!\\ --table names the hosts itself: it goes without -h and -f.", showsUsage: true)
    }
    let text: String
    do {
      text =
        table == "-"
        ? try readText(
          descriptor: context.input, name: "the standard input", limit: tableLimit)
        : try readText(path: table, limit: tableLimit)
    } catch {
      throw CommandFailure(13, "/!\\ \(error.description)")
    }
    return try text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .compactMap { number, line in
        let words = line.split(whereSeparator: \.isWhitespace)
        guard let host = words.first, !host.hasPrefix("#") else { return nil }
        do {
          return try addition(to: String(host), words.dropFirst(), common)
        } catch var failure as CommandFailure {
          failure.lines = failure.lines.map { "\($0) (line \(number + 1) of \(shortened(table)))" }
          throw failure
        }
      }
  }

  private static func addition(
    to host: String, _ words: ArraySlice<Substring>, _ common: ResourceSetting
  ) throws -> Addition {
    guard !host.contains("=") else {
      throw CommandFailure(13, "/!\\ \"\(shortened(host))\" is no host: a line begins with one")
    }
    let own = try words.map { try ResourceSetting.property($0) }
    var setting = common
    setting.properties.removeAll { old in own.contains { $0.name == old.name } }
    setting.properties += own
    return Addition(host: host, setting: setting)
  }

  /// A line for each property; OAR counts only values that differ from a new resource's.
  private static func report(
    _ setting: ResourceSetting, on id: ResourceID, _ context: CommandContext
  ) {
    let fresh = Resource(id: id)
    for (name, value) in setting.properties {
      let isNew = fresh.value(of: name)?.text != value
      context.output.line(
        "Set property \(name) to '\(value)'... \(isNew ? 1 : 0) resource(s) updated.")
    }
  }
}
