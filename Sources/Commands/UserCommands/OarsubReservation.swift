// `oarsub -r`: waits until the server has decided about the reservation, and says what OAR says.

import ClusterModel
import CommandLine
import Glibc
import Wire

/// Reservations that were just submitted.
struct ReservationWait {
  /// OAR's exit code if one of them is refused.
  static let refused: Int32 = 10

  let first: JobID
  let count: Int
  let context: CommandContext
  private let signals = SignalQueue([SIGINT, SIGTERM, SIGHUP])
  /// What was decided of each: `nil` for accepted, or why not.
  private var answers: [JobID: String?] = [:]
  private var lastDelay = ""

  init(first: JobID, count: Int, context: CommandContext) {
    self.first = first
    self.count = count
    self.context = context
  }

  /// The reason of the first reservation that was refused, once all are decided; `nil` if all are accepted.
  var refusal: String? {
    answers.sorted { $0.key < $1.key }.compactMap { $0.value }.first
  }

  var isDecided: Bool { answers.count == count }

  /// Waits, and prints the answers; the exit code.
  mutating func run(quietly: Bool = false) throws -> Int32 {
    if !quietly { say("Reservation mode: waiting validation...") }
    while true {
      do {
        try follow(quietly: quietly)
        return refusal == nil ? 0 : Self.refused
      } catch let lost as ConnectionLost {
        do throws(ReconnectionFailure) {
          _ = try reconnect(context, after: lost.reason, signals: signals)
        } catch {
          return leave(because: error)
        }
      } catch SessionStop.signal(let number) {
        return leave(because: .signal(number))
      }
    }
  }

  private mutating func follow(quietly: Bool) throws {
    let link = try context.server()
    let awaited = (first..<(first + count)).filter { answers[$0] == nil }
    let id = try link.send(.follow(JobSelection(ids: awaited)))
    while answers.count < count {
      while !link.hasEvent {
        let ready = waitReadable([link.descriptor, signals.descriptor])
        if ready[1], let number = signals.next() { throw SessionStop.signal(number) }
        if ready[0] { break }
      }
      guard case .reply(id, let reply) = try link.receive() else { continue }
      switch reply {
      case .notice(let notice): take(notice, quietly: quietly)
      case .refused(let refusal): throw refusal
      default: throw UnexpectedReply(question: "the reservation")
      }
    }
  }

  private mutating func take(_ notice: JobNotice, quietly: Bool) {
    tellDelay(notice)
    guard (first..<(first + count)).contains(notice.job), answers[notice.job] == nil,
      notice.state != .toError, notice.state == .error || notice.reservation != .toSchedule
    else { return }
    let reason = notice.state == .error ? notice.text : nil
    answers[notice.job] = .some(reason)
    guard !quietly else { return }
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

  private func leave(because failure: ReconnectionFailure) -> Int32 {
    context.errors.line(
      "\nWhether the reservation \(first) is accepted is not known yet: look with "
        + "oarstat -fj \(first), give it up with oardel \(first).")
    switch failure {
    case .signal(let number):
      context.endingSignal = number
      return 128 + number
    case .gaveUp(let reason):
      context.errors.line("[ERROR] The server was not found again: \(reason).")
      return 9
    }
  }
}
