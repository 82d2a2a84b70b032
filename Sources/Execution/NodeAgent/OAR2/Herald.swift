// Tells OAR 2's server the end of a job when no server of ours takes it: it has been put in our server's place
// again while the job ran. A small process of its own, which goes as soon as the end is known to anybody.

import CLinux
import Glibc
import Wire

/// How an attempt ended, in the words of OAR's `oarexec`.
struct OAR2End: Equatable {
  /// `oarexec`'s own result.
  let code: Int
  /// The raw wait status of the command; `nil` if it was not waited for.
  let status: Int?

  init(_ status: AttemptStatus, isHolding: Bool) {
    switch status {
    case .ended(let raw, .command, _): (code, self.status) = (0, raw)
    case .ended(let raw, .epilogue, _): (code, self.status) = (2, raw)
    case .ended(_, .hangup, _) where isHolding: (code, self.status) = (34, nil)
    case .ended(let raw, .hangup, _): (code, self.status) = (0, raw)
    case .ended, .running: (code, self.status) = (3, nil)
    case .failed(.prologue, _): (code, self.status) = (1, nil)
    case .failed(.directory, _): (code, self.status) = (10, nil)
    case .failed(.outputFile, _): (code, self.status) = (20, nil)
    case .failed(.user, _): (code, self.status) = (7, nil)
    case .failed: (code, self.status) = (5, nil)
    }
  }

  /// The word on the server's port.
  func word(job: Int, challenge: String) -> String {
    "OAREXEC_\(job)_\(code)_\(status.map(String.init) ?? "N")_\(challenge)\n"
  }
}

/// The process that tells.
struct Herald {
  /// Seconds that a server of ours has to take note of an end. (One that is only slow hears the word as well,
  /// and knows better.)
  static let acknowledgementLimit = 3.0
  /// Seconds between two looks at whether it did.
  static let lookPause = 0.1
  /// Seconds between tries to reach OAR's server: in the first minutes it is about to start, later it may stay
  /// away for long. Given up after a day: OAR's server ends a job of which it hears nothing when its walltime
  /// is over.
  static let firstPause = 5.0
  static let startLimit = 600.0
  static let longestPause = 60.0
  static let giveUpAfter = 86400.0
  /// Seconds for one connection.
  static let connectionLimit: Int = 10

  let word: String
  let server: String
  let port: Int
  let account: Account
  /// The open record of the attempt: acknowledged attempts have none on the disk.
  let record: Int32
  /// OAR's server ended the attempt, so it is there and waits for the word.
  let isExpected: Bool

  /// Leaves a process behind that does it. The caller ends.
  func leave(notices: Int32) {
    guard clinux_fork() == 0 else { return }
    close(notices)
    guard clinux_become(account.uid, account.gid, account.groups, account.groups.count) == 0 else {
      _exit(1)
    }
    clinux_adopt_orphans("liburna-herald")
    _exit(run() ? 0 : 1)
  }

  /// Whether somebody knows of the end now.
  private func run() -> Bool {
    var waited = 0.0
    while !isExpected, waited < Self.acknowledgementLimit {
      if isAcknowledged { return true }
      pause(Self.lookPause)
      waited += Self.lookPause
    }
    while waited < Self.giveUpAfter {
      if isAcknowledged || tell() { return true }
      let length = waited < Self.startLimit ? Self.firstPause : Self.longestPause
      pause(length)
      waited += length
    }
    return false
  }

  private var isAcknowledged: Bool {
    var status = stat()
    return fstat(record, &status) != 0 || status.st_nlink == 0
  }

  private func pause(_ seconds: Double) { usleep(UInt32(seconds * 1e6)) }

  /// One connection with the word, as OAR's own nodes make it: the server closes it without an answer.
  private func tell() -> Bool {
    for address in addresses() {
      let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
      guard connection >= 0 else { return false }
      defer { close(connection) }
      var limit = timeval(tv_sec: Self.connectionLimit, tv_usec: 0)
      for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
        setsockopt(connection, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
      }
      var place = sockaddr_in()
      place.sin_family = sa_family_t(AF_INET)
      place.sin_port = UInt16(clamping: port).bigEndian
      place.sin_addr = address
      let code = withUnsafePointer(to: &place) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      guard code == 0, (try? Descriptors.write(connection, Array(word.utf8), named: server)) != nil
      else { continue }
      // It is read once the server has closed.
      if (try? Descriptors.read(connection, upTo: 256, named: server)) != nil { return true }
    }
    return false
  }

  /// A static program can't load the resolver's libraries: `getent` is asked.
  private func addresses() -> [in_addr] {
    let loop = EventLoop()
    var text = ""
    HelperProgram.run(
      "getent", ["ahostsv4", server], loop: loop, patience: Double(Self.connectionLimit)
    ) { result in
      if case .success(let output) = result { text = output.output }
      loop.stop()
    }
    loop.run()
    var found: [String] = []
    for line in text.split(separator: "\n") {
      guard let address = line.split(separator: " ").first.map(String.init) else { continue }
      if !found.contains(address) { found.append(address) }
    }
    return found.compactMap { text in
      var address = in_addr()
      return inet_pton(AF_INET, text, &address) == 1 ? address : nil
    }
  }
}
