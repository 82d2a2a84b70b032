// A point in time that a wait may not pass, on the clock that no one can set.

import Glibc

struct Deadline {
  let end: Int64

  init(seconds: Int) { self.init(milliseconds: Int64(seconds) * 1000) }

  init(milliseconds: Int64) { end = Deadline.now + milliseconds }

  /// Milliseconds since the machine started.
  static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  var isOver: Bool { Deadline.now >= end }
  /// What is left, in milliseconds, for poll(2); never negative.
  var remaining: Int32 { Int32(max(0, min(end - Deadline.now, 60_000))) }
}
