// Why an attempt or a session can't begin, in words for its user.

import CLinux
import Wire

struct LaunchProblem: Error, CustomStringConvertible {
  let kind: LaunchFailure
  let text: String

  init(_ kind: LaunchFailure, _ text: String) {
    self.kind = kind
    self.text = text
  }

  /// The words for a child that failed before it could execute its program.
  init(_ report: LaunchReport, of launch: Launch) {
    let user = launch.account?.name ?? "root"
    switch report.step {
    case CLINUX_STEP_DIRECTORY:
      kind = .directory
      text = "cannot enter the directory \(launch.directory ?? "") as \(user): \(report.reason)"
    case CLINUX_STEP_OUTPUT:
      kind = .outputFile
      text = "cannot open \(launch.outputPath ?? "the output") as \(user): \(report.reason)"
    case CLINUX_STEP_ERROR:
      kind = .outputFile
      text = "cannot open \(launch.errorPath ?? "the error output") as \(user): \(report.reason)"
    case CLINUX_STEP_CGROUP:
      kind = .confinement
      text = "cannot enter the job's cgroup: \(report.reason)"
    case CLINUX_STEP_IDENTITY:
      kind = .host
      text = "cannot become \(user): \(report.reason)"
    case CLINUX_STEP_TERMINAL:
      kind = .host
      text = "cannot take the terminal as \(user): \(report.reason)"
    default:
      kind = .host
      text = "cannot run \(launch.program) as \(user): \(report.reason)"
    }
  }

  var description: String { text }
}
