// The letters that stand for jobs in the Gantt chart, and the legend that explains them.

import ClusterModel
import CommandLine
import Wire

/// The jobs of a chart in order of their starts, each with a letter or digit.
struct GanttKeys {
  private let bars: [GanttBar]
  private let indices: [JobID: Int]

  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

  init(_ bars: [GanttBar]) {
    self.bars = bars.sorted { ($0.start, $0.job) < ($1.start, $1.job) }
    var indices: [JobID: Int] = [:]
    for (index, bar) in self.bars.enumerated() where indices[bar.job] == nil {
      indices[bar.job] = index
    }
    self.indices = indices
  }

  /// The place of a job.
  func index(of job: JobID) -> Int { indices[job] ?? Self.letters.count }

  /// What stands at the beginning of its bars; a star when the letters are used up.
  func letter(_ index: Int) -> Character {
    index < Self.letters.count ? Self.letters[index] : "*"
  }

  static let resetColor = "\u{1B}[0m"

  /// The escape sequence of a job's colour; neighbours in the legend differ.
  static func color(_ index: Int) -> String {
    let codes = [32, 34, 33, 35, 36, 31, 92, 94, 93, 95, 96, 91]
    return "\u{1B}[\(codes[index % codes.count])m"
  }

  /// The lines that name the jobs and the signs, in as many columns as fit.
  func legend(scale: GanttScale, now: Instant, width: Int, isColored: Bool) -> [String] {
    guard !bars.isEmpty else {
      return ["No job runs or is planned in this time.", "", signs(width)]
    }
    let listed = bars.prefix(Self.letters.count)
    let idWidth = listed.map { String($0.job).count }.max() ?? 1
    let userWidth = min(listed.map(\.user.count).max() ?? 1, 16)
    let entries = listed.map { bar in
      var bytes: [UInt8] = []
      bytes.append(left: String(bar.job), width: idWidth)
      bytes.append(text: " ")
      bytes.append(left: bar.user, width: userWidth)
      bytes.append(text: " \(when(bar, scale: scale, now: now))")
      return String(decoding: bytes, as: UTF8.self)
    }
    let entryWidth = (entries.map(\.count).max() ?? 0) + 2
    let columns = max(1, (width + 3) / (entryWidth + 3))
    var lines: [String] = []
    for start in stride(from: 0, to: entries.count, by: columns) {
      let row = start..<min(start + columns, entries.count)
      lines.append(
        row.map { index in
          let key = String(letter(index))
          let shown = isColored ? Self.color(index) + key + Self.resetColor : key
          let isLast = index == row.upperBound - 1
          let gap = isLast ? 0 : entryWidth - 2 - entries[index].count + 3
          return "\(shown) \(entries[index])" + String(repeating: " ", count: gap)
        }.joined())
    }
    if bars.count > listed.count { lines.append("* \(bars.count - listed.count) more jobs") }
    return lines + ["", signs(width)]
  }

  /// What the signs mean, as many as fit.
  private func signs(_ width: Int) -> String {
    let signs = [
      "█ runs", "▒ planned", "· free", "─ not available", "▶ goes on", "×n on n resources",
    ]
    var line = ""
    for sign in signs where line.count + 2 + sign.count <= width {
      line += (line.isEmpty ? "" : "  ") + sign
    }
    return line
  }

  /// When a bar's job runs: until when if it does, from when to when if it will.
  private func when(_ bar: GanttBar, scale: GanttScale, now: Instant) -> String {
    let end = scale.clock(bar.end, now: now)
    let place = "×\(bar.resources.count)"
    switch bar.state {
    case .running: return "\(place) until \(end)"
    case .waiting: return "\(place) \(scale.clock(bar.start, now: now))–\(end)"
    default: return "\(place) \(scale.clock(bar.start, now: now))–\(end) \(bar.state.rawValue)"
    }
  }
}
