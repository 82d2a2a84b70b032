// Who may hold a resource together with whom: time-sharing, placeholders, and jobs that do not mind in
// which state their resources are.

import ClusterModel

/// Jobs of one kind of time-sharing that share with each other.
public struct SharingGroup: Hashable, Sendable {
  /// `nil` if the user does not matter.
  public var user: String?
  /// `nil` if the job's name does not matter.
  public var name: String?

  public init(user: String?, name: String?) {
    self.user = user
    self.name = name
  }
}

/// What a job does to the resources that it holds, and which it may have although they are not free.
public struct Sharing: Hashable, Sendable {
  /// It shares with jobs of the same group; `nil` if it shares with none.
  public var group: SharingGroup?
  /// It keeps its resources for jobs that are allowed by that name.
  public var placeholder: String?
  /// It may use what placeholders of that name hold.
  public var allowed: String?
  /// It may use resources in any state but Dead.
  public var isPermissive = false

  public init() {}

  /// Holds its resources alone, and only those that are free.
  public static let none = Sharing()

  /// Whether it and another may hold the same resources at the same time, the other being there first.
  public func isWelcome(where other: Sharing) -> Bool {
    (group != nil && group == other.group)
      || (allowed != nil && allowed == other.placeholder)
  }

  /// What it may use besides what is free.
  var sources: [Share] {
    var sources: [Share] = []
    for inService in isPermissive ? [true, false] : [true] {
      if let group { sources.append(.group(group, inService: inService)) }
      if let allowed { sources.append(.placeholder(allowed, inService: inService)) }
    }
    if isPermissive { sources.append(.outOfService) }
    return sources
  }

  /// What others may use of its resources.
  func gifts(inService: Bool) -> [Share] {
    var gifts: [Share] = []
    if let group { gifts.append(.group(group, inService: inService)) }
    if let placeholder { gifts.append(.placeholder(placeholder, inService: inService)) }
    return gifts
  }
}

/// Resources that are busy to most jobs and free to some.
enum Share: Hashable {
  /// Held by jobs of a time-sharing group.
  case group(SharingGroup, inService: Bool)
  /// Kept by placeholders of a name.
  case placeholder(String, inService: Bool)
  /// In a state that keeps them from other jobs.
  case outOfService
}
