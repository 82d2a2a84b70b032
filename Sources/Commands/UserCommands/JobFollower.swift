// Following jobs on the server until what is awaited has happened, across lost connections.

import ClusterModel
import CommandLine
import Glibc
import Wire

/// Somebody who waits for news of jobs.
protocol JobFollower {
  var context: CommandContext { get }
  var signals: SignalQueue { get }
  /// The jobs of which news are still awaited. By their ids, not as an array: some may have ended before the
  /// server hears of us (again).
  var awaited: [JobID] { get }
  /// Whether none is. Asked after each piece of news, so not to be counted anew.
  var isDone: Bool { get }
  /// What is asked, for errors.
  var question: String { get }

  mutating func take(_ notice: JobNotice)
}

extension JobFollower {
  /// Takes news until nothing is awaited any more; what ended that before, if something did.
  mutating func follow() throws -> ReconnectionFailure? {
    while true {
      do {
        try followConnected()
        return nil
      } catch let lost as ConnectionLost {
        do throws(ReconnectionFailure) {
          _ = try reconnect(context, after: lost.reason, signals: signals)
        } catch {
          return error
        }
      } catch SessionStop.signal(let number) {
        return .signal(number)
      }
    }
  }

  private mutating func followConnected() throws {
    let link = try context.server()
    let id = try link.send(.follow(JobSelection(ids: awaited)))
    while !isDone {
      while !link.hasEvent {
        let ready = waitReadable([link.descriptor, signals.descriptor])
        if ready[1], let number = signals.next() { throw SessionStop.signal(number) }
        if ready[0] { break }
      }
      guard case .reply(id, let reply) = try link.receive() else { continue }
      switch reply {
      case .notice(let notice): take(notice)
      case .refused(let refusal): throw refusal
      default: throw UnexpectedReply(question: question)
      }
    }
  }

  /// Ends the command because it can't wait any longer: its exit code.
  func leave(because failure: ReconnectionFailure, saying farewell: String) -> Int32 {
    context.errors.line("\n" + farewell)
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
