// A process on this machine that stands for a command in a host: it passes signals on, and ends as
// the command does. The line that the command was started over is its descriptor 3.

import Glibc

enum CommandFollower {
  private static let line: Int32 = 3
  private static let passedOn = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT]
  /// The exit code when the host died before the command had ended: as after a SIGKILL.
  private static let lost: Int32 = 128 + SIGKILL

  /// What `liburna-host follow` does.
  static func run() -> Int32 {
    let signals = SignalRelay.open(passedOn)
    while true {
      var waits = [line, signals].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      _ = poll(&waits, 2, -1)
      while let signal = SignalRelay.next(signals) {
        try? ByteStream.write([UInt8(truncatingIfNeeded: signal)], to: line)
      }
      guard waits[0].revents != 0 else { continue }
      let answer = try? ByteStream.line(from: line, before: Deadline(seconds: 5))
      guard let answer, case .exited(let code)? = HostAnswer(line: answer) else { return lost }
      return code
    }
  }
}
