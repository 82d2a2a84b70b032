// `oarsub -r`: waits until the server has decided about the reservation, and says what OAR says.

import ClusterModel
import CommandLine
import Glibc
import Wire

/// Reservations that were just submitted.
struct ReservationWait: JobFollower {
  /// OAR's exit code if one of them is refused.
  static let refused: Int32 = 10

  let first: JobID
  let count: Int
  let context: CommandContext
  let signals = SignalQueue([SIGINT, SIGTERM, SIGHUP])
  /// What was decided of each: `nil` for accepted, or why not.
  private var answers: [JobID: String?] = [:]
  private var lastDelay = ""
  private var isQuiet = false
  let question = "the reservation"

  init(first: JobID, count: Int, context: CommandContext) {
    self.first = first
    self.count = count
    self.context = context
  }

  /// The reason of the first reservation that was refused, once all are decided; `nil` if all are accepted.
  var refusal: String? {
    answers.sorted { $0.key < $1.key }.compactMap { $0.value }.first
  }

  var isDone: Bool { answers.count == count }

  /// Waits, and prints the answers; the exit code.
  mutating func run(quietly: Bool = false) throws -> Int32 {
    isQuiet = quietly
    if !quietly { say("Reservation mode: waiting validation...") }
    if let failure = try follow() {
      return leave(
        because: failure,
        saying: "Whether the reservation \(first) is accepted is not known yet: look with "
          + "oarstat -fj \(first), give it up with oardel \(first).")
    }
    return refusal == nil ? 0 : Self.refused
  }

  var awaited: [JobID] { (first..<(first + count)).filter { answers[$0] == nil } }

  mutating func take(_ notice: JobNotice) {
    tellDelay(notice)
    guard (first..<(first + count)).contains(notice.job), answers[notice.job] == nil,
      notice.state != .toError, notice.state == .error || notice.reservation != .toSchedule
    else { return }
    let reason = notice.state == .error ? notice.text : nil
    answers[notice.job] = .some(reason)
    guard !isQuiet else { return }
    let job = count == 1 ? "" : "Job \(notice.job): "
    say(
      job + (reason.map { "Reservation not valid --> KO (\($0))" } ?? "Reservation valid --> OK"))
  }

  /// A pass came and could not decide: whoever waits should know why.
  private mutating func tellDelay(_ notice: JobNotice) {
    guard notice.state == .waiting, notice.reservation == .toSchedule, notice.text != lastDelay,
      notice.text != JobNotice.unplanned, !notice.text.isEmpty
    else { return }
    lastDelay = notice.text
    context.errors.line("[\(LocalDate(notice.date).text)] Not decided yet: \(notice.text)")
    context.errors.flush()
  }

  private func say(_ line: String) {
    context.output.line(line)
    context.output.flush()
  }
}
