// Admission rules: what the site lets in, changes or refuses before a job exists. These are the rules of a
// fresh OAR database (described by number in OAR's documentation), in their order.

import ClusterModel
import RequestLanguage
import Wire

/// A submission on its way through the rules.
struct Candidate {
  var queue: String?
  var types: [String]
  /// The user's condition with what the rules added.
  var properties: String
  /// What is added after the request was found possible.
  var laterProperties = ""
  var requests: [(groups: [RequestGroup], walltime: Seconds?)]
  let kind: JobKind
  let reservationStart: Instant
  /// What the rules say to the user.
  var remarks: [String] = []
}

struct AdmissionRules {
  let defaultWalltime: Seconds
  /// Whether the site has quotas.
  let hasQuotas: Bool
  /// How many more reservations the user may have that wait; `nil` for any number.
  let reservationsLeft: Int?
  /// Rule 12: reservations of one user that wait.
  static let reservationLimit = 2
  /// Rule 14: interactive jobs run at most so long.
  static let interactiveWalltimeLimit: Seconds = 12 * 3600

  /// Lets a candidate through, changed, or refuses it.
  ///
  /// - Parameter count: the number of jobs that are submitted.
  func apply(to candidate: inout Candidate, asker: Asker, count: Int) throws(Refusal) {
    if candidate.queue == nil { candidate.queue = "default" }
    candidate.laterProperties = AddedCondition.drain
    try refuseServiceUsers(asker, candidate)
    try refuseInternalLevels(candidate)
    tieBesteffort(&candidate)
    if candidate.reservationStart > 0 { try limitReservations(candidate, count) }
    // Nobody frees himself of quotas.
    if hasQuotas { candidate.types.removeAll { $0 == "no_quotas" } }
    try checkDeploy(&candidate)
    candidate.add(condition: AddedCondition.desktopComputing)
    setWalltimes(&candidate)
    try checkTypes(candidate)
    addTypeConstraint(&candidate)
    // Not a type of users: their jobs are counted and not limited.
    if hasQuotas, candidate.queue == "admin" { candidate.types.append("no_quotas") }
  }

  /// Rules 2 and 4.
  private func refuseServiceUsers(_ asker: Asker, _ candidate: Candidate) throws(Refusal) {
    if asker.uid == 0 || asker.name == "oar" {
      throw candidate.refusal("root and oar users are not allowed to submit jobs.")
    }
    if candidate.queue == "admin" {
      guard asker.isMember(of: "admin") else {
        throw candidate.refusal(
          "Only member of the group admin can submit jobs in the admin queue")
      }
    }
  }

  /// Rule 5.
  private func refuseInternalLevels(_ candidate: Candidate) throws(Refusal) {
    let forbidden: Set<String> = [
      "type", "state", "next_state", "finaud_decision", "next_finaud_decision", "state_num",
      "suspended_jobs", "scheduler_priority", "cpuset", "besteffort", "deploy", "expiry_date",
      "desktop_computing", "last_job_date", "available_upto", "last_available_upto",
    ]
    for request in candidate.requests {
      for group in request.groups {
        for level in group.levels where forbidden.contains(level.property) {
          throw candidate.refusal("'\(level.property)' resource is not allowed")
        }
      }
    }
  }

  /// Rules 7 and 12: no reservation is besteffort, and a user has few that wait.
  private func limitReservations(_ candidate: Candidate, _ count: Int) throws(Refusal) {
    if candidate.types.contains("besteffort") {
      throw candidate.refusal(
        "Error: a job cannot both be of type besteffort and be a reservation.")
    }
    if let reservationsLeft, count > reservationsLeft {
      throw candidate.refusal(
        "Error: you cannot have more than \(Self.reservationLimit) waiting advance reservations.")
    }
  }

