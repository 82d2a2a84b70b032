// The states of a job and the steps between them (OAR's manual, "job states").

/// The state of a job (`jobs.state`); raw values are OAR's words.
public enum JobState: String, Codable, Sendable, CaseIterable {
  case waiting = "Waiting"
  case hold = "Hold"
  case toLaunch = "toLaunch"
  case toError = "toError"
  case toAckReservation = "toAckReservation"
  case launching = "Launching"
  case running = "Running"
  case suspended = "Suspended"
  case resuming = "Resuming"
  case finishing = "Finishing"
  case terminated = "Terminated"
  case error = "Error"

  /// Whether nothing more can happen to the job.
  public var isFinal: Bool { self == .terminated || self == .error }

  /// Whether a job in this state has resources assigned.
  public var holdsResources: Bool {
    switch self {
    case .toLaunch, .launching, .running, .suspended, .resuming, .finishing: true
    default: false
    }
  }

  /// The letter in `oarstat`'s table.
  public var letter: Character {
    switch self {
    case .waiting, .toAckReservation: "W"
    case .hold: "H"
    case .toLaunch, .launching: "L"
    case .running: "R"
    case .suspended, .resuming: "S"
    case .finishing: "F"
    case .terminated: "T"
    case .error, .toError: "E"
    }
  }

  /// The states that a job may enter from this one.
  public var successors: [JobState] {
    switch self {
    case .waiting: [.hold, .toLaunch, .toError, .toAckReservation, .error]
    case .hold: [.waiting, .error]
    case .toAckReservation: [.waiting, .error]
    case .toError: [.error]
    case .toLaunch: [.launching, .running, .finishing, .terminated, .error]
    case .launching: [.running, .finishing, .terminated, .error]
    case .running: [.suspended, .finishing, .terminated, .error]
    case .suspended: [.resuming, .finishing, .terminated, .error]
    case .resuming: [.running, .suspended, .finishing, .terminated, .error]
    case .finishing: [.terminated, .error]
    case .terminated, .error: []
    }
  }
}

/// How far an advance reservation has come (`jobs.reservation`).
public enum ReservationState: String, Codable, Sendable {
  case none = "None"
  case toSchedule = "toSchedule"
  case scheduled = "Scheduled"
}
