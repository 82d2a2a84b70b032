// What the metascheduler says: lines on standard error, which Almighty takes into OAR's log.

import Glibc

/// Writes lines as OAR's modules do: `[level] [date] [kao] text`.
struct MetaschedulerLog {
  /// LOG_LEVEL: 3 for all that is done, 2 for what an admin should know, 1 for errors alone.
  var level = 2

  func debug(_ text: String) { if level >= 3 { write("debug", text) } }
  func info(_ text: String) { if level >= 2 { write("info", text) } }
  func error(_ text: String) { write("error", text) }

  private func write(_ level: String, _ text: String) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    localtime_r(&now.tv_sec, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    strftime(&buffer, buffer.count, "%F %T", &parts)
    let date = buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    let thousandths = String(1000 + now.tv_nsec / 1_000_000).dropFirst()
    // One line, whatever a message says.
    let flat = String(text.map { $0.isNewline ? " " : $0 })
    let line = "[\(level)] [\(date).\(thousandths)] [kao] \(flat)\n"
    _ = line.utf8.withContiguousStorageIfAvailable { Glibc.write(2, $0.baseAddress, $0.count) }
  }
}
