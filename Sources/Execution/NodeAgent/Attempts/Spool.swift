// The attempts of this host: a record each on its disk, made atomically and kept until acknowledged, and a
// directory of what only serves while it runs.

import CLinux
import ClusterModel
import Glibc
import Wire

/// The agent's state and run directories.
struct Spool {
  /// What is found of an attempt whose record is there.
  enum Finding {
    /// Nothing will change any more.
    case over(AttemptStatus)
    /// Its shepherd lives; the descriptor tells when it ends.
    case running(shepherd: pid_t, pidfd: Int32, record: AttemptRecord)
    /// Its shepherd died without a word; nobody else can take the attempt up again.
    case lost(AttemptRecord)
  }

  /// Outlives the host: the records.
  let state: String
  /// Need not outlive it, and so may lie in memory: what jobs read.
  let run: String

  init(state: String, run: String) throws(SystemError) {
    self.state = state
    self.run = run
    try Files.makeDirectories("\(state)/attempts", mode: 0o711)
    // Users pass through to their own files, but can't look around.
    try Files.makeDirectories("\(run)/attempts", mode: 0o711)
    try Files.makeDirectories("\(run)/jobs", mode: 0o711)
  }

  func recordPath(_ attempt: AttemptID) -> String { "\(state)/attempts/\(attempt)" }
  func directory(_ attempt: AttemptID) -> String { "\(run)/attempts/\(attempt)" }
  func nodeFile(_ attempt: AttemptID) -> String { directory(attempt) + "/nodes" }
  func resourceFile(_ attempt: AttemptID) -> String { directory(attempt) + "/resources" }
  func terminalSocket(_ attempt: AttemptID) -> String { directory(attempt) + "/terminal" }

  /// The directory of a job that only has sessions here.
  func jobDirectory(_ job: JobID) -> String { "\(run)/jobs/\(job)" }

  /// Makes an attempt's record, empty, and its directory. False if the record is there.
  func create(_ attempt: AttemptID) throws(SystemError) -> Bool {
    let path = recordPath(attempt)
    let file = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if file < 0, errno == EEXIST { return false }
    guard file >= 0 else { throw SystemError("cannot make \(path)") }
    close(file)
    do {
      try Files.makeDirectories(directory(attempt), mode: 0o711)
    } catch {
      unlink(path)
      throw error
    }
    return true
  }

  /// Every attempt that has a record.
  func attempts() -> [AttemptID] {
    Files.names(in: "\(state)/attempts").compactMap { AttemptID(fileName: $0) }
  }

  /// The status, once it can't change any more.
  func status(_ attempt: AttemptID) -> AttemptStatus? {
    (try? Files.read(recordPath(attempt))).flatMap { AttemptStatus(record: $0) }
  }

  /// Forgets an attempt.
  func remove(_ attempt: AttemptID) {
    Self.removeFlat(directory(attempt))
    unlink(recordPath(attempt))
  }

  /// Forgets what a job's sessions needed.
  func removeJob(_ job: JobID) { Self.removeFlat(jobDirectory(job)) }

  private static func removeFlat(_ directory: String) {
    for name in Files.names(in: directory) { unlink("\(directory)/\(name)") }
    rmdir(directory)
  }

  // MARK: Records

  /// Writes down the end of an attempt in its record, where it outlives every process.
  static func write(_ status: AttemptStatus, to record: Int32) throws(SystemError) {
    let bytes = status.recordBytes
    let count = bytes.withUnsafeBytes {
      pwrite(record, $0.baseAddress, $0.count, off_t(AttemptRecord.endOffset))
    }
    guard count == bytes.count else {
      throw SystemError("cannot write down the end of an attempt")
    }
  }

  /// Makes the end of an attempt outlive a crash of the host as well.
  func sync(_ attempt: AttemptID) throws(SystemError) {
    let file = try open(attempt)
    defer { close(file) }
    guard fsync(file) == 0 else {
      throw SystemError("cannot make \(recordPath(attempt)) durable")
    }
  }

  /// Writes down the end of an attempt that has no shepherd.
  func write(_ status: AttemptStatus, of attempt: AttemptID) throws(SystemError) {
    let file = try open(attempt)
    defer { close(file) }
    if try Descriptors.read(file, upTo: 1, named: recordPath(attempt)).isEmpty {
      try fill(file)
    }
    try Self.write(status, to: file)
  }

  /// Takes an attempt for this process: the record's lock, held until the process ends, is what makes it
  /// the shepherd. `nil` if somebody was faster.
  func claim(_ attempt: AttemptID, _ record: AttemptRecord) throws(SystemError) -> Int32? {
    let path = recordPath(attempt)
    let file = Glibc.open(path, O_RDWR | O_CLOEXEC)
    guard file >= 0 else { throw SystemError("cannot open \(path)") }
    // An agent that came in between has declared the attempt failed.
    guard clinux_lock(file) == 0, lseek(file, 0, SEEK_END) == 0 else {
      close(file)
      return nil
    }
    try Descriptors.write(file, record.bytes, named: path)
    // Not synced: it outlives every process, and if the host crashes the attempt has died as well. Until
    // the server knows that it runs, it is launched anew then, as any job that was being launched.
    return file
  }

  /// How often a shepherd may turn out to have ended just while it was looked at.
  static let findTries = 100

  /// Looks at an attempt of which this agent knows nothing yet.
  func find(_ attempt: AttemptID, now: Instant) throws(SystemError) -> Finding {
    let path = recordPath(attempt)
    for _ in 0..<Self.findTries {
      let file = try open(attempt)
      defer { close(file) }
      let holder = clinux_lock_holder(file)
      if holder > 0, let pidfd = watch(holder, file) {
        let record = AttemptRecord(
          try Descriptors.read(file, upTo: AttemptRecord.size, named: path))
        let unwritten = AttemptRecord(since: now, groupPath: "", isInteractive: false)
        return .running(shepherd: holder, pidfd: pidfd, record: record ?? unwritten)
      }
      // From here on a shepherd that is late finds the record taken, and gives up.
      guard clinux_lock(file) == 0 else { continue }
      let bytes = try Descriptors.read(file, upTo: AttemptRecord.size, named: path)
      if let status = AttemptStatus(record: bytes) { return .over(status) }
      if let record = AttemptRecord(bytes) { return .lost(record) }
      let status = AttemptStatus.failed(
        .interrupted, "the host or its agent failed before the job began")
      try fill(file)
      try Self.write(status, to: file)
      return .over(status)
    }
    throw SystemError("cannot watch the shepherd of attempt \(attempt)", code: EAGAIN)
  }

  private func open(_ attempt: AttemptID) throws(SystemError) -> Int32 {
    let path = recordPath(attempt)
    let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw SystemError("cannot open \(path)") }
    return file
  }

  /// A record of an attempt that never began.
  private func fill(_ file: Int32) throws(SystemError) {
    guard ftruncate(file, off_t(AttemptRecord.size)) == 0 else {
      throw SystemError("cannot make the record of an attempt")
    }
  }

  /// A descriptor of the process that holds the lock. It held it before and after: so it is the one.
  private func watch(_ holder: pid_t, _ file: Int32) -> Int32? {
    let pidfd = clinux_pidfd_open(holder)
    guard pidfd >= 0 else { return nil }
    if clinux_lock_holder(file) == holder { return pidfd }
    close(pidfd)
    return nil
  }
}
