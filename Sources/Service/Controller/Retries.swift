// Attempts that were interrupted before anything ran are made again on the same host.

import ClusterModel
import Wire

extension Controller {
  /// A job whose agent dies so often before it begins has another trouble.
  static let attemptLimit = 10

  /// Makes the next attempt of a job whose last one never began.
  func tryAgain(_ attempt: AttemptID, on host: String) {
    connections?.send(.acknowledge(attempt), to: host)
    executions[attempt.job]?.attempt = AttemptID(job: attempt.job, number: attempt.number + 1)
    // While other hosts prepare the job, their answers lead to the start.
    if executions[attempt.job]?.isPreparing == false { sendStart(attempt.job) }
  }

  /// A server that started anew learns from the spool which attempt of a job is the present one.
  func adoptNumbers(_ attempts: some Sequence<AttemptID>, on host: String) {
    for attempt in attempts {
      guard let execution = executions[attempt.job], execution.head == host,
        attempt.number > execution.attempt.number
      else { continue }
      executions[attempt.job]?.attempt = attempt
    }
  }
}
