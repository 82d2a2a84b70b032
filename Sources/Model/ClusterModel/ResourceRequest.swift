// What a job asks for: OAR's `-l`, parsed.

/// How many blocks of one level are asked for.
public enum BlockCount: Hashable, Codable, Sendable {
  case exactly(Int)
  /// Every block that matches and is not dead; the request waits for all of them.
  case all
  /// As many blocks as are free when it starts, at least one.
  case best
  /// Half of what `best` would give, at least one.
  case bestHalf

  /// The number that OAR stores in `res_job_value`.
  public var stored: Int {
    switch self {
    case .exactly(let count): count
    case .all: -1
    case .best: -2
    case .bestHalf: -3
    }
  }

  /// The count that a stored number means.
  public init(stored: Int) {
    switch stored {
    case -1: self = .all
    case -2: self = .best
    case -3: self = .bestHalf
    default: self = .exactly(stored)
    }
  }

  /// The count as users write it.
  public var text: String {
    switch self {
    case .exactly(let count): String(count)
    case .all: "ALL"
    case .best: "BEST"
    case .bestHalf: "BESTHALF"
    }
  }
}

/// One step of a hierarchy: so many blocks of equal values of a property, such as `cpu=2`.
public struct RequestLevel: Hashable, Codable, Sendable {
  public var property: String
  public var count: BlockCount

  public init(_ property: String, _ count: BlockCount) {
    self.property = property
    self.count = count
  }
}

/// One part of a request, such as `{gpu='YES'}/host=2/core=4`; parts joined by `+` take disjoint resources.
public struct RequestGroup: Hashable, Codable, Sendable {
  /// An SQL condition on resources, as the user wrote it; empty if none.
  public var properties: String
  /// Outermost level first, at least one.
  public var levels: [RequestLevel]

  public init(properties: String = "", levels: [RequestLevel]) {
    self.properties = properties
    self.levels = levels
  }
}

/// One shape of a job: one `-l`.
public struct Moldable: Hashable, Codable, Sendable {
  /// The limit of its run time, from 1.
  public var walltime: Seconds
  public var groups: [RequestGroup]

  public init(walltime: Seconds, groups: [RequestGroup]) {
    self.walltime = walltime
    self.groups = groups
  }
}
