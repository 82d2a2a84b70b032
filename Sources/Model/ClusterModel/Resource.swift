// A resource: one schedulable unit of the cluster, often a core, with the properties of OAR's schema.

/// The number of a resource (`resources.resource_id`), from 1.
public typealias ResourceID = Int

/// Whether a resource can run jobs (`resources.state`).
public enum ResourceState: String, Codable, Sendable, CaseIterable {
  case alive = "Alive"
  case absent = "Absent"
  case suspected = "Suspected"
  case dead = "Dead"

  /// OAR's `state_num`, which orders resources by availability.
  public var number: Int {
    switch self {
    case .alive: 1
    case .absent: 2
    case .suspected: 3
    case .dead: 4
    }
  }
}

/// The value of a property of a resource.
public enum PropertyValue: Hashable, Codable, Sendable {
  case integer(Int)
  case text(String)
  case null

  /// The value as text; `nil` for null.
  public var text: String? {
    switch self {
    case .integer(let number): String(number)
    case .text(let text): text
    case .null: nil
    }
  }
}

/// What values a site's own property holds.
public enum PropertyKind: String, Codable, Sendable {
  case integer
  case text
}

/// A column that the site added to `resources` with `oarproperty`.
public struct PropertyDefinition: Hashable, Codable, Sendable {
  public var name: String
  public var kind: PropertyKind

  public init(name: String, kind: PropertyKind) {
    self.name = name
    self.kind = kind
  }
}

/// One schedulable unit of the cluster.
public struct Resource: Hashable, Codable, Sendable, Identifiable {
  public var id: ResourceID
  /// `default` for compute resources; licences, VLANs and the like have types of their own.
  public var type = "default"
  /// The name of its host; empty for resources that no host holds.
  public var networkAddress = ""
  public var state = ResourceState.alive
  /// Whether the server itself put it into `suspected` and may heal it (`finaud_decision`).
  public var suspectedByServer = false
  /// The PU numbers on its host, separated by `+`, `,` or blanks.
  public var cpuset = "0"
  public var acceptsBesteffort = true
  public var acceptsDeploy = false
  public var acceptsDesktopComputing = false
  /// No new job is accepted when the default rules are in force (`drain`).
  public var drain = false
  public var suspendedJobs = false
  public var schedulerPriority = 0
  public var expiryDate: Instant = 0
  public var lastJobDate: Instant = 0
  public var availableUpto: Instant = endOfTime
  /// `available_upto` as it was before maintenance.
  public var lastAvailableUpto: Instant = 0
  /// The site's own properties by column name.
  public var properties: SiteProperties = [:]

  public init(id: ResourceID) {
    self.id = id
  }

  /// Whether it sleeps and can be woken: OAR's `standby`.
  public func isStandby(at now: Instant) -> Bool {
    state == .absent && availableUpto > 1 && availableUpto >= now
  }

  /// The value of any column of `resources`, the site's own included; `nil` if there is no such column.
  public func value(of column: String) -> PropertyValue? { value(of: ResourceColumn(column)) }

  /// The value of a column that was looked up before, which is faster for many resources.
  public func value(of column: ResourceColumn) -> PropertyValue? {
    switch column.kind {
    case .id: .integer(id)
    case .type: .text(type)
    case .networkAddress: .text(networkAddress)
    case .state: .text(state.rawValue)
    case .stateNumber: .integer(state.number)
    case .nextState: .text("UnChanged")
    case .suspectedByServer: .text(suspectedByServer ? "YES" : "NO")
    case .nextSuspectedByServer: .text("NO")
    case .suspendedJobs: .text(suspendedJobs ? "YES" : "NO")
    case .schedulerPriority: .integer(schedulerPriority)
    case .cpuset: .text(cpuset)
    case .acceptsBesteffort: .text(acceptsBesteffort ? "YES" : "NO")
    case .acceptsDeploy: .text(acceptsDeploy ? "YES" : "NO")
    case .expiryDate: .integer(expiryDate)
    case .acceptsDesktopComputing: .text(acceptsDesktopComputing ? "YES" : "NO")
    case .lastJobDate: .integer(lastJobDate)
    case .availableUpto: .integer(availableUpto)
    case .lastAvailableUpto: .integer(lastAvailableUpto)
    case .drain: .text(drain ? "YES" : "NO")
    case nil: properties[column.name]
    }
  }
}

/// A column of `resources`, looked up by its name.
public struct ResourceColumn: Sendable {
  /// The columns of the schema by their names there.
  fileprivate enum Kind: String, CaseIterable {
    case id = "resource_id"
    case type
    case networkAddress = "network_address"
    case state
    case nextState = "next_state"
    case suspectedByServer = "finaud_decision"
    case nextSuspectedByServer = "next_finaud_decision"
    case stateNumber = "state_num"
    case suspendedJobs = "suspended_jobs"
    case schedulerPriority = "scheduler_priority"
    case cpuset
    case acceptsBesteffort = "besteffort"
    case acceptsDeploy = "deploy"
    case expiryDate = "expiry_date"
    case acceptsDesktopComputing = "desktop_computing"
    case lastJobDate = "last_job_date"
    case availableUpto = "available_upto"
    case lastAvailableUpto = "last_available_upto"
    case drain
  }

  public let name: String
  /// `nil` for a column of the site's own.
  fileprivate let kind: Kind?

  public init(_ name: String) {
    self.name = name
    kind = Kind(rawValue: name)
  }

  /// Visits the value that each of many resources has, `.null` where there is no such column. What most
  /// levels of requests are is read without copying whole resources.
  public func forEachValue(in resources: [Resource], _ visit: (PropertyValue) -> Void) {
    let all = resources.span
    switch kind {
    case nil:
      for index in all.indices { visit(all[index].properties[name] ?? .null) }
    case .networkAddress:
      for index in all.indices { visit(.text(all[index].networkAddress)) }
    default:
      for resource in resources { visit(resource.value(of: self) ?? .null) }
    }
  }

  /// The columns that every OAR database has, in the schema's order.
  fileprivate static let standard = Kind.allCases.map(\.rawValue)
}

/// The columns that every OAR database has in `resources`, in the schema's order.
public let standardResourceColumns = ResourceColumn.standard