  /// Rule 6: queue, type and property `besteffort` go together.
  private func tieBesteffort(_ candidate: inout Candidate) {
    let hasType = candidate.types.contains("besteffort")
    if hasType, candidate.queue != "besteffort" {
      candidate.queue = "besteffort"
      candidate.say("Automatically redirect in the besteffort queue")
    } else if candidate.queue == "besteffort", !hasType {
      candidate.types.append("besteffort")
      candidate.say("Automatically add the besteffort type")
    }
    if candidate.queue == "besteffort" {
      candidate.add(condition: AddedCondition.besteffort)
      candidate.say("Automatically add the besteffort constraint on the resources")
    }
  }

  /// Rules 9 and 10.
  private func checkDeploy(_ candidate: inout Candidate) throws(Refusal) {
    guard candidate.types.contains(where: { $0 == "deploy" || $0.hasPrefix("deploy=") }) else {
      return
    }
    for request in candidate.requests {
      for level in request.groups.flatMap(\.levels)
      where ["cpu", "core", "thread", "resource_id"].contains(level.property) {
        throw candidate.refusal("'\(level.property)' resource is not allowed with a deploy job")
      }
    }
    candidate.add(condition: AddedCondition.deploy)
  }

  /// Rules 14 and 15.
  private func setWalltimes(_ candidate: inout Candidate) {
    for index in candidate.requests.indices {
      if let walltime = candidate.requests[index].walltime {
        if candidate.kind == .interactive, walltime > Self.interactiveWalltimeLimit {
          candidate.requests[index].walltime = Self.interactiveWalltimeLimit
          candidate.say(
            "Walltime to big for an INTERACTIVE job so it is set to \(Self.interactiveWalltimeLimit)."
          )
        }
      } else {
        candidate.requests[index].walltime = defaultWalltime
        candidate.say("Set default walltime to \(defaultWalltime).")
      }
    }
  }

  /// Rule 16.
  private func checkTypes(_ candidate: Candidate) throws(Refusal) {
    for type in candidate.types {
      do {
        _ = try JobType(parsing: type)
      } catch {
        throw Refusal(
          .unknownType, "[ADMISSION RULE] Error: unknown job type: \(type) (\(error))",
          remarks: candidate.remarks)
      }
    }
  }

  /// Rule 17: a group that says nothing of the type of its resources means compute resources.
  private func addTypeConstraint(_ candidate: inout Candidate) {
    for index in candidate.requests.indices {
      for group in candidate.requests[index].groups.indices {
        let text = candidate.requests[index].groups[group].properties
        if text.isEmpty {
          candidate.requests[index].groups[group].properties = AddedCondition.type
        } else if let parsed = try? PropertyExpression(parsing: text),
          !parsed.columns.contains("type")
        {
          candidate.requests[index].groups[group].properties =
            AddedCondition.both(text, AddedCondition.type)
        }
      }
    }
    candidate.say("Modify resource description with type constraints")
  }
}

/// What the rules add to the conditions of users.
enum AddedCondition {
  static let besteffort = "besteffort = 'YES'"
  static let deploy = "deploy = 'YES'"
  static let desktopComputing = "desktop_computing = 'NO'"
  static let drain = "drain='NO'"
  /// Added to each group.
  static let type = "type = 'default'"

  /// The first condition, which may be empty, and the second.
  static func both(_ first: String, _ second: String) -> String {
    first.isEmpty ? second : "(\(first)) AND \(second)"
  }

  /// What is left of a condition that went through the rules if its user takes back his part.
  static func alone(in condition: String) -> String {
    var rest = condition[...]
    var added: [String] = []
    while let last = [besteffort, deploy, desktopComputing, drain, type].first(where: {
      rest == $0 || (rest.hasPrefix("(") && rest.hasSuffix(") AND \($0)"))
    }) {
      added.append(last)
      rest = rest.dropFirst().dropLast(") AND \(last)".count)
    }
    return added.reversed().reduce("") { both($0, $1) }
  }
}

extension Candidate {
  fileprivate mutating func say(_ text: String) { remarks.append("[ADMISSION RULE] \(text)") }

  fileprivate mutating func add(condition: String) {
    properties = AddedCondition.both(properties, condition)
  }

  fileprivate func refusal(_ text: String) -> Refusal {
    Refusal(.admission, "[ADMISSION RULE] \(text)", remarks: remarks)
  }
}
