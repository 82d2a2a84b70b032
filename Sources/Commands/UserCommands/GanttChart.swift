// Draws a plan as text: a line for each resource, time from left to right, a bar for each job.

import ClusterModel
import CommandLine
import Wire

/// The layout of a drawn plan.
struct GanttChart {
  /// Columns of the terminal.
  var width = 80
  /// Whether bars are coloured; their meaning never depends on it.
  var isColored = false
  /// The time to draw; `nil` for now until the plan's end.
  var window: Range<Instant>?
  var zone = DateZone.local
  /// Lines beyond this number are folded: equal resources of a host share one, idle ones are left out.
  var rowLimit = 48

  /// A chart is never narrower, whatever the terminal says.
  static let minimumWidth = 40
  /// Nor wider: more columns are hard to read and make output long.
  static let maximumWidth = 400
  /// How much is shown when there is no job.
  static let emptySpan = 3600

  /// The chart and its legend, each line at most as wide as the terminal.
  func text(_ bars: [GanttBar], on records: [ResourceRecord], now: Instant) -> String {
    let resources = records.map(\.resource)
    let width = min(max(self.width, Self.minimumWidth), Self.maximumWidth)
    let idWidth = resources.map { String($0.id).count }.max() ?? 1
    let hostWidth = min(resources.map(\.networkAddress.count).max() ?? 0, width / 4)
    let time = window ?? now..<(now + Self.span(of: bars, now: now))
    // Folded rows are named by ranges; room for them is kept where folding may happen.
    let labelWidth = resources.count > rowLimit ? idWidth * 2 + 1 : idWidth
    let scale = GanttScale(
      from: time.lowerBound, span: time.upperBound - time.lowerBound,
      columns: width - hostWidth - labelWidth - 3, zone: zone)
    let keys = GanttKeys(bars.filter { !scale.cells($0).isEmpty })
    var rows = GanttRows(resources, bars: bars, keys: keys, scale: scale, now: now)
    rows.fold(to: rowLimit)

    var lines = [title(resources, scale: scale, now: now, width: width), ""]
    let margin = String(repeating: " ", count: hostWidth + labelWidth + 2)
    lines += axis(scale, now: now).map { margin + $0 }
    lines += rows.lines(hostWidth: hostWidth, labelWidth: labelWidth, isColored: isColored)
    lines.append("")
    lines += keys.legend(scale: scale, now: now, width: width, isColored: isColored)
    return lines.map { $0 + "\n" }.joined()
  }

  /// Seconds from now to the end of the plan, cut where one long job would squeeze all starts.
  private static func span(of bars: [GanttBar], now: Instant) -> Seconds {
    let ends = bars.map { $0.end - now }
    let starts = bars.map { $0.start - now }.filter { $0 > 0 }
    guard let end = ends.max(), end > 0 else { return emptySpan }
    guard let lastStart = starts.max() else { return end }
    let shortest = bars.filter { $0.start - now == lastStart }.map { $0.end - $0.start }.min() ?? 0
    return min(end, lastStart + max(60, min(shortest, lastStart)))
  }

  private func title(
    _ resources: [Resource], scale: GanttScale, now: Instant, width: Int
  ) -> String {
    let hosts = Set(resources.map(\.networkAddress).filter { !$0.isEmpty }).count
    let date = LocalDate(now, in: zone).text
    let long =
      "Plan at \(date): \(counted(resources.count, "resource")) on \(counted(hosts, "host")), "
      + "one column is \(lengthText(scale.secondsPerColumn))"
    return long.count <= width ? long : String("Plan at \(date)".prefix(width))
  }

  private func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }

  /// The clock labels and the line under them.
  private func axis(_ scale: GanttScale, now: Instant) -> [String] {
    var labels = [Character](repeating: " ", count: scale.columns)
    var line = [Character](repeating: "─", count: scale.columns)
    var free = 0
    for (column, label) in scale.ticks {
      line[column] = "┬"
      let start = max(0, column - label.count / 2)
      guard start >= free, start + label.count <= scale.columns else { continue }
      for (index, character) in label.enumerated() { labels[start + index] = character }
      free = start + label.count + 1
    }
    let present = scale.edge(of: now)
    if present > 0, present < scale.columns { line[present] = "▼" }
    while labels.last == " " { labels.removeLast() }
    return [String([" "] + labels), String(["┌"] + line)]
  }
}
