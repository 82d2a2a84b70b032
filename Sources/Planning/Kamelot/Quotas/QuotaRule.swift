// One line of quotas: whom it is about, and how much they may have at a time.

/// How much of three things may be in use at any one time.
public struct QuotaLimits: Hashable, Sendable {
  /// `nil` if unlimited, as for the others.
  public var resources: Int?
  public var jobs: Int?
  /// The sum of resources × duration over the jobs that run together, in resource·seconds; the file
  /// says it in resource·hours.
  public var resourceSeconds: Int?

  public init(resources: Int? = nil, jobs: Int? = nil, resourceSeconds: Int? = nil) {
    self.resources = resources
    self.jobs = jobs
    self.resourceSeconds = resourceSeconds
  }

  /// Whether nothing can ever reach a limit.
  var isUnlimited: Bool { resources == nil && jobs == nil && resourceSeconds == nil }
}

/// One field of a rule.
enum QuotaField: Hashable, Sendable {
  /// `*`: all together.
  case all
  /// `/`: each one separately.
  case each
  case named(String)

  init(_ text: Substring) {
    switch text {
    case "*": self = .all
    case "/": self = .each
    default: self = .named(String(text))
    }
  }
}

/// A rule: `"queue,project,type,user": [resources, jobs, resource·hours]`.
public struct QuotaRule: Hashable, Sendable {
  /// As written, such as `*,*,*,/`.
  public let text: String
  /// Queue, project, type, user.
  let fields: [QuotaField]
  public let limits: QuotaLimits

  static let forms =
    "\"queue,project,type,user\", each a name, * (all together) or / (each; no type)"

  /// `nil` if the text has another form than ``forms``.
  init?(_ text: String, limits: QuotaLimits) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
    guard parts.count == 4, parts.allSatisfy({ !$0.isEmpty }), parts[2] != "/" else { return nil }
    self.text = parts.joined(separator: ",")
    fields = parts.map(QuotaField.init)
    self.limits = limits
  }
}

extension StringProtocol {
  /// Without the blanks around it.
  var trimmed: SubSequence {
    let start = drop { $0 == " " || $0 == "\t" }
    let end = start.lastIndex { $0 != " " && $0 != "\t" }
    return end.map { start[...$0] } ?? start
  }
}
