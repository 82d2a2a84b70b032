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
}

/// Resources that are busy to most jobs but may be had by some: those whom all that have them welcome.
struct Share: Hashable {
  /// Only jobs of this group; `nil` for any.
  var group: SharingGroup?
  /// Only jobs that are allowed by the name of this placeholder; `nil` for any.
  var placeholder: String?
  /// Whether the resources are in a state in which any job may have them.
  var isInService = true

  /// What nobody has.
  static let free = Share()
  /// What nobody has because of its state.
  static let outOfService = Share(isInService: false)

  /// Whether a job may have it.
  func isOpen(to sharing: Sharing) -> Bool {
    (group == nil || group == sharing.group)
      && (placeholder == nil || placeholder == sharing.allowed)
      && (isInService || sharing.isPermissive)
  }

  /// Who may have it once a job has it too: those whom that welcomes as well.
  func whenTaken(by sharing: Sharing) -> [Share] {
    var shares: [Share] = []
    if let own = sharing.group, group == nil || group == own {
      shares.append(Share(group: own, placeholder: placeholder, isInService: isInService))
    }
    if let own = sharing.placeholder, placeholder == nil || placeholder == own {
      shares.append(Share(group: group, placeholder: own, isInService: isInService))
    }
    return shares
  }
}
