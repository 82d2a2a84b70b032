// The time axis of the Gantt chart: which column an instant is in, and where clock labels stand.

import ClusterModel
import CommandLine
import Wire

/// A stretch of time cut into columns of equal length.
struct GanttScale {
  let from: Instant
  let columns: Int
  let secondsPerColumn: Seconds
  let zone: DateZone

  /// The finest scale on which `span` fits into the columns.
  init(from: Instant, span: Seconds, columns: Int, zone: DateZone) {
    self.from = from
    self.columns = columns
    secondsPerColumn = max(1, (max(1, span) + columns - 1) / columns)
    self.zone = zone
  }

  /// The first instant after the last column.
  var to: Instant { from + columns * secondsPerColumn }

  /// The column whose left edge is nearest to an instant; may lie outside `0..<columns`.
  func edge(of instant: Instant) -> Int {
    let distance = instant - from
    let rounded = distance.magnitude + UInt(secondsPerColumn / 2)
    let edge = Int(rounded / UInt(secondsPerColumn))
    return distance < 0 ? -edge : edge
  }

  /// The columns of a bar: at least one, so that no job is invisible; empty outside the chart.
  func cells(_ bar: GanttBar) -> Range<Int> {
    guard bar.end > from, bar.start < to else { return 0..<0 }
    let first = min(max(0, edge(of: bar.start)), columns - 1)
    return first..<min(columns, max(first + 1, edge(of: bar.end)))
  }

  /// Steps between labels that people count in.
  private static let steps = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000,
  ]

  /// The step that leaves room for the labels.
  private var step: Seconds {
    Self.steps.first { $0 / secondsPerColumn >= Self.labelWidth(step: $0) + 4 }
      ?? secondsPerColumn * columns
  }

  private static func labelWidth(step: Seconds) -> Int { step < 60 ? 8 : 5 }

  /// The columns with a label, and the labels.
  var ticks: [(column: Int, label: String)] {
    let step = step
    let offset = LocalDate(from, in: zone).offset
    var instant = (from + offset + step - 1) / step * step - offset
    var ticks: [(Int, String)] = []
    while instant < to {
      let column = edge(of: instant)
      if column < columns { ticks.append((column, label(instant, step: step))) }
      instant += step
    }
    return ticks
  }

  private func label(_ instant: Instant, step: Seconds) -> String {
    let date = LocalDate(instant, in: zone)
    if step < 60 { return date.clockText }
    if date.hour == 0, date.minute == 0 { return String(date.dayText.dropFirst(5)) }
    return date.minuteText
  }

  /// The time of day as precise as the scale, with the day if it is not today.
  func clock(_ instant: Instant, now: Instant) -> String {
    let date = LocalDate(instant, in: zone)
    let time = secondsPerColumn < 60 ? date.clockText : date.minuteText
    let isToday = date.dayText == LocalDate(now, in: zone).dayText
    return isToday ? time : "\(date.dayText.dropFirst(5)) \(time)"
  }
}
