// `oarsub --wait`: follows jobs to their end and takes over their exit code.

import ClusterModel
import CommandLine
import Glibc
import Wire

/// Jobs whose end is awaited: one, or all of an array.
struct JobWait: JobFollower {
  let first: JobID
  let count: Int
  let context: CommandContext
  let signals = SignalQueue([SIGINT, SIGTERM, SIGHUP])
  private var forecast = StartForecast()
  private var lastState: JobState?
  /// The exit codes of the jobs that have ended.
  private var codes: [JobID: Int32] = [:]
  let question = "the job's progress"

  init(first: JobID, count: Int, context: CommandContext) {
    self.first = first
    self.count = count
    self.context = context
  }

  mutating func run() throws -> Int32 {
    guard let failure = try follow() else { return conclude() }
    let name = count == 1 ? "The job \(first)" : "The array \(first)"
    let option = count == 1 ? "" : "--array "
    let watch = count == 1 ? "-j" : "--array"
    return leave(
      because: failure,
      saying: "\(name) goes on: watch it with oarstat \(watch) \(first), end it with "
        + "oardel \(option)\(first).")
  }

  var isDone: Bool { codes.count == count }

  var awaited: [JobID] { (first..<(first + count)).filter { codes[$0] == nil } }

  mutating func take(_ notice: JobNotice) {
    guard (first..<(first + count)).contains(notice.job), codes[notice.job] == nil else { return }
    if notice.state.isFinal {
      let code = notice.exitCode.map(shellExitCode) ?? 0
      codes[notice.job] = notice.state == .error && code == 0 ? 1 : code
    }
    if count == 1 {
      tell(notice)
    } else if let code = codes[notice.job], code != 0 {
      let what = notice.text.isEmpty ? " with exit code \(code)" : ""
      say(notice, "Job \(notice.job) failed\(what)")
    }
  }

  /// The steps between them are short.
  private static let toldStates: [JobState] = [.running, .suspended, .terminated, .error]

  private mutating func tell(_ notice: JobNotice) {
    if let line = forecast.line(for: notice) {
      context.errors.line(line)
    } else if notice.state != lastState, Self.toldStates.contains(notice.state) {
      say(notice, "Job \(notice.job) is \(notice.state.rawValue)")
    }
    lastState = notice.state
    context.errors.flush()
  }

  private func say(_ notice: JobNotice, _ what: String) {
    let reason = notice.text.isEmpty ? "" : ": \(notice.text)"
    context.errors.line("[\(LocalDate(notice.date).text)] \(what)\(reason)")
    context.errors.flush()
  }

  private func conclude() -> Int32 {
    let failed = codes.filter { $0.value != 0 }
    if count > 1 {
      context.errors.line("\(count) jobs have ended, \(failed.count) of them failed.")
    }
    return failed.min { $0.key < $1.key }?.value ?? 0
  }
}
