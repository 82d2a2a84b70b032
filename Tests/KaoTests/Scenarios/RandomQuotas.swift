// Random quotas: rules over the whole grammar, and calendars whose periods last some minutes, so that
// plans of some minutes cross them.

import ClusterModel
import Encoding
import Kamelot

/// Quotas as they were drawn: the text of their document, and what it means.
struct RandomQuotas {
  struct Rule {
    var fields: [String]
    /// As the document has it.
    var name: String
    /// As the document has them.
    var values: [String]
    var limits: QuotaLimits
  }

  struct RuleSet {
    var name: String
    var rules: [Rule]
  }

  /// Of the day that clocks on the wall show.
  struct Period {
    var text: String
    var rules: String
    var time: Range<Seconds>
    /// From Monday = 0.
    var weekdays: Set<Int>
  }

  struct OneShot {
    var texts: [String]
    var rules: String
    var span: Range<Instant>
  }

  private(set) var sets: [RuleSet] = []
  private(set) var periods: [Period] = []
  private(set) var fallback: String?
  private(set) var oneShots: [OneShot] = []
  private(set) var jobTypes: [String] = []
  /// How far clocks on the wall are ahead of UTC.
  private(set) var utcOffset: Seconds = 0
  private(set) var windowLimit = Quotas.standardWindowLimit
  private let allResources: Int
  private let now: Instant
  private var dice: Dice

  init(seed: UInt64, allResources: Int, now: Instant) {
    self.allResources = allResources
    self.now = now
    dice = Dice(seed: seed, for: "quotas")
    drawRules(named: "quotas", upTo: 4)
    if dice.chance(50) { drawCalendar() }
    if dice.chance(30) { jobTypes = [dice.one(of: ["idempotent", "inner", "ghost"])] }
  }

  /// Gives jobs the projects and types that rules are about.
  mutating func name(_ snapshot: inout Snapshot) {
    for index in snapshot.waiting.indices {
      snapshot.waiting[index].project = dice.one(of: ["p1", "p2"])
      if dice.chance(30) { snapshot.waiting[index].user = dice.one(of: ["alice", "bob", "carol"]) }
      drawTypes(of: &snapshot.waiting[index].types)
    }
    for index in snapshot.holding.indices {
      snapshot.holding[index].project = dice.one(of: ["p1", "p2"])
      drawTypes(of: &snapshot.holding[index].types)
    }
  }

  private mutating func drawTypes(of types: inout [String]) {
    if dice.chance(25) { types.insert("idempotent", at: dice.number(0...types.count)) }
    if dice.chance(15) { types.insert("deploy", at: dice.number(0...types.count)) }
    if dice.chance(5) { types.insert("no_quotas", at: dice.number(0...types.count)) }
  }
}

// Rules.
extension RandomQuotas {
  private mutating func drawRules(named name: String, upTo limit: Int) {
    var rules: [Rule] = []
    for _ in 0..<dice.number(1...limit) {
      let rule = drawRule()
      let isNew = !rules.contains { $0.fields == rule.fields }
      if isNew { rules.append(rule) }
    }
    sets.append(RuleSet(name: name, rules: rules))
  }

  private mutating func drawRule() -> Rule {
    let fields = [
      dice.one(of: ["*", "*", "*", "*", "*", "*", "/", "default", "admin", "besteffort"]),
      dice.one(of: ["*", "*", "*", "/", "p1", "p2"]),
      dice.chance(75)
        ? "*" : dice.one(of: ["idempotent", "deploy", "inner", "noop", "timesharing"]),
      dice.one(of: ["*", "*", "/", "/", "alice", "bob"]),
    ]
    let (resources, jobs, hours) = (drawCount(5), drawCount(2), drawHours())
    return Rule(
      fields: fields, name: fields.joined(separator: dice.chance(10) ? " , " : ","),
      values: [resources.text, jobs.text, hours.text],
      limits: QuotaLimits(
        resources: resources.value, jobs: jobs.value, resourceSeconds: hours.value))
  }

  private mutating func drawCount(_ most: Int) -> (text: String, value: Int?) {
    switch dice.number(1...100) {
    case 1...30: return ("-1", nil)
    case 31...34: return ("\"ALL\"", allResources)
    case 35...42: return ("\"0.5*ALL\"", allResources / 2)
    case 43...50:
      let number = dice.number(1...most)
      return ("\"\(number).9\"", number)
    default:
      let number = dice.chance(5) ? 0 : dice.number(1...most)
      return ("\(number)", number)
    }
  }

  private mutating func drawHours() -> (text: String, value: Int?) {
    switch dice.number(1...100) {
    case 1...55: return ("-1", nil)
    case 56...60: return ("\"0.02*ALL\"", allResources * 72)
    case 61...62: return ("1", 3600)
    default:
      // Hundredths of an hour.
      let number = dice.number(1...20)
      return ("\"0.\(number / 10)\(number % 10)\"", number * 36)
    }
  }
}

