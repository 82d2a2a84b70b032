// What the types of a job mean for its place, for the reference planner.

import ClusterModel
import Kamelot
import RequestLanguage

/// The types of a job, read.
struct ReferenceTraits {
  /// Jobs may share if they have equal values of this.
  struct Sharing: Hashable {
    /// `nil` if the user does not matter.
    var user: String?
    var name: String?
  }

  var isBesteffort = false
  /// Whether it may start on sleeping resources.
  var startsAsleep = false
  /// Whether it may use resources in any state but Dead.
  var isPermissive = false
  var notBefore: Instant?
  var deadline: Instant?
  var expiry: Instant?
  /// The space that its resources form.
  var container: String?
  /// The space that it is placed in; empty for the whole cluster.
  var space = ""
  var sharing: Sharing?
  var placeholder: String?
  var allowed: Set<String> = []

  init(_ job: WaitingJob) throws {
    try self.init(job.types, id: job.id, user: job.user, name: job.name)
    isBesteffort = isBesteffort || job.queue == "besteffort"
  }

  /// Types of a running job that can't be understood mean nothing.
  init(_ job: HoldingJob) {
    let types = job.types.filter { (try? JobType(parsing: $0)) != nil }
    let read = try? ReferenceTraits(types, id: job.id, user: job.user, name: job.name)
    self = read ?? ReferenceTraits()
    isBesteffort = job.isBesteffort
  }

  /// A job that may be anywhere, for what a request takes of the whole cluster.
  static var anywhere: ReferenceTraits {
    var traits = ReferenceTraits()
    traits.isPermissive = true
    return traits
  }

  private init() {}

  private init(_ types: [String], id: JobID, user: String, name: String) throws {
    // Quotas read this one themselves.
    for text in types where text != "no_quotas" {
      switch try JobType(parsing: text) {
      case .besteffort: isBesteffort = true
      case .deploy(standby: true), .cosystem(standby: true), .noop(standby: true):
        startsAsleep = true
      case .statePermissive: isPermissive = true
      case .postpone(let date): notBefore = date.secondsSinceEpochInUTC
      case .deadline(let date): deadline = date.secondsSinceEpochInUTC
      case .expire(let date): expiry = date.secondsSinceEpochInUTC
      case .container(let name): container = name ?? String(id)
      case .inner(let name): space = name
      case .timesharing(let sameUser, let sameName):
        sharing = Sharing(user: sameUser ? user : nil, name: sameName ? name : nil)
      case .placeholder(let name): placeholder = name
      case .allowed(let name): allowed.insert(name)
      case .deploy, .cosystem, .noop, .idempotent, .desktopComputing, .token: break
      }
    }
  }

  /// Whether it may use a resource that `other` has already.
  func mayJoin(_ other: ReferenceTraits) -> Bool {
    if let sharing, sharing == other.sharing { return true }
    if let placeholder = other.placeholder { return allowed.contains(placeholder) }
    return false
  }
}

extension Resource {
  /// Whether jobs with these types may be planned on it, as far as its state goes.
  func serves(_ traits: ReferenceTraits, at now: Instant) -> Bool {
    if traits.isPermissive { return state != .dead }
    return state == .alive || isStandby(at: now)
  }

  /// The instant from which on nobody can use it; `nil` if there is none.
  func bound(at now: Instant) -> Instant? {
    let boundless = [0, 1, endOfTime - 1, endOfTime]
    guard state == .alive || isStandby(at: now), !boundless.contains(availableUpto) else {
      return nil
    }
    return availableUpto
  }
}
