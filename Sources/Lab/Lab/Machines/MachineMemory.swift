// What one tool has found out about its machines, for as long as it works.

import Glibc
import Synchronization

/// What one tool has found out.
final class MachineMemory: Sendable {
  private struct Content {
    var fleet: Fleet?
    var isReady = false
    var survey: [String: MachineState]?
    /// When the survey is no longer new, in milliseconds.
    var surveyEnd: Int64 = 0
    var children: [pid_t] = []
  }

  private let content = Mutex(Content())

  /// How long a survey is new at least, in milliseconds.
  private static let surveyLife: Int64 = 50

  var fleet: Fleet? {
    get { content.withLock { $0.fleet } }
    set { content.withLock { $0.fleet = newValue } }
  }

  /// Whether the machines have been made ready in this start.
  var isReady: Bool {
    get { content.withLock { $0.isReady } }
    set { content.withLock { $0.isReady = newValue } }
  }

  var recentSurvey: [String: MachineState]? {
    content.withLock { Deadline.now < $0.surveyEnd ? $0.survey : nil }
  }

  /// Machines are asked for half of the time at most.
  func remember(survey: [String: MachineState], took: Int64) {
    content.withLock {
      $0.survey = survey
      $0.surveyEnd = Deadline.now + max(Self.surveyLife, took)
    }
  }

  func forgetSurvey() { content.withLock { $0.survey = nil } }

  /// Takes note of a child that ends by itself, and of the ends of those before.
  func add(_ child: pid_t) {
    content.withLock { content in
      content.children = content.children.filter { waitpid($0, nil, WNOHANG) == 0 } + [child]
    }
  }
}
