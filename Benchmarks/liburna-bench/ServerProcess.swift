// The server's process as the kernel describes it.

import Glibc

enum ServerProcess {
  /// Its pid on this host; `nil` if there is none.
  static func find() -> pid_t? {
    guard let directory = opendir("/proc") else { return nil }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let text = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let pid = pid_t(text), read("/proc/\(pid)/comm") == "liburnad\n" { return pid }
    }
    return nil
  }

  /// The processor time it has used so far, in milliseconds.
  static func processorTime() throws -> Double {
    guard let pid = find() else { throw BenchmarkError("no liburnad runs on this host") }
    // Fields 14 and 15, counted from the parenthesis that ends field 2.
    let fields = read("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      throw BenchmarkError("/proc/\(pid)/stat has no times")
    }
    return (user + system) * 1000 / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  private static func read(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
