// oarnodes: the resources, their states and properties, and the jobs on them.

import ClusterModel
import CommandLine
import Wire

/// The options of `oarnodes`.
enum OarnodesOption {
  static let resources = Key<[Int]>.integers(
    "-r", "--resource", value: "ID", help: "Show the resource with this id")
  static let state = Key<Bool>.flag("-s", "--state", help: "Show the states by host")
  static let list = Key<Bool>.flag("-l", "--list", help: "Show the names of the hosts")
  static let events = Key<[String?]>.optionalTexts(
    "-e", "--events", value: "DATE",
    help: "Show the events of hosts since a date (YYYY-MM-DD hh:mm:ss); without DATE, the last 20")
  static let condition = Key<String?>.text(
    "--sql", value: "SQL", help: "Show the resources that an SQL condition selects")
}

/// Shows resources.
public enum Oarnodes: Command {
  public static let definition = CommandDefinition(
    "oarnodes", "Show resources, their states and properties",
    synopsis: [
      "[-s|-l] [-r ID] [--sql SQL] [-J|-Y|-X|-D|--json] [HOST...]", "-e [DATE] [HOST...]",
    ],
    operands: .hosts,
    options: [
      OarnodesOption.resources, OarnodesOption.state, OarnodesOption.list, OarnodesOption.events,
      OarnodesOption.condition,
    ] + DataFormatOption.all + [DocumentOption.json],
    examples: [
      ("oarnodes -s", "the state of every resource"),
      ("oarnodes --sql \"state = 'Suspected'\"", "what is broken"),
    ],
    exitCodes: [
      (0, "done, also if nothing was found"), (1, "options that don't fit, or refused"),
      (25, "the server does not answer"),
    ])

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    if arguments.has(OarnodesOption.events) { return try OarnodesEvents.run(arguments, context) }
    let selection = ResourceSelection(
      ids: arguments[OarnodesOption.resources], hosts: arguments.operands,
      condition: arguments[OarnodesOption.condition])
    guard
      case .resources(let records, let properties) = try context.ask(.resources(selection))
    else { throw UnexpectedReply(question: "resources") }
    let now = LocalDate.now
    if arguments[DocumentOption.json] {
      let data = ResourceData(properties: properties)
      let list = records.lazy.map { data.document(of: $0, now: now) }
      context.output.pass(DocumentOption.document("resources", list: list))
    } else {
      context.output.pass(
        bytes(records, properties: properties, arguments: arguments, now: now))
    }
    report(selection, records, context)
    return 0
  }

  public static func failure(for error: any Error) -> CommandFailure? {
    Oarstat.failure(for: error)
  }

  private static func bytes(
    _ records: [ResourceRecord], properties: [PropertyDefinition], arguments: ParsedArguments,
    now: Instant
  ) -> [UInt8] {
    let text = ResourceText(properties: properties, now: now)
    if arguments[OarnodesOption.list] { return text.list(records) }
    let showsStates = arguments[OarnodesOption.state]
    if let format = DataFormatOption.chosen(in: arguments) {
      let data = ResourceData(properties: properties)
      return showsStates
        ? format.nodesDocument(data.states(records)) : format.nodesDocument(data.entries(records))
    }
    if showsStates { return text.states(records) }
    let known = Set(records.map(\.resource.id))
    let unknown = arguments[OarnodesOption.resources].filter { !known.contains($0) }
    let emptyBlocks = String(repeating: ResourceText.emptyBlock, count: unknown.count)
    return text.blocks(records) + emptyBlocks.utf8
  }

  /// Says which of the named resources and hosts there are none of. OAR is silent, and ends with 0 too.
  private static func report(
    _ selection: ResourceSelection, _ records: [ResourceRecord], _ context: CommandContext
  ) {
    let ids = Set(records.map(\.resource.id))
    let hosts = Set(records.map(\.resource.networkAddress))
    for id in selection.ids where !ids.contains(id) {
      context.errors.line("/!\\ There is no resource \(id).")
    }
    for host in selection.hosts where !hosts.contains(host) {
      context.errors.line("/!\\ No resource is on a host \"\(shortened(host))\".")
    }
  }
}

extension DataFormat {
  /// The document as `oarnodes` prints it: Perl on one line, the others with an empty line after.
  func nodesDocument(_ entries: some Sequence<OutputEntry>) -> [UInt8] {
    guard self == .dumper else { return document(entries) + "\n".utf8 }
    var bytes: [UInt8] = []
    DumperWriter(isIndented: false).write(map: entries, depth: 0, to: &bytes)
    return bytes + "\n".utf8
  }
}
