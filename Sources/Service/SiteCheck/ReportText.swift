// A report for people, and as JSON.

import Encoding

extension SiteReport {
  /// For people. A part that a finding concerns alone stands behind it.
  func text(isColoured: Bool) -> String {
    let width = sections.flatMap(\.findings).map(\.subject.count).filter { $0 <= 24 }.max() ?? 0
    let parts = Set(steps.map(\.part))
    let findings = sections.map { section in
      section.title + "\n"
        + section.findings.map { line($0, width, parts, isColoured) }.joined()
    }
    return (findings + steps.map { text(of: $0, isColoured) }).joined(separator: "\n")
  }

  private func line(
    _ finding: SiteFinding, _ width: Int, _ parts: Set<SitePart>, _ isColoured: Bool
  ) -> String {
    let concerned = SitePart.allCases.filter { finding.parts.contains($0) && parts.contains($0) }
    let whom =
      concerned.count == parts.count || finding.state == .ok
      ? "" : " (\(concerned.map(\.rawValue).joined(separator: ", ")))"
    let state = Self.paint(Self.column(finding.state.rawValue, 7), finding.state, isColoured)
    var text = "  \(state)  \(Self.column(finding.subject, width))  \(finding.fact)\(whom)\n"
    if let remedy = finding.remedy, finding.state != .ok {
      text += "  \(Self.column("", 7 + 2 + width))  -> \(remedy)\n"
    }
    return text
  }

  private func text(of step: SiteStep, _ isColoured: Bool) -> String {
    let problems = problems(of: step.part)
    let verdict =
      problems.isEmpty
      ? Self.paint("can be taken", .ok, isColoured)
      : Self.paint(
        "can't be taken: \(problems.count) problem\(problems.count == 1 ? "" : "s")", .problem,
        isColoured)
    let name = step.part == .server ? "server (liburnad in Almighty's place)" : step.part.rawValue
    var text = "\(name): \(verdict)\n"
    for change in step.changes { text += "  changes  \(change)\n" }
    for command in step.commands { text += "  do       \(command)\n" }
    for command in step.back { text += "  back     \(command)\n" }
    return text
  }

  private static func column(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func paint(
    _ text: String, _ state: SiteFinding.State, _ isColoured: Bool
  ) -> String {
    let colour =
      switch state {
      case .ok: 2
      case .note: 3
      case .problem: 1
      }
    return isColoured ? "\u{1b}[3\(colour)m\(text)\u{1b}[0m" : text
  }

  /// As JSON.
  var document: JSONValue {
    .fields([
      "works": .bool(isPossible),
      "sections": .array(
        sections.map { section in
          .fields([
            "title": .string(section.title), "findings": .array(section.findings.map(Self.object)),
          ])
        }),
      "steps": .array(
        steps.map { step in
          .fields([
            "part": .string(step.part.rawValue), "works": .bool(problems(of: step.part).isEmpty),
            "changes": Self.texts(step.changes), "commands": Self.texts(step.commands),
            "back": Self.texts(step.back),
          ])
        }),
    ])
  }

  private static func object(_ finding: SiteFinding) -> JSONValue {
    .fields([
      "subject": .string(finding.subject), "state": .string(finding.state.rawValue),
      "fact": .string(finding.fact), "remedy": finding.remedy.map { .string($0) } ?? .null,
      "parts": texts(SitePart.allCases.filter(finding.parts.contains).map(\.rawValue)),
    ])
  }

  private static func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
}
