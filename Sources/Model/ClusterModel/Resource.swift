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
    state == .absent && availableUpto >= now
  }

  /// The value of any column of `resources`, the site's own included; `nil` if there is no such column.
  public func value(of column: String) -> PropertyValue? { Self.reader(of: column)(self) }

  /// What reads a column's value; worth to keep for many resources.
  public static func reader(of column: String) -> (borrowing Resource) -> PropertyValue? {
    switch column {
    case "resource_id": { .integer($0.id) }
    case "type": { .text($0.type) }
    case "network_address": { .text($0.networkAddress) }
    case "state": { .text($0.state.rawValue) }
    case "state_num": { .integer($0.state.number) }
    case "next_state": { _ in .text("UnChanged") }
    case "finaud_decision": { .text($0.suspectedByServer ? "YES" : "NO") }
    case "next_finaud_decision": { _ in .text("NO") }
    case "suspended_jobs": { .text($0.suspendedJobs ? "YES" : "NO") }
    case "scheduler_priority": { .integer($0.schedulerPriority) }
    case "cpuset": { .text($0.cpuset) }
    case "besteffort": { .text($0.acceptsBesteffort ? "YES" : "NO") }
    case "deploy": { .text($0.acceptsDeploy ? "YES" : "NO") }
    case "expiry_date": { .integer($0.expiryDate) }
    case "desktop_computing": { .text($0.acceptsDesktopComputing ? "YES" : "NO") }
    case "last_job_date": { .integer($0.lastJobDate) }
    case "available_upto": { .integer($0.availableUpto) }
    case "last_available_upto": { .integer($0.lastAvailableUpto) }
    case "drain": { .text($0.drain ? "YES" : "NO") }
    default: { $0.properties[column] }
    }
  }
}

/// The columns that every OAR database has in `resources`, in the schema's order.
public let standardResourceColumns = [
  "resource_id", "type", "network_address", "state", "next_state", "finaud_decision",
  "next_finaud_decision", "state_num", "suspended_jobs", "scheduler_priority", "cpuset",
  "besteffort", "deploy", "expiry_date", "desktop_computing", "last_job_date", "available_upto",
  "last_available_upto", "drain",
]
