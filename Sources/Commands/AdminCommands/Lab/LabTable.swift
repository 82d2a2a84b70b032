// Tables for readers: the hosts of a lab, and all labs.

import CommandLine
import Lab

enum LabTable {
  /// A lab and its hosts.
  static func text(_ status: LabStatus, isColoured: Bool) -> String {
    let rows = status.hosts.map { host in
      [
        host.name, host.role, host.address, state(of: host),
        host.usage.map { String($0.processes) } ?? "-", host.usage.map { size($0.memory) } ?? "-",
        host.services.map { $0.answers ? $0.name : $0.name + "!" }.joined(separator: " "),
      ]
    }
    var text = "Lab \(status.name): \(status.composition) on \(status.backend.rawValue)"
    text += ", up for \(duration(status.age))"
    text += status.isComplete ? "\n" : ", not started completely\n"
    let head = ["HOST", "ROLE", "ADDRESS", "STATE", "PROCS", "MEMORY", "SERVICES"]
    return text
      + table(head, rows, right: [4, 5]) { row, line in
        LabColour.paint(line, role: status.hosts[row].role, if: isColoured)
      }
  }

  /// Whether a host is up, and what was done to it.
  private static func state(of host: LabStatus.Host) -> String {
    guard host.isUp else { return "down" }
    return (host.isPaused ? "paused" : "up")
      + (host.link == .whole ? "" : ", link \(host.link.description)")
  }

  /// All labs, a line for each.
  static func text(_ labs: [LabStatus]) -> String {
    guard !labs.isEmpty else { return "There is no lab.\n" }
    let rows = labs.map { lab in
      let usages = lab.hosts.compactMap(\.usage)
      return [
        lab.name, lab.composition, lab.backend.rawValue,
        "\(lab.hosts.filter(\.isUp).count)/\(lab.hosts.count)",
        lab.allAnswer ? "answers" : lab.isComplete ? "incomplete" : "starting",
        String(usages.reduce(0) { $0 + $1.processes }), size(usages.reduce(0) { $0 + $1.memory }),
        duration(lab.age),
      ]
    }
    let head = ["LAB", "COMPOSITION", "BACKEND", "UP", "STATE", "PROCS", "MEMORY", "AGE"]
    return table(head, rows, right: [5, 6]) { $1 }
  }

  /// Columns as wide as they must be, two blanks between them. `paint` is given the number of a row
  /// and its first cell.
  static func table(
    _ head: [String], _ rows: [[String]], right: Set<Int> = [],
    paint: (_ row: Int, _ cell: String) -> String = { $1 }
  ) -> String {
    let widths = head.indices.map { column in
      ([head] + rows).map { $0[column].count }.max() ?? 0
    }
    func line(_ cells: [String], _ row: Int?) -> String {
      var text = ""
      for (column, cell) in cells.enumerated() {
        let blanks = String(repeating: " ", count: widths[column] - cell.count)
        let shown = column == 0 ? row.map { paint($0, cell) } ?? cell : cell
        text += (column == 0 ? "" : "  ") + (right.contains(column) ? blanks + shown : shown)
        if !right.contains(column), column + 1 < cells.count { text += blanks }
      }
      return text + "\n"
    }
    return line(head, nil)
      + rows.enumerated().map { line($0.element, $0.offset) }.joined()
  }

  /// Bytes for a reader: 12.3 MB.
  static func size(_ bytes: Int) -> String {
    if bytes < 1_000_000 { return "\((bytes + 500) / 1000) kB" }
    let tenths = (bytes + 50_000) / 100_000
    if tenths < 10_000 { return "\(tenths / 10).\(tenths % 10) MB" }
    return "\(tenths / 10_000).\(tenths / 1000 % 10) GB"
  }

  /// Seconds for a reader, in its two largest units.
  static func duration(_ seconds: Int) -> String {
    switch seconds {
    case ..<60: "\(seconds) s"
    case ..<3600: "\(seconds / 60) min \(seconds % 60) s"
    case ..<86_400: "\(seconds / 3600) h \(seconds / 60 % 60) min"
    default: "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
    }
  }
}
