// `oarstat --why`: the constraint that keeps a job waiting, who holds what it needs, its plan, and what
// would start it now.

import ClusterModel
import CommandLine
import Wire

enum OarstatWhy {
  /// Blockers beyond this number are counted, not listed.
  static let listedBlockers = 10
  /// Changes beyond this number are left to `--json`.
  static let listedChanges = 3
  /// Of the jobs that came later, so many are told why they go first.
  static let listedPassings = 3

  static func run(
    _ text: String, _ arguments: ParsedArguments, _ context: CommandContext
  ) throws -> Int32 {
    let ids = try jobIDs(text)
    var documents: [OutputValue] = []
    for (index, id) in ids.enumerated() {
      guard case .explanation(let explanation) = try context.ask(.explain(id)) else {
        throw UnexpectedReply(question: "a job's plan")
      }
      if arguments[DocumentOption.json] {
        documents.append(document(of: explanation))
        continue
      }
      let blockers = try records(of: explanation.blockers, context)
      if index > 0 { context.output.line() }
      context.output.write(sentences(explanation, blockers: blockers, now: LocalDate.now))
    }
    if arguments[DocumentOption.json] {
      let list = OutputEntry("explanations", .list(documents))
      context.output.pass(DocumentOption.document([list]))
    }
    return 0
  }

  /// Those of the blocking jobs that are listed.
  static func records(
    of ids: [JobID], _ context: CommandContext
  ) throws -> [JobRecord] {
    guard !ids.isEmpty else { return [] }
    var query = JobQuery()
    query.selection = JobSelection(ids: Array(ids.prefix(listedBlockers)))
    return try context.jobs(query)
  }

  /// The explanation for people.
  static func sentences(
    _ explanation: Explanation, blockers: [JobRecord], now: Instant, zone: DateZone = .local
  ) -> String {
    var lines = [
      "Job \(explanation.job) is \(explanation.state.rawValue): \(clause(explanation.text))"
    ]
    lines += quotaLines(explanation, now: now, zone: zone)
    lines += blockerLines(explanation, blockers, now: now, zone: zone)
    if let line = plan(explanation, now: now, zone: zone) { lines.append(line) }
    lines += adviceLines(explanation)
    return lines.map { $0 + "\n" }.joined()
  }

  /// For whom it waits.
  static func blockerLines(
    _ explanation: Explanation, _ blockers: [JobRecord], now: Instant, zone: DateZone
  ) -> [String] {
    guard !explanation.blockers.isEmpty else { return [] }
    var lines = ["  waits for:"]
    let ends = Dictionary(
      zip(explanation.blockers, explanation.blockerEnds), uniquingKeysWith: { $1 })
    lines += blockers.map { "    \(line(of: $0, until: ends[$0.id] ?? nil, zone: zone))" }
    let rest = explanation.blockers.count - blockers.count
    if rest > 0 { lines.append("    and \(rest) more: \(remaining(explanation, blockers))") }
    lines += explanation.passedBy.prefix(listedPassings).map {
      "  job \($0.job) came later and goes before it: \($0.why)"
    }
    return lines
  }

  /// How it stands with its quota.
  static func quotaLines(
    _ explanation: Explanation, now: Instant, zone: DateZone
  ) -> [String] {
    guard let quota = explanation.quota else { return [] }
    func date(_ instant: Instant) -> String { LocalDate(instant, in: zone).text }
    var lines: [String] = []
    if quota.counter != "window" {
      let unit = quota.counter == "resource_hours" ? "resource-hours" : quota.counter
      let when = quota.at > now ? "from \(date(quota.at)) on" : "now"
      lines.append(
        "  quota: \(quota.rule) allows \(amount(quota.limit, quota)) \(unit); "
          + "\(amount(quota.used, quota)) in use \(when), \(amount(quota.wanted, quota)) wanted")
    }
    let spans = [
      quota.rulesFrom.map { "from \(date($0))" }, quota.rulesUntil.map { "until \(date($0))" },
    ].compactMap(\.self)
    if !spans.isEmpty {
      lines.append("  rules: those of \"\(quota.rules)\" hold \(spans.joined(separator: " "))")
    }
    let start = quota.allowedFrom.map { "from \(date($0)) on" } ?? "never, as it is"
    lines.append("  quotas allow it: \(start)")
    return lines
  }

  /// A number of a quota in the unit of its rule.
  private static func amount(_ number: Int, _ quota: QuotaState) -> String {
    guard quota.counter == "resource_hours", number % 3600 != 0 else {
      return "\(quota.counter == "resource_hours" ? number / 3600 : number)"
    }
    let hundredths = (number + 35) / 36
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest / 10)\(rest % 10)"
  }

  /// What would start it now, or what must happen instead.
  static func adviceLines(_ explanation: Explanation) -> [String] {
    let changes = explanation.changes.prefix(listedChanges).map(\.text)
    return (changes + [explanation.advice].compactMap(\.self)).map { "  \($0)" }
  }

  /// A sentence as the end of another one.
  private static func clause(_ sentence: String) -> String {
    sentence.prefix(1).lowercased() + sentence.dropFirst()
  }

  private static func plan(
    _ explanation: Explanation, now: Instant, zone: DateZone
  ) -> String? {
    let hosts = explanation.plannedHosts
    let place = hosts.isEmpty ? "" : " on \(hosts.joined(separator: ", "))"
    let date = explanation.plannedStart.map { LocalDate($0, in: zone).text }
    if explanation.state.isFinal { return nil }
    if explanation.state.holdsResources { return date.map { "  started: \($0)\(place)" } }
    guard let date, let start = explanation.plannedStart else {
      let isWaiting = explanation.state == .waiting
      return isWaiting ? "  planned: the plan has no start for it yet" : nil
    }
    return "  planned: \(date)\(place) (\(distance(start - now)))"
  }

  /// - Parameter end: when it ends at the latest; without it, when its walltime is over.
  private static func line(of job: JobRecord, until end: Instant?, zone: DateZone) -> String {
    var parts = ["\(job.id)", job.user, job.state.rawValue]
    if job.state.holdsResources {
      if !job.assignedHosts.isEmpty {
        parts.append("on \(job.assignedHosts.joined(separator: ", "))")
      }
      let end = end ?? job.startTime + job.walltime
      parts.append("until \(LocalDate(end, in: zone).text) at the latest")
    } else if let start = job.scheduledStart, !job.state.isFinal {
      parts.append("planned \(LocalDate(start, in: zone).text)")
    }
    return parts.joined(separator: "  ")
  }

  private static func remaining(_ explanation: Explanation, _ listed: [JobRecord]) -> String {
    let known = Set(listed.map(\.id))
    let rest = explanation.blockers.filter { !known.contains($0) }
    let shown = rest.prefix(listedBlockers).map(String.init).joined(separator: ", ")
    return shown + (rest.count > listedBlockers ? ", …" : "")
  }

  /// How far away an instant is, such as `in 4 min 33 s`.
  static func distance(_ seconds: Seconds) -> String {
    seconds > 0 ? "in \(lengthText(seconds))" : "now"
  }
}
