// The clocks of the benchmarks.

import Glibc

enum Clock {
  /// Milliseconds that only go forward.
  static var milliseconds: Double { read(CLOCK_MONOTONIC) }

  /// Milliseconds since the epoch, to be compared with the clocks of other processes.
  static var wall: Double { read(CLOCK_REALTIME) }

  /// Milliseconds of processors that this process has used.
  static var processor: Double { read(CLOCK_PROCESS_CPUTIME_ID) }

  private static func read(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1e6
  }

  static func sleep(milliseconds: Int) { usleep(UInt32(milliseconds) * 1000) }
}
