// What the types of a job mean for its place in the plan.

import ClusterModel
import RequestLanguage

/// The types of a job (`-t`), read once for planning.
public struct JobTraits: Hashable, Sendable {
  public var sharing = Sharing.none
  /// The space that it opens for other jobs.
  public var container: String?
  /// The container in which it runs.
  public var inner: String?
  /// Sleeping hosts will do: it runs nothing there.
  public var acceptsSleeping = false
  /// It starts at this instant or later.
  public var postpone: Instant?
  /// It ends before this instant.
  public var deadline: Instant?
  /// It is given up if it has not started by this instant.
  public var expire: Instant?
  /// Quotas do not count for it.
  public var isWithoutQuotas = false
  /// The plug-in that chooses its resources, or its start as well.
  public var plugin: PluginCall?

  /// A job without types.
  public static let none = JobTraits()

  private init() {}

  /// Reads types as users write them. Names that are not known mean nothing to the plan.
  ///
  /// - Parameter utcOffset: seconds that local time, in which dates are written, is ahead of UTC.
  /// - Throws: ``JobTypeProblem`` for the value of a known type that can't be understood.
  public init(
    types: [String], job: JobID, user: String, name: String, utcOffset: Seconds
  ) throws(JobTypeProblem) {
    for text in types {
      let type: JobType
      do {
        type = try JobType(parsing: text)
      } catch {
        guard error.kind == .unknown else { throw JobTypeProblem("\(error)") }
        try readPlannersOwn(text)
        continue
      }
      try read(type, job: job, user: user, name: name, utcOffset: utcOffset)
    }
  }

  private mutating func read(
    _ type: JobType, job: JobID, user: String, name: String, utcOffset: Seconds
  ) throws(JobTypeProblem) {
    switch type {
    case .deploy(let standby), .cosystem(let standby), .noop(let standby):
      acceptsSleeping = acceptsSleeping || standby
    case .container(let given): container = given ?? String(job)
    case .inner(let container): inner = container
    case .placeholder(let name): sharing.placeholder = name
    case .allowed(let name): sharing.allowed = name
    case .timesharing(let sameUser, let sameName):
      sharing.group = SharingGroup(user: sameUser ? user : nil, name: sameName ? name : nil)
    case .token(let name, _):
      throw JobTypeProblem("The site has no tokens \"\(name)\": they can't be planned.")
    case .postpone(let date): postpone = date.instant { _ in utcOffset }
    case .deadline(let date): deadline = date.instant { _ in utcOffset }
    case .expire(let date): expire = date.instant { _ in utcOffset }
    case .statePermissive: sharing.isPermissive = true
    case .besteffort, .idempotent, .desktopComputing: break
    }
  }

  /// Types that only planners know.
  private mutating func readPlannersOwn(_ text: String) throws(JobTypeProblem) {
    let name = text.prefix { $0 != "=" && $0 != ":" }
    switch name {
    case "no_quotas": isWithoutQuotas = true
    case "assign": try readPlugin(.assign, text)
    case "find": try readPlugin(.find, text)
    default: break
    }
  }

  private mutating func readPlugin(
    _ role: PluginCall.Role, _ text: String
  ) throws(JobTypeProblem) {
    let prefix = role.rawValue + "="
    guard text.hasPrefix(prefix),
      let call = PluginCall(role: role, parsing: text.dropFirst(prefix.count))
    else {
      throw JobTypeProblem(
        "The type \"\(text)\" names no plug-in: it must be \(prefix)NAME[:ARGUMENT or :KEY=VALUE …]."
      )
    }
    guard plugin == nil else {
      throw JobTypeProblem(
        "A job has at most one type find or assign; \"\(text)\" is one too many.")
    }
    plugin = call
  }
}

/// Why the types of a job can't be planned, as a sentence.
public struct JobTypeProblem: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
