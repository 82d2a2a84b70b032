// Reads the document of a site's quotas; what it can't understand it leaves out and says so.

import ClusterModel
import Encoding

struct QuotaReader {
  let allResources: Int
  let clock: LocalClock
  private(set) var ruleSets: [QuotaRuleSet] = []
  private(set) var jobTypes: [String] = []
  private(set) var periods: [QuotaPeriod] = []
  /// The rules where no period holds.
  private(set) var fallback = 0
  private(set) var oneShots: [QuotaOneShot] = []
  private(set) var problems: [String] = []
  private var hasDefault = false

  /// Bounds of what one document may hold; more is left out.
  static let ruleLimit = 100_000
  static let periodLimit = 256

  init(allResources: Int, clock: LocalClock) {
    self.allResources = allResources
    self.clock = clock
  }

  mutating func read(_ members: [JSONMember]) {
    for name in repeated(members) {
      leaveOut("\"\(name)\"", because: "is written more than once", allowed: "once; the last holds")
    }
    let sections = Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    readJobTypes(sections["job_types"])
    let base = sections["quotas"].map { rules($0, of: "quotas") } ?? []
    ruleSets = [QuotaRuleSet(name: "quotas", rules: base)]
    let own: Set = ["quotas", "job_types", "periodical", "oneshot"]
    for member in members where !own.contains(member.name) {
      guard !ruleSets.contains(where: { $0.name == member.name }) else { continue }
      let rules = rules(sections[member.name] ?? .null, of: member.name)
      ruleSets.append(QuotaRuleSet(name: member.name, rules: rules))
    }
    readPeriods(sections["periodical"])
    readOneShots(sections["oneshot"])
  }

  private mutating func leaveOut(_ what: String, because problem: String, allowed: String) {
    problems.append("\(what) \(problem); allowed: \(allowed)")
  }

  private func repeated(_ members: [JSONMember]) -> [String] {
    var seen: Set<String> = []
    return members.map(\.name).filter { !seen.insert($0).inserted }
  }
}

// Rules.
extension QuotaReader {
  private mutating func readJobTypes(_ value: JSONValue?) {
    guard let value else { return }
    guard let elements = value.array else {
      leaveOut("job_types", because: "is no list", allowed: "[\"deploy\", …]")
      return
    }
    for element in elements {
      if let name = element.string?.trimmed, !name.isEmpty {
        if name != "*" { add(jobType: String(name)) }
      } else {
        leaveOut("job_types: \(element.excerpt)", because: "is no name", allowed: "\"deploy\"")
      }
    }
  }

  private mutating func add(jobType name: String) {
    if !jobTypes.contains(name) { jobTypes.append(name) }
  }

  private mutating func rules(_ value: JSONValue, of name: String) -> [QuotaRule] {
    guard case .object(let members) = value else {
      leaveOut(
        "\"\(name)\"", because: "is no set of rules",
        allowed: "{ \(QuotaRule.forms): [resources, jobs, hours], … }")
      return []
    }
    for repetition in repeated(members) {
      leaveOut(
        "\(name): the rule \"\(repetition)\"", because: "is written more than once",
        allowed: "once; the last holds")
    }
    if members.count > Self.ruleLimit {
      leaveOut(name, because: "has \(members.count) rules", allowed: "\(Self.ruleLimit)")
    }
    return members.prefix(Self.ruleLimit).compactMap { rule($0, of: name) }
  }

  private mutating func rule(_ member: JSONMember, of name: String) -> QuotaRule? {
    let what = "\(name): the rule \"\(member.name)\": \(member.value.excerpt)"
    guard let values = member.value.array, values.count == 3 else {
      leaveOut(what, because: "is left out", allowed: "[resources, jobs, hours]")
      return nil
    }
    let units = [1, 1, 3600]
    let amounts = zip(values, units).map { value, unit in
      QuotaAmount(value, all: allResources, unit: unit)
    }
    guard let resources = amounts[0], let jobs = amounts[1], let hours = amounts[2] else {
      leaveOut(what, because: "is left out", allowed: "three of \(QuotaAmount.forms)")
      return nil
    }
    let limits = QuotaLimits(
      resources: resources.limit, jobs: jobs.limit, resourceSeconds: hours.limit)
    guard let rule = QuotaRule(member.name, limits: limits) else {
      leaveOut(what, because: "is left out", allowed: QuotaRule.forms)
      return nil
    }
    if case .named(let type) = rule.fields[2] { add(jobType: type) }
    return rule
  }
}

// The calendar.
extension QuotaReader {
  private mutating func readPeriods(_ value: JSONValue?) {
    guard let value else { return }
    let allowed = "[ [\(QuotaPeriod.forms), \"rules\", \"description\"], … ]"
    guard let elements = value.array else {
      leaveOut("periodical", because: "is no list", allowed: allowed)
      return
    }
    for element in elements {
      let words = element.array?.compactMap(\.string) ?? []
      guard words.count >= 2, words.count == element.array?.count else {
        leaveOut("periodical: \(element.excerpt)", because: "is left out", allowed: allowed)
        continue
      }
      readPeriod(words[0], rules: words[1])
    }
    if !hasDefault, ruleSets[0].rules.isEmpty, let gap = QuotaCalendar.gap(in: periods) {
      problems.append(
        "periodical: no period holds at \(gap), so nothing is limited then; "
          + "allowed: a \"default\" period, or rules under \"quotas\"")
    }
  }

  private mutating func readPeriod(_ text: String, rules name: String) {
    guard let rules = ruleSet(name, of: "periodical: \"\(text)\"") else { return }
    if text.trimmed == "default" {
      if !hasDefault { fallback = rules }
      hasDefault = true
    } else if let period = QuotaPeriod(text, rules: rules), periods.count < Self.periodLimit {
      periods.append(period)
    } else {
      leaveOut(
        "periodical: \"\(text)\"", because: "is left out",
        allowed: "up to \(Self.periodLimit) of \(QuotaPeriod.forms)")
    }
  }

  private mutating func readOneShots(_ value: JSONValue?) {
    guard let value else { return }
    let allowed =
      "[ [\"YYYY-MM-DD hh:mm\", \"YYYY-MM-DD hh:mm\", \"rules\", \"description\"], … ]"
    guard let elements = value.array else {
      leaveOut("oneshot", because: "is no list", allowed: allowed)
      return
    }
    for element in elements {
      let words = element.array?.compactMap(\.string) ?? []
      guard words.count >= 3, words.count == element.array?.count else {
        leaveOut("oneshot: \(element.excerpt)", because: "is left out", allowed: allowed)
        continue
      }
      let what = "oneshot: \"\(words[0])\" to \"\(words[1])\""
      guard let rules = ruleSet(words[2], of: what) else { continue }
      let shot = QuotaOneShot(from: words[0], to: words[1], rules: rules, clock: clock)
      if let shot, oneShots.count < Self.periodLimit {
        oneShots.append(shot)
      } else {
        leaveOut(
          what, because: "is left out",
          allowed: "up to \(Self.periodLimit) of \(QuotaOneShot.forms)")
      }
    }
  }

  private mutating func ruleSet(_ name: String, of what: String) -> Int? {
    if let index = ruleSets.firstIndex(where: { $0.name == name }) { return index }
    let known = ruleSets.map { "\"\($0.name)\"" }.joined(separator: ", ")
    leaveOut(what, because: "names the rules \"\(name)\", which are not there", allowed: known)
    return nil
  }
}
