// `oarsub -C`: another shell in a running job, at this terminal.

import ClusterModel
import CommandLine
import Glibc
import Wire

/// The signals that end a session, and those of the terminal.
let sessionSignals = [SIGTERM, SIGHUP, SIGINT, SIGWINCH, SIGTSTP]

/// A shell in a running job.
struct TerminalConnection {
  let job: JobID
  let context: CommandContext

  func run() throws -> Int32 {
    let link = try context.server()
    let terminal = TerminalMode.specification(in: context)
    let request = SessionRequest(job: job, host: nil, command: nil, terminal: terminal)
    let channel: Int
    let host: String
    do {
      let id = try link.send(.open(request))
      guard case .channelOpened(let number, let name) = try link.reply(to: id) else {
        throw UnexpectedReply(question: "the session")
      }
      (channel, host) = (number, name)
    } catch let refusal as Refusal {
      throw failure(refusal)
    }
    context.output.line("Connect to OAR job \(job) via the node \(host)")
    context.output.flush()
    let code = carry(link, channel, size: terminal.size)
    context.output.flush()
    context.errors.line("Connection to \(host) closed.")
    context.errors.flush()
    context.output.line("Disconnected from OAR job \(job).")
    return code
  }

  private func carry(_ link: any ServerLink, _ channel: Int, size: TerminalSize) -> Int32 {
    let signals = SignalQueue(sessionSignals)
    let raw = RawTerminal(context.input)
    defer { raw?.restore() }
    var session = TerminalSession(
      link: link, channel: channel, context: context, hasTerminal: true, signals: signals,
      terminal: raw)
    session.knownSize = size
    do {
      _ = try session.run()
      return 0
    } catch SessionStop.signal(let number) {
      context.endingSignal = number
      return 128 + number
    } catch {
      raw?.restore()
      context.errors.line(
        "[ERROR] The session was lost: \(sessionLossReason(error)). The job goes on.")
      return 9
    }
  }

  /// OAR's words for a job that can't be connected to.
  private func failure(_ refusal: Refusal) -> CommandFailure {
    var query = JobQuery()
    query.selection = JobSelection(ids: [job])
    let record = try? context.jobs(query).first
    switch (refusal.kind, record) {
    case (.wrongState, let record?):
      return CommandFailure(
        20, "[ERROR] the job \(job) is not running. Its current state is \(record.state.rawValue).")
    case (.notOwner, let record?):
      return CommandFailure(
        20,
        "[ERROR] you are not the right user for the job \(job). This job is owned by "
          + "\(record.user).")
    default:
      return CommandFailure(20, "[ERROR] \(refusal.message)")
    }
  }
}

/// What to say of an error that ended a session.
func sessionLossReason(_ error: any Error) -> String {
  switch error {
  case let lost as ConnectionLost: lost.reason
  case let refusal as Refusal: refusal.message
  case SessionStop.outputClosed: "nobody reads the output"
  default: "\(error)"
  }
}
