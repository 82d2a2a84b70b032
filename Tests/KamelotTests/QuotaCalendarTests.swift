// Which rules hold when.

import ClusterModel
import Encoding
import Kamelot
import RequestLanguage
import Testing

/// The stretches from an instant on: how long, and the name of the rules.
private func stretches(_ quotas: Quotas, from: Instant, to: Instant) -> [String] {
  var result: [String] = []
  var start = from
  while start < to {
    let (rules, until) = quotas.rules(at: start)
    result.append("\(min(until, to) - start) \(quotas.ruleSets[rules].name)")
    start = until
  }
  return result
}

private let fullWeek = """
  {
    "periodical": [
      ["08:00-19:00 mon-fri * *", "day", "work"],
      ["00:00-08:00 mon-fri * *", "night", "mornings"], ["19:00-00:00 mon-thu * *", "night", "evenings"],
      ["19:00-00:00 fri * *", "weekend", "from Friday"], ["* sat-sun * *", "weekend", "to Sunday"]],
    "day": {}, "night": {}, "weekend": {}
  }
  """

struct QuotaCalendarTests {
  @Test("inside a period its own rules hold, not those of the next")
  func insidePeriods() throws {
    let quotas = try quotas(halfWeeks + "}")
    let cases: [(Instant, String, Instant)] = [
      (monday, "early", 259_200), (monday + 1, "early", 259_199), (monday + day, "early", 172_800),
      (monday + 3 * day - 1, "early", 1), (monday + 3 * day, "late", 345_600),
      (monday + 4 * day, "late", 259_200), (monday + 7 * day - 1, "late", 1),
      (monday - 1, "late", 1), (monday + 700 * day, "early", 259_200),
    ]
    for (instant, name, left) in cases {
      let (rules, until) = quotas.rules(at: instant)
      #expect(quotas.ruleSets[rules].name == name && until - instant == left, "\(instant - monday)")
    }
  }

  @Test("two weeks are cut at each change of rules")
  func twoWeeks() throws {
    let quotas = try quotas(halfWeeks + "}")
    let cuts = ["259200 early", "345600 late", "259200 early", "345600 late"]
    #expect(stretches(quotas, from: monday, to: monday + 14 * day) == cuts)
    #expect(stretches(quotas, from: monday, to: monday + 14 * day + 1) == cuts + ["1 early"])
    #expect(stretches(quotas, from: monday, to: monday + 3 * day) == ["259200 early"])
  }

