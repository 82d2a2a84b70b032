// The plan drawn as text.

import ClusterModel
import Testing
import Wire

@testable import CommandLine
@testable import UserCommands

@Suite("the plan as text")
struct ShowGanttTests {
  private func bar(
    _ job: JobID, _ user: String, _ state: JobState, _ start: Int, _ end: Int, _ ids: [ResourceID]
  ) -> GanttBar {
    GanttBar(
      job: job, user: user, state: state, start: Recorded.now + start, end: Recorded.now + end,
      resources: ids)
  }

  private var bars: [GanttBar] {
    [
      bar(50, "alice", .running, -36, 1164, [1, 2]), bar(53, "bob", .running, -28, 272, [3, 4]),
      bar(54, "bob", .waiting, 274, 574, [3, 4]), bar(55, "bob", .waiting, 576, 876, [3, 4]),
      bar(52, "alice", .waiting, 1166, 1766, [1, 2, 3, 4]),
      bar(57, "alice", .waiting, 1768, 8968, [1]),
    ]
  }

  private func draw(
    _ bars: [GanttBar], width: Int = 80, on records: [ResourceRecord] = Recorded.records,
    window: Range<Instant>? = nil, isColored: Bool = false, rowLimit: Int = 48
  ) -> String {
    GanttChart(
      width: width, isColored: isColored, window: window, zone: .utc, rowLimit: rowLimit
    ).text(bars, on: records, now: Recorded.now)
  }

