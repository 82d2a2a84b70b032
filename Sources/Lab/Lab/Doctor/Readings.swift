// Where the doctor reads from: this machine, or one that a test makes up.

import Glibc

public struct Readings: Sendable {
  /// The effective user's number and name.
  var user: UInt32
  var userName: String
  /// The processor's kind as uname(2) calls it, such as x86_64.
  var processor: String
  /// The text of a file without its last newline, or nil if it can't be read.
  var text: @Sendable (String) -> String?
  var isDirectory: @Sendable (String) -> Bool
  /// The path of a program, or nil if there is none of the name.
  var program: @Sendable (String) -> String?
  /// Whether a device can be opened for reading and writing.
  var opens: @Sendable (String) -> Bool
  /// Whether something accepts connections on a unix socket.
  var accepts: @Sendable (String) -> Bool
  /// How many files a process may have open, and how many processes a user may have; nil: no limit.
  var openFiles: Int?
  var userProcesses: Int?
  /// Free bytes of the file system that a path, or what is there of it, is on.
  var freeSpace: @Sendable (String) -> Int?
  var variable: @Sendable (String) -> String?

  var isRoot: Bool { user == 0 }

  /// A value of the kernel that is a number.
  func number(_ path: String) -> Int? { text(path).flatMap { Int($0) } }

  /// This machine.
  public static var live: Readings {
    Readings(
      user: geteuid(), userName: name(of: geteuid()), processor: kernelProcessor,
      text: { Files.value($0) },
      isDirectory: { Files.isDirectory($0) }, program: { LocalCommand.find($0) },
      opens: { path in
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        if descriptor >= 0 { close(descriptor) }
        return descriptor >= 0
      },
      accepts: { Probe.accepts(socket: $0) }, openFiles: limit(__rlimit_resource_t(7)),
      userProcesses: limit(__rlimit_resource_t(6)), freeSpace: freeBytes,
      variable: { name in getenv(name).map { String(cString: $0) } })
  }

  private static func name(of user: uid_t) -> String {
    guard let entry = getpwuid(user), let name = entry.pointee.pw_name else { return "\(user)" }
    return String(cString: name)
  }

  private static var kernelProcessor: String {
    var system = utsname()
    guard uname(&system) == 0 else { return "" }
    return withUnsafeBytes(of: &system.machine) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private static func limit(_ resource: __rlimit_resource_t) -> Int? {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else { return nil }
    return Int(limit.rlim_cur)
  }

  private static func freeBytes(_ path: String) -> Int? {
    var status = statvfs()
    var path = path
    while statvfs(path, &status) != 0 {
      guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
      path = String(path[..<slash])
    }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }
}
