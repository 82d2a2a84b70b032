// `oarsub --dry-run`: when and where a job would start if it were submitted now, and why not at once.

import ClusterModel
import CommandLine
import RequestLanguage
import Wire

enum OarsubDryRun {
  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    for option in [OarsubOption.connect, OarsubOption.resubmit] where arguments.has(option) {
      throw UsageError(["--dry-run is of new jobs only: not with --\(option.definition.name)"])
    }
    let request = try OarsubRequest(arguments, in: context)
    for note in request.notes { context.errors.line(note) }
    let forecast = try ask(request.submission, arguments, in: context)
    if arguments[DocumentOption.json] {
      context.output.pass(DocumentOption.document(entries(of: forecast)))
      return 0
    }
    SubmissionOutput(arguments, context: context).write(remarks: forecast.remarks)
    let blockers = try OarstatWhy.records(of: forecast.explanation?.blockers ?? [], context)
    context.output.write(sentences(forecast, blockers: blockers, now: LocalDate.now))
    return 0
  }

  private static func ask(
    _ submission: Submission, _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Forecast {
    do {
      guard case .forecast(let forecast) = try context.ask(.rehearse(submission)) else {
        throw UnexpectedReply(question: "the dry run")
      }
      return forecast
    } catch let refusal as Refusal {
      throw SubmissionOutput(arguments, context: context).refused(refusal, of: submission)
    } catch let lost as ConnectionLost {
      throw CommandFailure(
        9, "[ERROR] The server's answer was lost: \(lost.reason).", "No job was submitted.")
    }
  }

  /// The forecast for people.
  static func sentences(
    _ forecast: Forecast, blockers: [JobRecord], now: Instant, zone: DateZone = .local
  ) -> String {
    var lines = ["Dry run, no job was submitted: \(start(forecast, now: now, zone: zone))"]
    if forecast.moldables.count > 1, let moldable = forecast.moldable,
      forecast.moldables.indices.contains(moldable)
    {
      lines.append("  as: \(request(forecast.moldables[moldable]))")
    }
    if forecast.count > 1 { lines.append("  \(array(forecast, now: now, zone: zone))") }
    if let explanation = forecast.explanation, explanation.state == .waiting {
      if isRefused(forecast) {
        // OAR's sentences of reservations have no end.
        let stop = explanation.text.hasSuffix(".") ? "" : "."
        lines.append("  why: \(explanation.text)\(stop)")
      } else {
        lines.append("  why not now: \(explanation.text)")
      }
      lines += OarstatWhy.quotaLines(explanation, now: now, zone: zone)
      lines += OarstatWhy.blockerLines(explanation, blockers, now: now, zone: zone)
      lines += OarstatWhy.adviceLines(explanation)
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func start(_ forecast: Forecast, now: Instant, zone: DateZone) -> String {
    guard let start = forecast.start else {
      if forecast.explanation?.state == .hold {
        return "it would be held until oarresume is called on it."
      }
      return isRefused(forecast)
        ? "the reservation would be refused." : "the plan has no start for it."
    }
    let count = forecast.resources.count
    let place =
      (forecast.hosts.isEmpty ? "" : " on \(forecast.hosts.joined(separator: ", "))")
      + " (\(count) resource\(count == 1 ? "" : "s"))"
    if forecast.startsNow { return "it would start now\(place)." }
    if start <= now { return "it would start in a moment\(place)." }
    let date = LocalDate(start, in: zone).text
    return "it would start at \(date)\(place), \(OarstatWhy.distance(start - now))."
  }

  /// Whether it is a reservation that can't be had.
  private static func isRefused(_ forecast: Forecast) -> Bool {
    forecast.start == nil && forecast.explanation?.kind == "reservation"
  }

  private static func array(_ forecast: Forecast, now: Instant, zone: DateZone) -> String {
    let head = "\(forecast.startingNow) of the \(forecast.count) jobs would start now"
    guard let last = forecast.lastStart else { return "\(head); not all are planned." }
    return last > now ? "\(head), the last at \(LocalDate(last, in: zone).text)." : "\(head)."
  }

  /// A shape as users write it, without what the rules added.
  private static func request(_ moldable: Moldable) -> String {
    let levels = moldable.groups.map { RequestGroup(levels: $0.levels).text }
    return "\(levels.joined(separator: "+")),walltime=\(moldable.walltime.hoursMinutesSeconds)"
  }

  private static func entries(of forecast: Forecast) -> [OutputEntry] {
    [
      OutputEntry("remarks", .list(forecast.remarks)),
      OutputEntry("count", .integer(forecast.count)),
      OutputEntry("moldables", .list(forecast.moldables.map { document(of: $0) })),
      OutputEntry("starts_now", .boolean(forecast.startsNow)),
      OutputEntry("start", .optional(forecast.start)),
      OutputEntry("moldable", .optional(forecast.moldable)),
      OutputEntry("resources", .list(forecast.resources)),
      OutputEntry("hosts", .list(forecast.hosts)),
      OutputEntry("starting_now", .integer(forecast.startingNow)),
      OutputEntry("last_start", .optional(forecast.lastStart)),
      OutputEntry("explanation", forecast.explanation.map { document(of: $0) } ?? .null),
    ]
  }
}
