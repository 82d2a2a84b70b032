// What was found out about an OAR 2 site: a finding for each thing that was looked at, and what each step
// towards Liburna would change there.

/// A part of Liburna that an OAR 2 site can take on its own.
public enum SitePart: String, Hashable, Sendable, CaseIterable {
  /// The scheduler of a queue.
  case kamelot
  /// The metascheduler.
  case kao
  /// liburnad in the place of Almighty.
  case server
}

/// Something that was looked at.
public struct SiteFinding: Hashable, Sendable {
  public enum State: String, Hashable, Sendable, CaseIterable {
    case ok
    /// It works, but somebody should know.
    case note
    /// The parts concerned can't be taken.
    case problem
  }

  /// What was looked at, in a few words.
  public var subject: String
  public var state: State
  /// What was found.
  public var fact: String
  /// What to do about it; `nil` if there is nothing to do.
  public var remedy: String?
  /// The parts to which it matters.
  public var parts: Set<SitePart>

  init(
    _ subject: String, _ state: State, _ fact: String, remedy: String? = nil,
    for parts: Set<SitePart> = Set(SitePart.allCases)
  ) {
    self.subject = subject
    self.state = state
    self.fact = fact
    self.remedy = remedy
    self.parts = parts
  }
}

/// Findings about one thing.
public struct SiteSection: Hashable, Sendable {
  public var title: String
  public var findings: [SiteFinding]
}

/// What taking a part would change.
public struct SiteStep: Hashable, Sendable {
  public var part: SitePart
  /// Files, links, variables, rows, tables, services: a line each.
  public var changes: [String]
  /// Lines for a shell of root's on the server.
  public var commands: [String]
  /// The way back.
  public var back: [String]
}

/// Everything that was found.
public struct SiteReport: Hashable, Sendable {
  public var sections: [SiteSection]
  public var steps: [SiteStep]

  /// The problems of a part.
  public func problems(of part: SitePart) -> [SiteFinding] {
    sections.flatMap(\.findings).filter { $0.state == .problem && $0.parts.contains(part) }
  }

  /// The same for some parts alone.
  public func restricted(to parts: [SitePart]) -> SiteReport {
    let kept = sections.map { section in
      SiteSection(
        title: section.title,
        findings: section.findings.filter { !$0.parts.isDisjoint(with: parts) })
    }
    return SiteReport(
      sections: kept.filter { !$0.findings.isEmpty },
      steps: steps.filter { parts.contains($0.part) })
  }

  /// Whether every part of the report can be taken.
  public var isPossible: Bool { steps.allSatisfy { problems(of: $0.part).isEmpty } }
}
