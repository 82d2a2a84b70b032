// The lines of the Gantt chart: what each resource does in each column.

import ClusterModel
import CommandLine
import Wire

/// What is drawn in one column of a line.
enum GanttCell: Hashable {
  case free
  /// The resource can't run jobs; the text is written into the line.
  case closed(Character)
  /// A job by its place in the legend.
  case job(Int, GanttMark)
}

/// Which part of a bar a cell is.
enum GanttMark: Hashable {
  case first
  case running
  case planned
  case goesOn
}

/// The lines of the chart, one for each resource until they are folded.
struct GanttRows {
  private struct Row {
    var host: String
    var ids: [ResourceID]
    var cells: [GanttCell]
    var isIdle: Bool
  }

  private var rows: [Row]
  private let keys: GanttKeys
  private var hiddenRows = 0

  init(
    _ resources: [Resource], bars: [GanttBar], keys: GanttKeys, scale: GanttScale, now: Instant
  ) {
    var barsOfResource: [ResourceID: [GanttBar]] = [:]
    for bar in bars {
      for id in bar.resources { barsOfResource[id, default: []].append(bar) }
    }
    var order: [String: Int] = [:]
    for resource in resources where order[resource.networkAddress] == nil {
      order[resource.networkAddress] = order.count
    }
    self.keys = keys
    rows = resources.sorted {
      let (a, b) = (order[$0.networkAddress] ?? 0, order[$1.networkAddress] ?? 0)
      return a == b ? $0.id < $1.id : a < b
    }.map { resource in
      let bars = (barsOfResource[resource.id] ?? []).sorted { $0.start < $1.start }
      var cells = Self.background(resource, columns: scale.columns, now: now)
      for (index, bar) in bars.enumerated() {
        let next = index + 1 < bars.count ? bars[index + 1] : nil
        let key = keys.index(of: bar.job)
        Self.draw(bar, before: next, key: key, scale: scale, on: &cells)
      }
      return Row(
        host: resource.networkAddress, ids: [resource.id], cells: cells,
        isIdle: cells.allSatisfy { $0 == .free })
    }
  }

  private static func background(
    _ resource: Resource, columns: Int, now: Instant
  ) -> [GanttCell] {
    guard resource.state != .alive else { return [GanttCell](repeating: .free, count: columns) }
    let name = resource.isStandby(at: now) ? "Standby" : resource.state.rawValue
    let text = "── \(name) "
    return (0..<columns).map { column in
      let index = text.index(text.startIndex, offsetBy: column, limitedBy: text.endIndex)
      return .closed(index.flatMap { $0 < text.endIndex ? text[$0] : nil } ?? "─")
    }
  }

  /// A pause before the next bar that is shorter than a column is not drawn.
  private static func draw(
    _ bar: GanttBar, before next: GanttBar?, key: Int, scale: GanttScale,
    on cells: inout [GanttCell]
  ) {
    var range = scale.cells(bar)
    if !range.isEmpty, let next, (0..<scale.secondsPerColumn).contains(next.start - bar.end) {
      let start = min(scale.edge(of: next.start), scale.columns)
      if start > range.upperBound { range = range.lowerBound..<start }
    }
    let isRunning = bar.state.holdsResources || bar.state.isFinal
    for column in range { cells[column] = .job(key, isRunning ? .running : .planned) }
    if range.count > 1, bar.end > scale.to { cells[range.upperBound - 1] = .job(key, .goesOn) }
    if let first = range.first { cells[first] = .job(key, .first) }
  }

  /// Brings the number of lines down to a limit as far as nothing that happens gets lost: first
  /// equal resources of a host share a line, then idle lines go, and only then the last ones.
  mutating func fold(to limit: Int) {
    guard rows.count > limit else { return }
    var folded: [Row] = []
    var places: [String: [[GanttCell]: Int]] = [:]
    for row in rows {
      if let place = places[row.host]?[row.cells] {
        folded[place].ids += row.ids
      } else {
        places[row.host, default: [:]][row.cells] = folded.count
        folded.append(row)
      }
    }
    if folded.count > limit {
      let busy = folded.filter { !$0.isIdle }
      hiddenRows = folded.count - busy.count
      folded = busy
    }
    if folded.count > limit {
      hiddenRows += folded.count - limit
      folded = Array(folded.prefix(limit))
    }
    rows = folded
  }

  /// The lines with their labels.
  func lines(hostWidth: Int, labelWidth: Int, isColored: Bool) -> [String] {
    var lines: [String] = []
    var host: String?
    for row in rows {
      let name = row.host == host ? "" : row.host
      host = row.host
      var bytes: [UInt8] = []
      bytes.append(left: name, width: hostWidth)
      bytes.append(UInt8(ascii: " "))
      bytes.append(right: label(row.ids, width: labelWidth), width: labelWidth)
      bytes.append(text: " │")
      lines.append(
        String(decoding: bytes, as: UTF8.self) + text(of: row.cells, isColored: isColored))
    }
    if hiddenRows > 0 {
      lines.append("… \(hiddenRows) more lines, idle ones first, are not drawn")
    }
    return lines
  }

  private func label(_ ids: [ResourceID], width: Int) -> String {
    guard let first = ids.first, let last = ids.last, ids.count > 1 else {
      return ids.first.map(String.init) ?? ""
    }
    let isRange = last - first == ids.count - 1
    let text = isRange ? "\(first)-\(last)" : "\(first)+\(ids.count - 1)"
    return text.count <= width ? text : "\(first)+"
  }

  private func text(of cells: [GanttCell], isColored: Bool) -> String {
    var text = ""
    var painted: Int?
    for cell in cells {
      var key: Int?
      if case .job(let job, _) = cell { key = job }
      if isColored, key != painted {
        text += (painted == nil ? "" : GanttKeys.resetColor) + (key.map(GanttKeys.color) ?? "")
        painted = key
      }
      text.append(character(of: cell))
    }
    return text + (painted == nil ? "" : GanttKeys.resetColor)
  }

  private func character(of cell: GanttCell) -> Character {
    switch cell {
    case .free: "·"
    case .closed(let character): character
    case .job(let key, .first): keys.letter(key)
    case .job(_, .running): "█"
    case .job(_, .planned): "▒"
    case .job(_, .goesOn): "▶"
    }
  }
}
