// oarstat: what the jobs do, when they start and why not yet.

import ClusterModel
import CommandLine
import Wire

/// The options of `oarstat`.
enum OarstatOption {
  static let jobs = Key<[String?]>.optionalTexts(
    "-j", "--job", value: "ID", help: "Show this job; without ID, the job that runs the command")
  static let full = Key<Bool>.flag("-f", "--full", help: "Show all fields of each job")
  static let state = Key<Bool>.flag(
    "-s", "--state", help: "Show only the state; needs -j or --array")
  static let users = Key<[String?]>.optionalTexts(
    "-u", "--user", value: "USER", help: "Show the jobs of a user; without USER, one's own")
  static let arrays = Key<[String?]>.optionalTexts(
    "--array", value: "ID", help: "Show the jobs of an array; without ID, add the array columns")
  static let compact = Key<Bool>.flag("-c", "--compact", help: "Show one line for each array")
  static let gantt = Key<[String?]>.optionalTexts(
    "-g", "--gantt", value: "D1, D2",
    help: "Show the jobs between two dates (YYYY-MM-DD hh:mm:ss, a comma between them) as data; "
      + "without dates or with --text, draw the plan")
  static let text = Key<Bool>.flag("--text", help: "Draw the plan of --gantt as text")
  static let events = Key<Bool>.flag("-e", "--events", help: "Show the events of jobs")
  static let properties = Key<Bool>.flag(
    "-p", "--properties", help: "Show the properties of the jobs' resources")
  static let accounting = Key<String?>.text(
    "--accounting", value: "D1, D2", help: "Show what was used between two days")
  static let condition = Key<String?>.text(
    "--sql", value: "SQL", help: "Show the jobs that an SQL condition selects (project = 'p1')")
  static let format = Key<Int?>.integer(
    "--format", value: "N", help: "1: names and submission dates; 2: durations and messages")
  static let why = Key<String?>.text(
    "--why", value: "ID",
    help: "Say why a job waits, for whom, when and where it is planned, and what would start it now"
  )
  static let follow = Key<[String?]>.optionalTexts(
    "--follow", value: "ID",
    help: "Print a line for each change of jobs (of one's own without ID) until all have ended")
}

/// Shows jobs.
public enum Oarstat: Command {
  public static let definition = CommandDefinition(
    "oarstat", "Show jobs, the plan, and why a job waits",
    synopsis: [
      "[-f|-s] [-j [ID]] [--array [ID]] [-u [USER]] [--sql SQL] [-c] [--format N] [-J|-Y|-X|-D|--json]",
      "-e|-p -j ID|--array ID",
      "--gantt [\"D1, D2\"] [--text] [-J|-Y|-X|-D|--json]",
      "--why ID [--json]",
      "--follow [ID...] [--json]",
    ],
    operands: .jobs,
    options: [
      OarstatOption.jobs, OarstatOption.full, OarstatOption.state, OarstatOption.users,
      OarstatOption.arrays, OarstatOption.compact, OarstatOption.gantt, OarstatOption.text,
      OarstatOption.events, OarstatOption.properties, OarstatOption.accounting,
      OarstatOption.condition, OarstatOption.format, OarstatOption.why, OarstatOption.follow,
    ] + DataFormatOption.all + [DocumentOption.json],
    examples: [
      ("oarstat -u", "the own jobs that have not ended"),
      ("oarstat -fj 42", "everything about job 42"),
      ("oarstat --why 42", "why job 42 does not run yet"),
      ("oarstat --gantt", "the plan as a picture"),
    ],
    exitCodes: [
      (0, "done, also if no job was found"), (1, "options that don't fit, or refused"),
      (25, "the server does not answer"), (255, "a job id that is not a number"),
    ])

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    if let id = arguments[OarstatOption.why] { return try OarstatWhy.run(id, arguments, context) }
    if arguments.has(OarstatOption.follow) { return try OarstatFollow.run(arguments, context) }
    if arguments.has(OarstatOption.gantt) || arguments[OarstatOption.text] {
      return try OarstatGantt.run(arguments, context)
    }
    if let dates = arguments[OarstatOption.accounting] { throw accountingFailure(dates) }
    let query = try OarstatQuery(arguments, context)
    if arguments[OarstatOption.events] { return try OarstatDetails.events(query, context) }
    if arguments[OarstatOption.properties] { return try OarstatDetails.properties(query, context) }
    if arguments[OarstatOption.state], !query.namesJobs {
      throw CommandFailure(1, "--state can only be used with an id")
    }
    return try list(arguments, query, context)
  }

  public static func failure(for error: any Error) -> CommandFailure? {
    guard error is ServerUnreachable else { return nil }
    var failure = commonFailure(for: error, command: definition.name)
    failure.exitCode = 25
    return failure
  }

  private static func list(
    _ arguments: ParsedArguments, _ query: OarstatQuery, _ context: CommandContext
  ) throws -> Int32 {
    let isFull = arguments[OarstatOption.full]
    let ownForm = arguments[DocumentOption.json]
    let jobs = try context.jobs(query.message(full: isFull || ownForm))
    if ownForm {
      context.output.pass(DocumentOption.document("jobs", list: jobs.lazy.map(document)))
    } else if let format = DataFormatOption.chosen(in: arguments) {
      guard !jobs.isEmpty else { return 0 }
      context.output.pass(
        arguments[OarstatOption.state]
          ? format.document(stateEntries(jobs))
          : format.document(jobEntries(jobs, full: isFull)))
    } else if arguments[OarstatOption.state] {
      context.output.pass(jobs.map { "\($0.id): \($0.state.rawValue)\n" }.joined().utf8)
    } else if isFull {
      context.output.pass(JobDescription().text(jobs))
    } else {
      context.output.pass(table(arguments, context).text(jobs, now: LocalDate.now))
    }
    return 0
  }

  private static func table(_ arguments: ParsedArguments, _ context: CommandContext) -> JobTable {
    let preset = context.variable("OAR_OARSTAT_OUTPUT_FORMAT").flatMap { Int($0) } ?? 2
    let number = arguments[OarstatOption.format] ?? preset
    return JobTable(
      form: number == 2 ? .message : .submission,
      showsArrays: arguments.has(OarstatOption.arrays),
      isCompact: arguments[OarstatOption.compact])
  }

  private static func accountingFailure(_ dates: String) -> CommandFailure {
    guard OarstatGantt.range(dates) != nil else {
      return CommandFailure(1, "Bad syntax for --accounting")
    }
    return CommandFailure(
      1, "[ERROR] --accounting is not available: this version of the server has no answer for it.")
  }
}
