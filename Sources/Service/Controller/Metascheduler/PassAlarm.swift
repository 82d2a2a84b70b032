// A pass on the second when something is due: Almighty calls its metascheduler when something happens and once
// a minute, so reservations would start late. A small process waits for the date and asks for a pass.

import ClusterModel
import Glibc

/// The one alarm of this user's metascheduler.
struct PassAlarm {
  let host: String
  let port: Int
  /// What is later than so many seconds from now, a pass of Almighty's own comes before.
  private static let horizon: Seconds = 61
  /// The option of the process that waits: `--alarm EPOCH HOST PORT`.
  private static let option = "--alarm"

  static func isCall(_ words: [String]) -> Bool { words.first == option }

  /// Sets the alarm, in place of what it was set to before.
  func set(to date: Instant, _ log: MetaschedulerLog) {
    guard date - time(nil) <= Self.horizon, let address = Self.address() else { return }
    // One that waits already takes the new date over.
    let socket = Self.socket()
    defer { close(socket) }
    let text = Array(String(date).utf8)
    let sent = address.with { sendto(socket, text, text.count, Int32(MSG_DONTWAIT), $0, $1) }
    if sent == text.count { return }
    let program = OAR2Program(
      path: "/proc/self/exe", arguments: [Self.option, String(date), host, String(port)])
    let problem = program.start()
    if let problem { log.error("what is due at \(date) may start late: no alarm, \(problem)") }
  }

  /// The process of the alarm: waits, asks for a pass, ends.
  static func main(_ words: [String]) -> Never {
    guard words.count == 4, var date = Int(words[1]), let port = Int(words[3]),
      let address = address()
    else { exit(1) }
    let socket = socket()
    address.remove()
    guard address.with({ bind(socket, $0, $1) }) == 0 else { exit(1) }
    while let new = news(on: socket, until: date) { date = new }
    // From here on a new date needs a new alarm.
    address.remove()
    _ = AlmightyPort(host: words[2], port: port).send([.schedule])
    exit(0)
  }

  /// Another date that came before this one; `nil` when its time has come.
  private static func news(on socket: Int32, until date: Instant) -> Instant? {
    while true {
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      let left = (date - now.tv_sec) * 1000 - now.tv_nsec / 1_000_000
      // The clock may be set meanwhile: it is looked at again.
      var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
      if left <= 0 { return nil }
      guard poll(&entry, 1, Int32(min(left, 1000))) > 0 else { continue }
      var buffer = [UInt8](repeating: 0, count: 32)
      let count = recv(socket, &buffer, buffer.count, 0)
      if count > 0, let new = Int(String(decoding: buffer[..<count], as: UTF8.self)) { return new }
    }
  }

  private static func socket() -> Int32 {
    Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  }

  /// In the user's own directory, where nobody else can put one.
  private static func address() -> AlarmAddress? {
    guard let account = getpwuid(geteuid()), let home = account.pointee.pw_dir else { return nil }
    return AlarmAddress(path: String(cString: home) + "/.liburna-kao-alarm")
  }
}

/// The path of a socket.
private struct AlarmAddress {
  private let path: String
  private var address = sockaddr_un()

  /// `nil` if it is too long for a socket.
  init?(path: String) {
    self.path = path
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
  }

  func with<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  func remove() { unlink(path) }
}