  @Test("a span of its own overrides the week, and then the week goes on where it is")
  func oneShot() throws {
    let quotas = try quotas(halfWeeks(oneShot: "open"))
    #expect(quotas.problems.isEmpty)
    #expect(
      stretches(quotas, from: monday, to: monday + 7 * day)
        == ["43200 early", "216000 open", "345600 late"])
    let tuesdayNoon = quotas.rules(at: monday + 36 * hour)
    #expect(quotas.ruleSets[tuesdayNoon.rules].name == "open")
    #expect(tuesdayNoon.until == monday + 36 * hour + 129_600)
  }

  @Test("after a span that ends inside a period that period's rules hold again")
  func oneShotInside() throws {
    let quotas = try quotas(
      halfWeeks + #", "oneshot": [["2027-01-04 12:00", "2027-01-05 12:00", "open"]]}"#)
    #expect(
      stretches(quotas, from: monday, to: monday + 7 * day)
        == ["43200 early", "86400 open", "129600 early", "345600 late"])
  }

  @Test("of spans that overlap the first written holds")
  func overlappingOneShots() throws {
    let quotas = try quotas(
      """
      {"oneshot": [["2027-01-05", "2027-01-06", "a"], ["2027-01-04", "2027-01-09", "b"]],
       "a": {}, "b": {}}
      """)
    #expect(
      stretches(quotas, from: monday - day, to: monday + 6 * day)
        == ["86400 quotas", "86400 b", "86400 a", "259200 b", "86400 quotas"])
    #expect(quotas.rules(at: monday + 6 * day).until == .max)
  }

  @Test("a week of days, nights and a week-end in pieces is whole")
  func wholeWeek() throws {
    let quotas = try quotas(fullWeek)
    #expect(quotas.problems.isEmpty)
    let night = ["46800 night", "39600 day"]
    #expect(
      stretches(quotas, from: monday, to: monday + 7 * day)
        == ["28800 night", "39600 day"] + night + night + night + night + ["190800 weekend"])
  }

  @Test("default fills what is left, and may be all there is")
  func defaults() throws {
    let filled = try quotas(
      """
      {"periodical": [["default", "night"], ["08:00-19:00 mon-fri * *", "day"]], "day": {}, "night": {}}
      """)
    #expect(filled.problems.isEmpty)
    let firstDays = ["28800 night", "39600 day", "46800 night", "39600 day", "18000 night"]
    #expect(stretches(filled, from: monday, to: monday + 2 * day) == firstDays)
    let constant = try quotas(#"{"periodical": [["* * * *", "a"]], "a": {}}"#)
    #expect(constant.rules(at: monday).until == .max && constant.calendar.isTemporal)
    #expect(constant.ruleSets[constant.rules(at: monday).rules].name == "a")
  }

  @Test("where no period holds the rules under quotas do")
  func gaps() throws {
    let quotas = try quotas(
      #"{"quotas": {"*,*,*,*": [1, 1, 1]}, "periodical": [["* tue * *", "a"]], "a": {}}"#)
    #expect(
      stretches(quotas, from: monday, to: monday + 7 * day)
        == ["86400 quotas", "86400 a", "432000 quotas"])
  }

  @Test(
    "lists and ranges of days go round the week; of periods that overlap the first written holds")
  func dayLists() throws {
    let quotas = try quotas(
      """
      {"periodical": [["* sat-mon,Wed * *", "a"], ["12:00-24:00 * * *", "b"], ["default", "c"]],
       "a": {}, "b": {}, "c": {}}
      """)
    #expect(
      stretches(quotas, from: monday, to: monday + 5 * day)
        == ["86400 a", "43200 c", "43200 b", "86400 a", "43200 c", "43200 b", "43200 c", "43200 b"])
    #expect(stretches(quotas, from: monday + 5 * day, to: monday + 8 * day) == ["259200 a"])
  }

  @Test("days of the month and months count")
  func daysOfMonth() throws {
    let quotas = try quotas(
      """
      {"periodical": [["* * 1,15-16 *", "a"], ["* fri 31-1 12-2", "b"], ["default", "c"]],
       "a": {}, "b": {}, "c": {}}
      """)
    let clock = LocalClock()
    for number in 0..<800 {
      let instant = monday + number * day
      let date = try #require(clock.date(at: instant))
      let isFriday = number % 7 == 4
      let isB = isFriday && date.day == 31 && [12, 1, 2].contains(date.month)
      let expected = [1, 15, 16].contains(date.day) ? "a" : isB ? "b" : "c"
      #expect(quotas.ruleSets[quotas.rules(at: instant).rules].name == expected, "\(date.text)")
    }
  }

  @Test("29 February exists where it does")
  func leapDay() throws {
    let quotas = try quotas(
      #"{"periodical": [["* * 29 2", "leap"], ["default", "c"]], "leap": {}, "c": {}}"#)
    let leapDay = try #require(CivilDate(year: 2028, month: 2, day: 29)).secondsSinceEpochInUTC
    #expect(quotas.rules(at: monday).until == leapDay)
    #expect(quotas.rules(at: leapDay).until == leapDay + day)
    let never = try self.quotasOfNever()
    #expect(never.rules(at: monday).until == .max)
  }

  private func quotasOfNever() throws -> Quotas {
    try quotas(#"{"periodical": [["* * 30 2", "never"], ["default", "c"]], "never": {}, "c": {}}"#)
  }

  @Test("periods follow the clock on the wall through its changes")
  func summerTime() throws {
    // Central Europe: clocks go on at 28 March 2027 01:00 UTC and back at 31 October 01:00 UTC.
    let spring = try #require(CivilDate(year: 2027, month: 3, day: 28, hour: 1))
      .secondsSinceEpochInUTC
    let autumn = try #require(CivilDate(year: 2027, month: 10, day: 31, hour: 1))
      .secondsSinceEpochInUTC
    let clock = LocalClock(transitions: [
      .init(from: 0, offset: hour), .init(from: spring, offset: 2 * hour),
      .init(from: autumn, offset: hour),
    ])
    let quotas = try quotas(
      #"{"periodical": [["02:30-08:00 * * *", "a"], ["default", "c"]], "a": {}, "c": {}}"#,
      clock: clock)
    for start in [monday, spring - day, autumn - day] {
      for minute in 0..<3 * 24 * 60 {
        let instant = start + minute * 60
        let date = try #require(clock.date(at: instant))
        let time = date.hour * 60 + date.minute
        let (rules, until) = quotas.rules(at: instant)
        #expect(quotas.ruleSets[rules].name == ((150..<480).contains(time) ? "a" : "c"))
        #expect(until > instant && quotas.rules(at: until - 1).rules == rules)
        #expect(quotas.rules(at: until).rules != rules)
      }
    }
    // 02:30 is skipped in spring: the period begins with the change, at 03:00 of the new time.
    #expect(quotas.rules(at: spring - 1).until == spring)
    // In autumn 02:30 comes twice: half an hour of it, back to the rules before, and again.
    #expect(
      stretches(quotas, from: autumn - hour, to: autumn + 2 * hour)
        == ["1800 c", "1800 a", "1800 c", "5400 a"])
  }

  @Test("spans are dates of the clock on the wall")
  func localOneShot() throws {
    let quotas = try quotas(
      #"{"oneshot": [["2027-01-04 12:00", "2027-01-04 13:00", "a"]], "a": {}}"#,
      clock: LocalClock(utcOffset: 2 * hour))
    #expect(quotas.rules(at: monday).until == monday + 10 * hour)
    #expect(quotas.rules(at: monday + 10 * hour).until == monday + 11 * hour)
  }

  @Test("whatever the calendar, the rules change exactly where they say", arguments: 1...40)
  func randomCalendars(seed: UInt64) throws {
    var random = Lottery(seed: seed)
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    var periods: [(hours: Range<Int>, days: Set<Int>, rules: String)] = []
    for _ in 0..<Int(random.next() % 6) {
      let start = Int(random.next() % 24)
      let end = start + 1 + Int(random.next() % UInt64(24 - start))
      let days = Set((0..<7).filter { _ in random.next() % 2 == 0 } + [Int(random.next() % 7)])
      periods.append((start..<end, days, ["a", "b", "c"][Int(random.next() % 3)]))
    }
    func pad(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let texts = periods.map { period in
      let days = period.days.sorted().map { names[$0] }.joined(separator: ",")
      let (start, end) = (period.hours.lowerBound, period.hours.upperBound)
      return #"["\#(pad(start)):00-\#(pad(end)):00 \#(days) * *", "\#(period.rules)"]"#
    }
    let quotas = try quotas(
      #"{"periodical": [\#(texts.joined(separator: ", "))], "a": {}, "b": {}, "c": {}}"#)
    func expected(_ hour: Int) -> String {
      periods.first { $0.hours.contains(hour % 24) && $0.days.contains(hour / 24 % 7) }?.rules
        ?? "quotas"
    }
    for number in 0..<168 {
      let instant = monday + number * hour + Int(random.next() % 3600)
      let (rules, until) = quotas.rules(at: instant)
      #expect(quotas.ruleSets[rules].name == expected(number))
      let next = (number..<number + 169).first { expected($0) != expected(number) }
      #expect(until == (next.map { monday + $0 * hour } ?? .max))
    }
  }
}

/// Numbers that are the same in every run.
struct Lottery: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
}
