// oarnodesetting: adds resources and changes their states and properties.

import ClusterModel
import CommandLine
import Wire

/// The options of `oarnodesetting`.
enum OarnodesettingOption {
  static let resources = Key<[Int]>.integers(
    "-r", "--resource", value: "ID", help: "Change the resource with this id")
  static let hosts = Key<[String]>.texts(
    "-h", "--hostname", value: "HOST", help: "Change the resources of this host, or add one to it")
  static let file = Key<String?>.text(
    "-f", "--file", value: "FILE", help: "Change the resources of the hosts in FILE, one a line")
  static let condition = Key<String?>.text(
    "--sql", value: "SQL", help: "Change the resources that an SQL condition selects")
  static let add = Key<Bool>.flag("-a", "--add", help: "Add a resource")
  static let table = Key<String?>.text(
    "--table", value: "FILE",
    help: "Add a resource for each line of FILE (-: the standard input): HOST NAME=VALUE ...")
  static let state = Key<String?>.text(
    "-s", "--state", value: "STATE", help: "Set the state: Alive, Absent or Dead")
  static let maintenance = Key<String?>.text(
    "-m", "--maintenance", "--care", value: "on|off",
    help: "Begin or end maintenance: the resources become Absent and are not woken up")
  static let drain = Key<String?>.text(
    "-d", "--drain", value: "on|off", help: "Let no new job start there; those that run go on")
  static let properties = Key<[String]>.texts(
    "-p", "--property", value: "NAME=VALUE", help: "Set a property")
  static let noWait = Key<Bool>.flag(
    "-n", "--no-wait", help: "Don't wait until the jobs there have ended")
  static let lastValue = Key<String?>.text(
    "--last-property-value", value: "NAME", help: "Print the largest value that a property has")
}

/// Changes resources.
public enum Oarnodesetting: Command {
  public static let definition = CommandDefinition(
    "oarnodesetting", "Add resources, change their states and properties",
    synopsis: [
      "-a [-h HOST] [-s STATE] [-p NAME=VALUE]...", "-a --table FILE [-s STATE] [-p NAME=VALUE]...",
      "[-h HOST|-f FILE|-r ID|--sql SQL]... [-s STATE] [-m on|off] [-d on|off] "
        + "[-p NAME=VALUE]... [-n]",
      "--last-property-value NAME",
    ],
    options: [
      OarnodesettingOption.resources, OarnodesettingOption.hosts, OarnodesettingOption.file,
      OarnodesettingOption.condition, OarnodesettingOption.add, OarnodesettingOption.table,
      OarnodesettingOption.state, OarnodesettingOption.maintenance, OarnodesettingOption.drain,
      OarnodesettingOption.properties, OarnodesettingOption.noWait,
      OarnodesettingOption.lastValue,
    ],
    details: [
      "Without a host, resource or condition, this host is meant. A table makes a whole cluster in one "
        + "call; its lines are added in order, and what a line says counts more than -p."
    ],
    examples: [
      ("oarnodesetting -a -h node1 -p cpuset=0 -p core=1", "a new core of node1"),
      ("oarnodesetting -a --table cores", "lines such as: node1 cpuset=0 core=1"),
      ("oarnodesetting -s Absent -h node1", "node1 is taken away; its jobs are ended"),
      ("oarnodesetting -d on --sql \"rack = 3\"", "a rack takes no new jobs"),
    ],
    exitCodes: [
      (0, "done"), (1, "options that don't fit, or refused"), (2, "no server"),
      (3, "some ids are no resources"), (4, "an unknown host"),
      (8, "a property that only the server sets"), (9, "an unknown property or a bad value"),
      (10, "a property without a value"), (11, "jobs have not ended in time"),
      (12, "the condition selects nothing or is none"), (13, "the file can't be read"),
    ],
    helpExitCode: 1)

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    if let name = arguments[OarnodesettingOption.lastValue] {
      return try printLastValue(of: name, context)
    }
    let setting = try ResourceSetting(arguments)
    let isAdding = arguments[OarnodesettingOption.add]
    guard isAdding || arguments[OarnodesettingOption.table] == nil else {
      throw CommandFailure(
        1, "/!\\ --table makes new resources: it goes with --add.", showsUsage: true)
    }
    guard isAdding || !setting.isEmpty else { throw CommandFailure(1, showsUsage: true) }
    if isAdding { return try ResourceAddition.run(setting, arguments, context) }
    return try ResourceChange.run(setting, arguments, context)
  }

  public static func failure(for error: any Error) -> CommandFailure? {
    guard let refusal = error as? Refusal else { return nil }
    let code: Int32? =
      switch refusal.kind {
      case .unknownResource: 3
      case .badProperty, .badValue: 9
      default: nil
      }
    return code.map { CommandFailure($0, "/!\\ \(refusal.message)") }
  }

  private static func printLastValue(of name: String, _ context: CommandContext) throws -> Int32 {
    let records = try ResourceChange.records(ResourceSelection(), context)
    let values = records.compactMap { $0.resource.value(of: name) }
    let largest = values.compactMap { value -> (number: Int, text: String)? in
      value.text.map { (Int($0) ?? Int.min, $0) }
    }.max { ($0.number, $0.text) < ($1.number, $1.text) }
    if let largest {
      context.output.line(largest.text)
    } else {
      context.errors.line(
        "# Warning: Cannot retrieve the last value for \(shortened(name)). Either no resource or "
          + "no such property exists (yet).")
    }
    return 0
  }
}

extension ResourceSetting {
  /// Columns that only the server sets.
  private static let systemColumns: Set<String> = [
    "resource_id", "state", "state_num", "next_state", "finaud_decision", "next_finaud_decision",
    "last_job_date", "suspended_jobs", "expiry_date", "scheduler_priority",
  ]

  /// What the options ask for.
  ///
  /// - Throws: ``CommandFailure`` for values that don't fit.
  init(_ arguments: ParsedArguments) throws {
    self.init()
    if let text = arguments[OarnodesettingOption.state] {
      guard let state = ResourceState(rawValue: text), state != .suspected else {
        throw CommandFailure(
          1, "/!\\ Bad state value. Possible values are: Alive | Absent | Dead ", showsUsage: true)
      }
      self.state = state
    }
    maintenance = try Self.flag(arguments[OarnodesettingOption.maintenance], "maintenance")
    drain = try Self.flag(arguments[OarnodesettingOption.drain], "drain")
    properties = try arguments[OarnodesettingOption.properties].map { try Self.property($0) }
  }

  /// A property and its value, as NAME=VALUE.
  ///
  /// - Throws: ``CommandFailure``
  static func property(_ text: some StringProtocol) throws -> (name: String, value: String) {
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw CommandFailure(
        10, "/!\\ Bad property syntax: \"\(shortened(String(text)))\" is not NAME=VALUE.")
    }
    let name = String(text[..<equals])
    guard !systemColumns.contains(name) else {
      throw CommandFailure(
        8, "/!\\ Cannot update property \(name) because it is a system field.")
    }
    return (name, String(text[text.index(after: equals)...]))
  }

  /// Whether it changes nothing.
  var isEmpty: Bool {
    state == nil && maintenance == nil && drain == nil && properties.isEmpty
  }

  private static func flag(_ text: String?, _ name: String) throws -> Bool? {
    switch text?.lowercased() {
    case nil: return nil
    case "on": return true
    case "off": return false
    default:
      throw CommandFailure(
        1, "/!\\ Bad \(name) value \"\(shortened(text ?? ""))\". Possible values are: on | off",
        showsUsage: true)
    }
  }
}
