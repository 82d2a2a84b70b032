// `oarstat --gantt`: the plan between two dates, drawn as text or as data for programs.

import ClusterModel
import CommandLine
import Wire

enum OarstatGantt {
  static func run(_ arguments: ParsedArguments, _ context: CommandContext) throws -> Int32 {
    let dates = arguments[OarstatOption.gantt].compactMap { $0 }.last
    var window: Range<Instant>?
    if let dates {
      guard let range = range(dates) else { throw CommandFailure(1, "Bad syntax for --gantt") }
      window = range
    }
    let plan = try ask(window, context)
    if arguments[DocumentOption.json] {
      context.output.pass(document(of: plan))
    } else if let format = DataFormatOption.chosen(in: arguments)
      ?? (dates == nil || arguments[OarstatOption.text] ? nil : .dumper)
    {
      context.output.pass(try data(plan, format, context))
    } else {
      let chart = GanttChart(
        width: terminalWidth(context), isColored: isColored(context), window: window)
      context.output.pass(chart.text(plan.bars, on: plan.resources, now: plan.now).utf8)
    }
    return 0
  }

  /// The bars of a time, the resources they are on, and the server's clock.
  struct Plan {
    var bars: [GanttBar]
    var resources: [ResourceRecord]
    var properties: [PropertyDefinition]
    var now: Instant
    var window: Range<Instant>
  }

  private static func ask(_ window: Range<Instant>?, _ context: CommandContext) throws -> Plan {
    let asked = window ?? LocalDate.now..<endOfTime
    let answer = try context.ask(.gantt(from: asked.lowerBound, to: asked.upperBound))
    guard case .gantt(let bars, let resources, let now) = answer else {
      throw UnexpectedReply(question: "the plan")
    }
    // Properties that no resource has a value for make no difference in a plan.
    let names = Set(resources.flatMap(\.resource.properties.keys)).sorted()
    let properties = names.map { PropertyDefinition(name: $0, kind: .text) }
    return Plan(bars: bars, resources: resources, properties: properties, now: now, window: asked)
  }

  /// The time between two dates with a comma between them; `nil` if it isn't one.
  static func range(_ text: String) -> Range<Instant>? {
    let parts = text.split(separator: ",")
    guard parts.count == 2, let from = LocalDate.instant(parts[0]),
      let to = LocalDate.instant(parts[1]), from <= to
    else { return nil }
    return from..<to
  }

  private static func document(of plan: Plan) -> [UInt8] {
    let data = ResourceData(properties: plan.properties)
    return DocumentOption.document([
      OutputEntry("now", .integer(plan.now)),
      OutputEntry("from", .integer(plan.window.lowerBound)),
      OutputEntry("to", .integer(plan.window.upperBound)),
      OutputEntry("bars", .list(plan.bars.map(UserCommands.document))),
      OutputEntry("resources", .list(plan.resources.map { data.document(of: $0, now: plan.now) })),
    ])
  }

  private static func data(
    _ plan: Plan, _ format: DataFormat, _ context: CommandContext
  ) throws -> [UInt8] {
    var query = JobQuery()
    query.selection = JobSelection(ids: plan.bars.map(\.job))
    let jobs = plan.bars.isEmpty ? [] : try context.jobs(query)
    return format.document(ganttEntries(plan, jobs: jobs))
  }

  private static func isColored(_ context: CommandContext) -> Bool {
    context.output.isTerminal && context.variable("NO_COLOR") == nil
      && context.variable("TERM") != "dumb"
  }

  private static func terminalWidth(_ context: CommandContext) -> Int {
    (context.output.isTerminal ? terminalColumns(1) : nil) ?? context.variable("COLUMNS").flatMap {
      Int($0)
    } ?? 80
  }
}

/// The plan in the structure of OAR's `--gantt`.
func ganttEntries(_ plan: OarstatGantt.Plan, jobs: [JobRecord]) -> [OutputEntry] {
  let records = Dictionary(jobs.map { ($0.id, $0) }) { first, _ in first }
  let hosts = Dictionary(
    plan.resources.map { ($0.resource.id, $0.resource.networkAddress) }
  ) { first, _ in first }
  let bars = plan.bars.compactMap { bar in
    records[bar.job].map { OutputEntry(String(bar.job), structure(of: bar, $0, hosts: hosts)) }
  }
  let data = ResourceData(properties: plan.properties)
  return [
    OutputEntry("dead_resources", [:]),
    OutputEntry("jobs", .map(bars)),
    OutputEntry("resources", .list(plan.resources.map { data.structure(of: $0.resource) })),
  ]
}

private func structure(
  of bar: GanttBar, _ job: JobRecord, hosts: [ResourceID: String]
) -> OutputValue {
  var entries = [
    OutputEntry("command", .text(job.command)),
    OutputEntry("job_id", .integer(job.id)),
    OutputEntry("job_name", .optional(job.name)),
    OutputEntry("job_type", .text(job.kind.rawValue)),
    OutputEntry("launching_directory", .text(job.directory)),
    OutputEntry("network_address", .list(bar.resources.map { hosts[$0] ?? "" })),
    OutputEntry("project", .text(job.project)),
    OutputEntry("properties", .text(job.properties)),
    OutputEntry("queue_name", .text(job.queue)),
    OutputEntry("resource_id", .list(bar.resources)),
    OutputEntry("start_time", .integer(bar.start)),
    OutputEntry("state", .text(bar.state.rawValue)),
    OutputEntry("stop_time", .integer(bar.end)),
    OutputEntry("submission_time", .integer(job.submissionTime)),
  ]
  if !job.types.isEmpty { entries.append(OutputEntry("types", .list(job.types))) }
  entries.append(OutputEntry("user", .text(job.user)))
  entries.append(OutputEntry("walltime", .integer(job.walltime)))
  return .map(entries)
}