  @Test("a plan of six jobs at 60 columns")
  func narrow() {
    #expect(
      draw(bars, width: 60) == """
        Plan at 2026-11-20 12:21:03

                       12:30        12:45       13:00        13:15
                ┌────────┬────────────┬───────────┬────────────┬────
        node1 1 │A████████████████E▒▒▒▒▒▒▒F▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▶
              2 │A████████████████E▒▒▒▒▒▒▒··························
        node2 3 │B███C▒▒▒D▒▒▒▒····E▒▒▒▒▒▒▒··························
              4 │B███C▒▒▒D▒▒▒▒····E▒▒▒▒▒▒▒··························

        A 50 alice ×2 until 12:40   B 53 bob   ×2 until 12:25
        C 54 bob   ×2 12:25–12:30   D 55 bob   ×2 12:30–12:35
        E 52 alice ×4 12:40–12:50   F 57 alice ×1 12:50–14:50

        █ runs  ▒ planned  · free  ─ not available  ▶ goes on

        """)
  }

  @Test("a plan of six jobs at 80 columns")
  func usual() {
    #expect(
      draw(bars) == """
        Plan at 2026-11-20 12:21:03: 4 resources on 2 hosts, one column is 50 s

                          12:30       12:40       12:50       13:00       13:10
                ┌───────────┬───────────┬───────────┬───────────┬───────────┬───────────
        node1 1 │A██████████████████████E▒▒▒▒▒▒▒▒▒▒▒F▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▶
              2 │A██████████████████████E▒▒▒▒▒▒▒▒▒▒▒····································
        node2 3 │B████C▒▒▒▒▒▒D▒▒▒▒▒·····E▒▒▒▒▒▒▒▒▒▒▒····································
              4 │B████C▒▒▒▒▒▒D▒▒▒▒▒·····E▒▒▒▒▒▒▒▒▒▒▒····································

        A 50 alice ×2 until 12:40:27      B 53 bob   ×2 until 12:25:35
        C 54 bob   ×2 12:25:37–12:30:37   D 55 bob   ×2 12:30:39–12:35:39
        E 52 alice ×4 12:40:29–12:50:29   F 57 alice ×1 12:50:31–14:50:31

        █ runs  ▒ planned  · free  ─ not available  ▶ goes on  ×n on n resources

        """)
  }

  @Test("at 120 columns the legend has three columns")
  func wide() {
    let text = draw(bars, width: 120)
    #expect(text.contains("4 resources on 2 hosts, one column is 32 s\n"))
    #expect(
      text.contains(
        "A 50 alice ×2 until 12:40:27      B 53 bob   ×2 until 12:25:35      "
          + "C 54 bob   ×2 12:25:37–12:30:37\n"))
  }

  @Test("no line is wider than the terminal", arguments: [40, 60, 80, 99, 120, 250])
  func fits(width: Int) {
    for line in draw(bars, width: width).split(separator: "\n") {
      #expect(line.count <= width, "\(line)")
    }
  }

  @Test("colours only colour: without them the same text remains")
  func colours() {
    var plain = ""
    var isEscape = false
    let colored = draw(bars, isColored: true)
    for character in colored {
      if character == "\u{1B}" { isEscape = true }
      if !isEscape { plain.append(character) }
      if isEscape, character == "m" { isEscape = false }
    }
    #expect(colored != plain)
    #expect(plain == draw(bars))
  }

  @Test("a job shorter than a column is still seen")
  func shortJob() {
    let text = draw([
      bar(1, "alice", .waiting, 36_000, 72_000, [1]), bar(2, "bob", .running, -1, 1, [2]),
    ])
    #expect(text.contains("2 │A···"))
  }

  @Test("an empty plan says so and shows the resources")
  func emptyPlan() {
    let text = draw([])
    #expect(text.contains("node1 1 │······"))
    #expect(text.contains("No job runs or is planned in this time.\n"))
  }

  @Test("resources that can't run jobs say why")
  func closedResources() {
    var records = Recorded.records
    records[2].resource.state = .dead
    records[3].resource.state = .absent
    let text = draw([bar(50, "alice", .running, -36, 600, [1, 2])], on: records)
    #expect(text.contains("node2 3 │── Dead ─────"))
    #expect(text.contains("      4 │── Standby ─────"))
  }

  @Test("a time that began before now has a mark at now")
  func markOfNow() {
    let window = (Recorded.now - 1800)..<(Recorded.now + 1800)
    let lines = draw(bars, window: window).split(separator: "\n").map(Array.init)
    let column = lines[2].firstIndex(of: "▼")
    #expect(column == lines[2].count / 2 + 4)
    #expect(lines[3][(column ?? 0) - 2] == "·")
    #expect(lines[3][(column ?? 0) + 1] == "█")
  }

  @Test("many resources share lines, and idle ones are left out, before anything that happens is")
  func folding() {
    let records = (1...400).map { id in
      ResourceRecord(
        resource: Recorded.resource(id, host: "node\((id + 3) / 4)", cpuset: "0"), jobs: [])
    }
    let bars = (0..<20).map {
      bar(100 + $0, "alice", .running, -10, 600, [$0 * 4 + 1, $0 * 4 + 2])
    }
    let text = draw(bars, on: records, rowLimit: 40)
    let lines = text.split(separator: "\n")
    #expect(text.contains("node1       1-2 │A"))
    #expect(text.contains("node20    77-78 │T"))
    #expect(text.contains("… 100 more lines, idle ones first, are not drawn"))
    #expect(lines.filter { $0.contains("│") }.count == 20)
    #expect(lines.allSatisfy { $0.count <= 80 })
  }

  @Test("jobs beyond the letters share a star")
  func manyJobs() {
    let bars = (0..<100).map { bar(100 + $0, "alice", .waiting, $0 * 60, $0 * 60 + 60, [1]) }
    let text = draw(bars, width: 200)
    #expect(text.contains("z 151 alice"))
    #expect(text.contains("9 161 alice"))
    #expect(text.contains("* 38 more jobs\n"))
  }

  @Test("a long last job does not squeeze the starts together")
  func longLastJob() {
    let text = draw([
      bar(1, "alice", .running, -5, 600, [1]), bar(2, "bob", .waiting, 600, 1_000_000, [1]),
    ])
    let row = text.split(separator: "\n").first { $0.contains("1 │") }
    let start = row.flatMap { $0.firstIndex(of: "B") }
    #expect(start.map { row?.distance(from: row?.startIndex ?? $0, to: $0) ?? 0 } ?? 0 > 25)
    #expect(row?.last == "▶")
  }

  @Test("oarstat --gantt draws the plan from now on")
  func command() {
    let call = recordedCall(Oarstat.self, ["--gantt"], environment: ["COLUMNS": "70"]) { _ in
      [.gantt(bars, resources: Recorded.records, now: Recorded.now)]
    }
    #expect(call.exitCode == 0)
    #expect(call.output.contains("node2 3 │B"))
    #expect(call.output.split(separator: "\n").allSatisfy { $0.count <= 70 })
    guard case .gantt(_, let to) = call.requests.first else {
      Issue.record("no question about the plan")
      return
    }
    #expect(to == endOfTime)
  }

  @Test(
    "dates that are none are refused",
    arguments: [
      "foo", "2026-11-20 12:20:25", "2026-11-20 12:20:25, x", "2026-02-30, 2026-03-01",
      "2026-11-21, 2026-11-20",
    ])
  func badDates(dates: String) {
    let call = recordedCall(Oarstat.self, ["--gantt", dates])
    #expect(call.exitCode == 1)
    #expect(call.errors == "Bad syntax for --gantt\n")
    #expect(call.requests.isEmpty)
  }
}
