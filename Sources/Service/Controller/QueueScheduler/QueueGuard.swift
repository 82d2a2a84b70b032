// A child that makes a pass, watched by a parent that does nothing else: a crash, a hang or a lack of memory
// is the end of the child alone. What it had not committed by then was never written.

import CLinux
import ClusterModel
import Glibc

/// Watches over a child.
enum QueueGuard {
  /// The exit code for OAR, whatever became of the child.
  private static let tolerated: Int32 = 0

  /// Runs `body` in a child and waits for its end, `limit` seconds at most. To be called before there is
  /// another thread.
  ///
  /// - Returns: the exit code for the caller of this process.
  static func run(limit: Seconds, _ body: () -> Never) -> Int32 {
    let stops: [Int32] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT]
    clinux_block(stops, stops.count)
    let signals = clinux_signal_descriptor(stops, stops.count)
    let child = clinux_fork()
    if child == 0 {
      close(signals)
      clinux_reset_signals()
      clinux_block([], 0)
      clinux_end_with_parent()
      body()
    }
    guard child > 0 else {
      QueueLog.say(
        "[ERROR] no process can be started for the pass: \(String(cString: strerror(errno)))")
      return tolerated
    }
    let why = wait(for: child, signals, limit)
    if let why {
      kill(child, SIGKILL)
      QueueLog.say("[ERROR] \(why): the pass was ended, and nothing of it was written")
    }
    let status = reap(child)
    if why == nil, let end = describe(status) {
      QueueLog.say("[ERROR] \(end): nothing of the pass was written; the queue stays as it is")
    }
    return tolerated
  }

  /// Waits for the end of the child; why it must be ended, if it does not end.
  private static func wait(for child: pid_t, _ signals: Int32, _ limit: Seconds) -> String? {
    let pidfd = clinux_pidfd_open(child)
    guard pidfd >= 0 else { return "it can't be watched (\(String(cString: strerror(errno))))" }
    defer { close(pidfd) }
    let deadline = milliseconds() + limit * 1000
    while true {
      var descriptors = [
        pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
      ]
      let left = deadline - milliseconds()
      if left <= 0 { return "no end after \(limit) s (SCHEDULER_TIMEOUT)" }
      if poll(&descriptors, 2, Int32(min(left, 1_000_000))) < 0, errno != EINTR {
        return "it can't be watched"
      }
      if descriptors[0].revents != 0 { return nil }
      if descriptors[1].revents != 0 { return "a signal came that ends the scheduler" }
    }
  }

  private static func reap(_ child: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status
  }

  /// What happened to a child that did not say so itself; `nil` for one that ended in good order, or that
  /// has said why it did not.
  private static func describe(_ status: Int32) -> String? {
    let number = status & 127
    if number == 0 {
      let code = status >> 8 & 255
      return code == 0 || code == QueueWorker.failed ? nil : "the pass ended with exit code \(code)"
    }
    let name = strsignal(number).map { String(cString: $0) } ?? "signal \(number)"
    return "the pass crashed (\(name))"
  }

  /// A clock that nobody sets.
  private static func milliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }
}
