// The server's log: one line an event on standard error, where systemd or the lab collects it.

import Glibc

/// Writes lines with the time. Secrets and users' texts do not belong in it.
struct ServerLog {
  /// Writes one line.
  func say(_ text: String) {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    strftime(&buffer, buffer.count, "%F %T", &parts)
    let stamp = buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    let line = "\(stamp) \(text)\n"
    _ = line.utf8.withContiguousStorageIfAvailable { write(2, $0.baseAddress, $0.count) }
  }
}
