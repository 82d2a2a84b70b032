// A child that makes a pass, watched by a parent that does nothing else: a crash, a hang or a lack of memory
// is the end of the child alone. OAR 2's server stops at an exit code that it does not know, or switches a
// queue off: whatever happens, the parent ends with one that lets it go on.

import CLinux
import ClusterModel
import Glibc
import Wire

/// Watches over a pass.
struct PassGuard {
  /// The exit code with which OAR 2 goes on as if nothing was.
  static let goOn: Int32 = 0

  /// Seconds that the pass may take.
  var limit: Seconds
  /// The variable that says so; `nil` where the limit is ours.
  var limitVariable: String?
  /// The exit code for OAR 2 after one of the pass; `nil` for one that no pass ends with by itself.
  var exitCode: (Int32) -> Int32?
  /// What it means that the pass did not end by itself, for the log.
  var consequence: String
  /// Takes a line for the log.
  var say: (String) -> Void

  /// Runs `body` in a child and waits for its end. To be called before there is another thread.
  ///
  /// - Returns: the exit code for the caller of this process.
  func run(_ body: () -> Never) -> Int32 {
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
      say("no process can be started for the pass: \(String(cString: strerror(errno)))")
      return Self.goOn
    }
    if let why = wait(for: child, signals) {
      kill(child, SIGKILL)
      ChildEnd.reap(child)
      say("\(why): the pass was ended; \(consequence)")
      return Self.goOn
    }
    let end = ChildEnd.reap(child)
    if case .exited(let code) = end, let known = exitCode(Int32(code)) { return known }
    say("the pass \(end); \(consequence)")
    return Self.goOn
  }

  /// Waits for the end of the child; why it must be ended, if it does not end.
  private func wait(for child: pid_t, _ signals: Int32) -> String? {
    let pidfd = clinux_pidfd_open(child)
    guard pidfd >= 0 else { return "it can't be watched (\(String(cString: strerror(errno))))" }
    defer { close(pidfd) }
    let deadline = Self.milliseconds + limit * 1000
    while true {
      var descriptors = [
        pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
      ]
      let left = deadline - Self.milliseconds
      if left <= 0 {
        return "no end after \(limit) s" + (limitVariable.map { " (\($0))" } ?? "")
      }
      if poll(&descriptors, 2, Int32(clamping: left)) < 0, errno != EINTR {
        return "it can't be watched"
      }
      if descriptors[0].revents != 0 { return nil }
      if descriptors[1].revents != 0 { return "a signal came that ends the program" }
    }
  }

  /// A clock that nobody sets.
  private static var milliseconds: Int { Int(EventLoop.monotonicNanoseconds / 1_000_000) }
}
