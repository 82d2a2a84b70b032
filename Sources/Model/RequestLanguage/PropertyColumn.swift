// The columns of a condition, and how their values are found.

import ClusterModel

/// A column by name; the columns of OAR's `resources` are recognised once, when it is made.
struct PropertyColumn: Hashable, Sendable {
  let name: String
  let standard: StandardColumn?

  init(_ name: String) {
    self.name = name
    standard = StandardColumn(rawValue: name)
  }

  static func == (left: PropertyColumn, right: PropertyColumn) -> Bool { left.name == right.name }

  func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// The columns that every OAR database has in `resources`.
enum StandardColumn: String, CaseIterable, Sendable {
  case resourceID = "resource_id"
  case type
  case networkAddress = "network_address"
  case state
  case nextState = "next_state"
  case finaudDecision = "finaud_decision"
  case nextFinaudDecision = "next_finaud_decision"
  case stateNumber = "state_num"
  case suspendedJobs = "suspended_jobs"
  case schedulerPriority = "scheduler_priority"
  case cpuset
  case besteffort
  case deploy
  case expiryDate = "expiry_date"
  case desktopComputing = "desktop_computing"
  case lastJobDate = "last_job_date"
  case availableUpto = "available_upto"
  case lastAvailableUpto = "last_available_upto"
  case drain
}

/// Where the values of a row come from.
protocol PropertySource {
  /// The value of a column; `null` also if there is no such column.
  func value(of column: PropertyColumn) -> PropertyValue
}

/// A row given by a function.
struct LookupSource: PropertySource {
  let lookup: (String) -> PropertyValue?

  func value(of column: PropertyColumn) -> PropertyValue { lookup(column.name) ?? .null }
}

extension Resource: PropertySource {
  /// The same as `value(of: column.name)`, without comparing names: planning asks it for every
  /// resource of a cluster.
  func value(of column: PropertyColumn) -> PropertyValue {
    guard let standard = column.standard else { return properties[column.name] ?? .null }
    return switch standard {
    case .resourceID: .integer(id)
    case .type: .text(type)
    case .networkAddress: .text(networkAddress)
    case .state: .text(state.rawValue)
    case .stateNumber: .integer(state.number)
    case .schedulerPriority: .integer(schedulerPriority)
    case .cpuset: .text(cpuset)
    case .besteffort: .text(acceptsBesteffort ? "YES" : "NO")
    case .deploy: .text(acceptsDeploy ? "YES" : "NO")
    case .desktopComputing: .text(acceptsDesktopComputing ? "YES" : "NO")
    case .drain: .text(drain ? "YES" : "NO")
    case .expiryDate: .integer(expiryDate)
    case .lastJobDate: .integer(lastJobDate)
    case .availableUpto: .integer(availableUpto)
    case .lastAvailableUpto: .integer(lastAvailableUpto)
    case .nextState, .finaudDecision, .nextFinaudDecision, .suspendedJobs:
      value(of: column.name) ?? .null
    }
  }
}
