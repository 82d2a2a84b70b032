// Job types, the values of `-t`.

import ClusterModel

/// What is special about a job. A job may have several types.
public enum JobType: Hashable, Sendable {
  /// Gives way to any other job.
  case besteffort
  /// May be run again from the start.
  case idempotent
  /// Gets whole hosts to install a system on; `standby`: sleeping hosts will do.
  case deploy(standby: Bool)
  /// Runs on the server's side, not on its hosts.
  case cosystem(standby: Bool)
  /// Holds resources and runs nothing.
  case noop(standby: Bool)
  /// Its resources are for `inner` jobs; without a name, its id is its name.
  case container(name: String?)
  /// Runs inside a container, given by name or job id.
  case inner(String)
  /// Keeps resources from all jobs but those `allowed` by the same name.
  case placeholder(String)
  case allowed(String)
  /// Shares its resources with jobs that have the type too: of the same user only, of the same name
  /// only.
  case timesharing(sameUser: Bool, sameName: Bool)
  /// Takes so many tokens while it runs.
  case token(name: String, count: Int)
  /// Starts at that date or later.
  case postpone(CivilDate)
  /// Ends by that date.
  case deadline(CivilDate)
  /// Is given up if it has not started by that date.
  case expire(CivilDate)
  /// Runs in the desktop computing mode of OAR.
  case desktopComputing
  /// Starts whatever the states of its resources are.
  case statePermissive

  /// What `-t` accepts, as told to users.
  public static let allowedForms = [
    "besteffort", "idempotent", "deploy[=standby]", "cosystem[=standby]", "noop[=standby]",
    "container[=name]", "inner=name", "placeholder=name", "allowed=name",
    "timesharing=user|*,name|*", "token:name=count", "postpone=date", "deadline=date",
    "expire=date", "desktop_computing", "state=permissive",
  ]

  /// The type as OAR writes it.
  public var text: String {
    func standby(_ name: String, _ isStandby: Bool) -> String {
      isStandby ? "\(name)=standby" : name
    }
    return switch self {
    case .besteffort: "besteffort"
    case .idempotent: "idempotent"
    case .deploy(let isStandby): standby("deploy", isStandby)
    case .cosystem(let isStandby): standby("cosystem", isStandby)
    case .noop(let isStandby): standby("noop", isStandby)
    case .container(nil): "container"
    case .container(let name?): "container=\(name)"
    case .inner(let container): "inner=\(container)"
    case .placeholder(let name): "placeholder=\(name)"
    case .allowed(let name): "allowed=\(name)"
    case .timesharing(let sameUser, let sameName):
      "timesharing=\(sameUser ? "user" : "*"),\(sameName ? "name" : "*")"
    case .token(let name, let count): "token:\(name)=\(count)"
    case .postpone(let date): "postpone=\(date.text)"
    case .deadline(let date): "deadline=\(date.text)"
    case .expire(let date): "expire=\(date.text)"
    case .desktopComputing: "desktop_computing"
    case .statePermissive: "state=permissive"
    }
  }
}

extension JobType {
  /// Reads one type.
  ///
  /// - Throws: ``RequestError`` that names the text and what is allowed.
  public init(parsing text: String) throws(RequestError) {
    try RequestLimits.check(text, in: "job type")
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.first.map(String.init) ?? ""
    let reader = JobTypeReader(
      text: text, name: name, value: parts.count == 2 ? String(parts[1]) : nil)
    self = try reader.read()
  }
}

/// Reads the value of a type after its name is known.
private struct JobTypeReader {
  let text: String
  let name: String
  let value: String?

  func read() throws(RequestError) -> JobType {
    switch name {
    case "besteffort": return try plain(.besteffort)
    case "idempotent": return try plain(.idempotent)
    case "desktop_computing": return try plain(.desktopComputing)
    case "deploy": return .deploy(standby: try standby())
    case "cosystem": return .cosystem(standby: try standby())
    case "noop": return .noop(standby: try standby())
    case "container": return .container(name: value == nil ? nil : try identifier(value))
    case "inner": return .inner(try identifier(value))
    case "placeholder": return .placeholder(try identifier(value))
    // OAR's admission rules know the first, OAR 3's planner the second.
    case "allowed", "allow": return .allowed(try identifier(value))
    case "timesharing": return try timesharing()
    case "postpone": return .postpone(try date())
    case "deadline": return .deadline(try date())
    case "expire": return .expire(try date())
    case "state":
      guard value == "permissive" else { throw refuse(allowed: "state=permissive") }
      return .statePermissive
    default:
      guard name.hasPrefix("token:") else {
        throw RequestError(
          .unknown, in: "job type", value: text, problem: "is not a job type",
          allowed: JobType.allowedForms.joined(separator: ", "))
      }
      return try token()
    }
  }

  private func refuse(allowed: String) -> RequestError {
    RequestError(
      .malformed, in: "job type", value: text, problem: "is not complete or not right",
      allowed: allowed)
  }

  private func plain(_ type: JobType) throws(RequestError) -> JobType {
    guard value == nil else { throw refuse(allowed: name) }
    return type
  }

  private func standby() throws(RequestError) -> Bool {
    guard value == nil || value == "standby" else {
      throw refuse(allowed: "\(name) or \(name)=standby")
    }
    return value != nil
  }

  private func identifier(_ identifier: String?) throws(RequestError) -> String {
    let marks: [UInt8] = [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_")]
    guard let identifier, (1...RequestLimits.typeNameBytes).contains(identifier.utf8.count),
      identifier.utf8.allSatisfy({ $0.isNamePart || marks.contains($0) })
    else {
      throw refuse(
        allowed: "\(name)=name, where the name has 1 to \(RequestLimits.typeNameBytes) letters, "
          + "digits, -, _ and .")
    }
    return identifier
  }

  private func timesharing() throws(RequestError) -> JobType {
    switch value {
    case "*,*": return .timesharing(sameUser: false, sameName: false)
    case "user,*", "*,user": return .timesharing(sameUser: true, sameName: false)
    case "*,name", "name,*": return .timesharing(sameUser: false, sameName: true)
    case "user,name", "name,user": return .timesharing(sameUser: true, sameName: true)
    default: throw refuse(allowed: "timesharing=user|*,name|* in any order")
    }
  }

  private func token() throws(RequestError) -> JobType {
    let form = "token:name=count, where the count is from 1 to \(RequestLimits.largestNumber)"
    guard let value, value.isAllDigits, let count = Int(value),
      (1...RequestLimits.largestNumber).contains(count)
    else { throw refuse(allowed: form) }
    return .token(name: try identifier(String(name.dropFirst("token:".count))), count: count)
  }

  private func date() throws(RequestError) -> CivilDate {
    guard let value else { throw refuse(allowed: "\(name)=YYYY-MM-DD[ hh:mm[:ss]]") }
    return try OARDate.parse(value, precision: .optionalTime, in: "job type \(name)")
  }
}
