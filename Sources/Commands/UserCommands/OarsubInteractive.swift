// `oarsub -I`: waits until the job runs, joins its terminal, and comes back to it after a lost connection.

import ClusterModel
import CommandLine
import Glibc
import Wire

/// An interactive job that was just submitted.
struct InteractiveJob {
  let job: JobID
  let context: CommandContext
  private let signals = SignalQueue(sessionSignals)
  private var forecast = StartForecast()
  private var isStarting = false
  /// The host it was joined on, once it was.
  private var host: String?
  /// The terminal's size as the server knows it.
  private var size: TerminalSize?

  init(job: JobID, context: CommandContext) {
    self.job = job
    self.context = context
  }

  /// What attaching led to.
  private enum Step {
    case opened(any ServerLink, channel: Int)
    case finished(Int32)
  }

  mutating func run() throws -> Int32 {
    context.output.line("Interactive mode: waiting...")
    context.output.flush()
    while true {
      do {
        switch try attach() {
        case .finished(let code): return code
        case .opened(let link, let channel): return try carry(link, channel)
        }
      } catch let lost as ConnectionLost {
        if let code = find(after: lost.reason) { return code }
      } catch SessionStop.signal(let number) {
        return delete(because: number)
      }
    }
  }

  /// Waits for the job's terminal.
  private mutating func attach() throws -> Step {
    let link = try context.server()
    let size = TerminalMode.specification(in: context).size
    self.size = size
    let id = try link.send(.attach(job, size))
    while true {
      while !link.hasEvent {
        let ready = waitReadable([link.descriptor, signals.descriptor])
        if ready[1] { try checkSignals() }
        if ready[0] { break }
      }
      guard case .reply(id, let reply) = try link.receive() else { continue }
      switch reply {
      case .notice(let notice):
        if let code = tell(notice) { return .finished(code) }
      case .channelOpened(let channel, let name):
        announceStart()
        context.output.line("Connect to OAR job \(job) via the node \(name)")
        context.output.flush()
        host = name
        return .opened(link, channel: channel)
      case .refused(let refusal):
        return .finished(ended(because: refusal.message))
      default:
        throw UnexpectedReply(question: "the terminal of job \(job)")
      }
    }
  }

  private func checkSignals() throws {
    while let number = signals.next() {
      if number == SIGTSTP { raise(SIGSTOP) }
      if number != SIGWINCH, number != SIGTSTP { throw SessionStop.signal(number) }
    }
  }

  /// Tells of the job's progress; returns the exit code if it has ended.
  private mutating func tell(_ notice: JobNotice) -> Int32? {
    if notice.state.isFinal || notice.state == .toError { return ended(because: notice.text) }
    if let line = forecast.line(for: notice) { context.output.line(line) }
    if notice.state.holdsResources { announceStart() }
    context.output.flush()
    return nil
  }

  private mutating func announceStart() {
    guard !isStarting else { return }
    isStarting = true
    context.output.line("Starting...")
  }

  /// The job has ended without us.
  private func ended(because reason: String) -> Int32 {
    if host != nil {
      context.errors.line("[ERROR] Job was terminated.")
      context.errors.flush()
      context.output.line("Disconnected from OAR job \(job).")
      return 0
    }
    context.output.line("JOB KILLED")
    context.output.flush()
    if !reason.isEmpty { context.errors.line(reason) }
    return 11
  }

  /// Carries the terminal's bytes until the shell ends.
  private func carry(_ link: any ServerLink, _ channel: Int) throws -> Int32 {
    let raw = RawTerminal(context.input)
    defer { raw?.restore() }
    var session = TerminalSession(
      link: link, channel: channel, context: context, hasTerminal: true, signals: signals,
      terminal: raw)
    session.knownSize = size
    do {
      let status = try session.run()
      raw?.restore()
      return sayGoodbye(status: status)
    } catch let refusal as Refusal {
      raw?.restore()
      context.errors.line("[ERROR] \(refusal.message)")
      return ended(because: refusal.message)
    } catch SessionStop.outputClosed {
      throw SessionStop.signal(SIGHUP)
    }
  }

  private func sayGoodbye(status: Int) -> Int32 {
    context.output.flush()
    if let host { context.errors.line("Connection to \(host) closed.") }
    if wasTerminated(status: status) { context.errors.line("[ERROR] Job was terminated.") }
    context.errors.flush()
    context.output.line("Disconnected from OAR job \(job).")
    return 0
  }

  /// Whether something else than the shell's own end ended the job.
  private func wasTerminated(status: Int) -> Bool {
    if status & 0x7f != 0 { return true }
    var query = JobQuery()
    query.selection = JobSelection(ids: [job])
    query.full = true
    guard let record = try? context.jobs(query).first else { return false }
    return record.events.contains { ["WALLTIME", "FRAG_JOB_REQUEST"].contains($0.type) }
  }

  /// Looks for the server again; returns the exit code if it is not found.
  private func find(after reason: String) -> Int32? {
    do throws(ReconnectionFailure) {
      _ = try reconnect(context, after: reason, signals: signals)
      return nil
    } catch {
      if case .gaveUp(let reason) = error {
        context.errors.line("[ERROR] The server was not found again: \(reason).")
      }
      context.errors.line(
        "The job \(job) goes on as long as its walltime allows: connect to it with oarsub -C \(job), "
          + "end it with oardel \(job).")
      return 9
    }
  }

  /// Ends the job because this process is to end by a signal.
  private func delete(because number: Int32) -> Int32 {
    let caught = number == SIGINT ? "\n\nCaught Interrupt (^C), " : "\n"
    context.output.line("\(caught)Deleting the job \(job)...")
    context.output.flush()
    do {
      _ = try context.ask(.act(.delete, JobSelection(ids: [job])))
      context.output.line("Job(s) deleted.")
    } catch {
      context.errors.line(
        "[ERROR] The job \(job) could not be deleted: \(sessionLossReason(error)). "
          + "Delete it with oardel \(job).")
    }
    context.endingSignal = number
    return 128 + number
  }
}