// Calendars.
extension RandomQuotas {
  private mutating func drawCalendar() {
    // Sometimes midnight comes soon.
    utcOffset = dice.one(of: [0, 3600, -600, 17, 86_400 - 1150, 86_400 - 1300])
    windowLimit = dice.one(of: [100, 300, 1000, 90_000, 200_000])
    drawRules(named: "tight", upTo: 3)
    drawRules(named: "wide", upTo: 3)
    let names = sets.map(\.name)
    if dice.chance(70) {
      for _ in 1...dice.number(1...3) { drawPeriod(names) }
      if dice.chance(40) { fallback = dice.one(of: names) }
    }
    while periods.isEmpty && oneShots.isEmpty || dice.chance(40), oneShots.count < 3 {
      drawOneShot(names)
    }
  }

  private mutating func drawPeriod(_ names: [String]) {
    let nowMinute = (now + utcOffset) % 86_400 / 60
    let start = (nowMinute + dice.number(-3...9) + 1440) % 1440
    let end = start + dice.number(1...6)
    var period = Period(
      text: "\(clock(start))-\(clock(end % 1440))", rules: dice.one(of: names),
      time: start * 60..<end * 60, weekdays: Set(0..<7))
    if dice.chance(10) || end > 1440 {
      period.text = "*"
      period.time = 0..<86_400
    }
    // Both are the day of the scenario, a Thursday, and the night after it.
    let (text, days) = dice.one(of: [
      ("*", Set(0..<7)), ("*", Set(0..<7)), ("thu", [3]), ("fri", [4]), ("thu-fri", [3, 4]),
      ("sat-thu", [5, 6, 0, 1, 2, 3]), ("wed,fri", [2, 4]),
    ])
    period.text += " \(text) * *"
    period.weekdays = days
    periods.append(period)
  }

  private mutating func drawOneShot(_ names: [String]) {
    let nowMinute = (now + utcOffset) / 60
    let start = nowMinute + dice.number(-4...8)
    let end = start + dice.number(1...6)
    oneShots.append(
      OneShot(
        texts: [date(start), date(end)], rules: dice.one(of: names),
        span: start * 60 - utcOffset..<end * 60 - utcOffset))
  }

  private func clock(_ minute: Int) -> String {
    "\(minute / 600)\(minute / 60 % 10):\(minute % 60 / 10)\(minute % 10)"
  }

  private func date(_ minute: Int) -> String {
    "1970-01-0\(minute / 1440 + 1) \(clock(minute % 1440))"
  }

  /// The name of the rules that hold at an instant.
  func rules(at instant: Instant) -> String {
    if let shot = oneShots.first(where: { $0.span.contains(instant) }) { return shot.rules }
    let local = instant + utcOffset
    // 1 January 1970 was a Thursday.
    let weekday = (local / 86_400 + 3) % 7
    let period = periods.first {
      $0.weekdays.contains(weekday) && $0.time.contains(local % 86_400)
    }
    return period?.rules ?? fallback ?? "quotas"
  }
}

// The document.
extension RandomQuotas {
  /// - Parameters:
  ///   - isReversed: whether all that has no order comes in another order.
  ///   - more: rules that every set has first.
  func document(isReversed: Bool = false, with more: String = "") -> String {
    func rules(_ set: RuleSet) -> String {
      let rules = set.rules.map { rule in
        "\"\(rule.name)\": [\(rule.values.joined(separator: ", "))]"
      }
      let list = (more.isEmpty ? [] : [more]) + (isReversed ? rules.reversed() : rules)
      return "\"\(set.name)\": {\(list.joined(separator: ", "))}"
    }
    var members = sets.map(rules)
    if !jobTypes.isEmpty {
      members.append("\"job_types\": [\(jobTypes.map { "\"\($0)\"" }.joined(separator: ", "))]")
    }
    var lines = periods.map { "[\"\($0.text)\", \"\($0.rules)\", \"drawn\"]" }
    if let fallback {
      let line = "[\"default\", \"\(fallback)\", \"the rest\"]"
      lines.insert(line, at: isReversed ? 0 : lines.count)
    }
    if !lines.isEmpty { members.append("\"periodical\": [\(lines.joined(separator: ", "))]") }
    let shots = oneShots.map { shot in
      "[\"\(shot.texts[0])\", \"\(shot.texts[1])\", \"\(shot.rules)\", \"drawn\"]"
    }
    if !shots.isEmpty { members.append("\"oneshot\": [\(shots.joined(separator: ", "))]") }
    if isReversed { members.reverse() }
    return "{\(members.joined(separator: ",\n"))}"
  }

  /// The quotas as planning wants them; `nil` if the document can't be read.
  func quotas(isReversed: Bool = false, with more: String = "") -> Quotas? {
    let text = document(isReversed: isReversed, with: more)
    guard let document = try? JSONReader.read(text) else { return nil }
    return try? Quotas(
      document, allResources: allResources, clock: LocalClock(utcOffset: utcOffset),
      windowLimit: windowLimit)
  }
}
