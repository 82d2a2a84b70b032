// Finding the server again after the connection to it was lost.

import CommandLine
import Glibc
import Wire

/// How long a command looks for a lost server, in seconds: a restart takes about one.
let reconnectionLimit = 60

/// Why the server was not found again.
enum ReconnectionFailure: Error {
  case signal(Int32)
  case gaveUp(String)
}

/// Opens a new connection as soon as the server answers, for at most ``reconnectionLimit`` seconds.
///
/// - Throws: ``ReconnectionFailure``
func reconnect(
  _ context: CommandContext, after reason: String, signals: SignalQueue
) throws(ReconnectionFailure) -> any ServerLink {
  context.output.flush()
  context.errors.line(
    "The connection to the server is lost (\(reason)); the job goes on. "
      + "Trying again for \(reconnectionLimit) s...")
  context.errors.flush()
  let end = time(nil) + reconnectionLimit
  var pause: Int32 = 20
  var lastReason = reason
  while time(nil) <= end {
    context.disconnect()
    do {
      return try context.server()
    } catch let unreachable as ServerUnreachable {
      lastReason = unreachable.reason
    } catch {
      lastReason = "\(error)"
    }
    if waitReadable([signals.descriptor], milliseconds: pause)[0] {
      while let number = signals.next() {
        guard number == SIGWINCH || number == SIGTSTP else { throw .signal(number) }
      }
    }
    pause = min(pause * 2, 1000)
  }
  throw ReconnectionFailure.gaveUp(lastReason)
}
