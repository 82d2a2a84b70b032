// How the agent speaks to a shepherd: queued real-time signals with a number, which need no connection
// and so survive any agent. Only root can send them.

import CLinux
import Glibc

enum ShepherdSignal: Int32, CaseIterable {
  /// End the attempt; the value is the grace in seconds.
  case kill = 40
  /// Send the signal that the value names to the command.
  case signal = 41
  /// The job was frozen, or thawed.
  case suspended = 42
  case resumed = 43
  /// The walltime changed; the value is the whole of it in seconds.
  case walltime = 44

  /// The signals that a shepherd reads, blocked from before it begins to be.
  static var all: [Int32] { allCases.map(\.rawValue) + [SIGCHLD] }

  /// Sends it. A shepherd that has just ended has nothing left to be told.
  func send(to pidfd: Int32, value: Int = 0) {
    _ = clinux_pidfd_queue(pidfd, rawValue, Int32(clamping: value))
  }
}

/// What a shepherd tells the agent that forked it, through a pipe: the command runs.
struct LaunchNotice {
  var job: Int64
  var number: Int64
  var since: Int64

  static let size = MemoryLayout<LaunchNotice>.size

  /// Sends it; an agent that is gone or does not read will find the record.
  func send(to pipe: Int32) {
    withUnsafeBytes(of: self) { _ = write(pipe, $0.baseAddress, $0.count) }
  }

  /// The notices in the pipe, a whole number of them: a pipe keeps small writes together.
  static func receive(from pipe: Int32) -> [LaunchNotice] {
    var notices: [LaunchNotice] = []
    while true {
      let bytes = try? Descriptors.read(pipe, upTo: size * 128, named: "the shepherds' pipe")
      guard let bytes, !bytes.isEmpty else { return notices }
      bytes.withUnsafeBytes { buffer in
        for offset in stride(from: 0, to: buffer.count - size + 1, by: size) {
          notices.append(buffer.loadUnaligned(fromByteOffset: offset, as: LaunchNotice.self))
        }
      }
    }
  }
}
