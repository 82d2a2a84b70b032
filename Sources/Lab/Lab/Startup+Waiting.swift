// Telling whoever watches a start what it waits for, when nothing was heard for a while.

import Glibc

extension Startup {
  /// After so many milliseconds without news something is told.
  static let silence: Int64 = 2000
  /// The longest wait before the news are looked at, in milliseconds.
  static let glance: Int32 = 250

  /// Says what is waited for if nothing was said for long, with the last line of the log that would
  /// explain it.
  func remind(_ step: String, of host: String, log: String) {
    guard Deadline.now - lastNews >= Self.silence else { return }
    say(
      "waiting for \(step)", of: host, isWaiting: true,
      reason: Files.tail(lab.paths.log(host, log), lines: 1).last)
  }

  /// Waits for the end of a step's process; false if the time is over first.
  func ends(_ child: Child, step: String, of host: String, log: String) -> Bool {
    while !deadline.isOver {
      if child.ends(within: min(Self.glance, deadline.remaining)) { return true }
      remind(step, of: host, log: log)
    }
    return child.ends(within: 0)
  }
}
