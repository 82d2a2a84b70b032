// What OAR 2's programs say to the server on SERVER_PORT: one line a connection, no answer. Anybody who
// reaches the port can send them, so every field is checked, and the one word that ends a job must bring
// the job's challenge.

import ClusterModel

/// A line as it was understood.
enum ServerWord: Hashable, Sendable {
  /// Something was written to the database: `Qsub`, `Qdel`, `Qresume`, `Walltime`, `ChState`, `Term`, `BipBip`.
  case look
  /// `Scheduling`: a planning pass is wanted.
  case plan
  /// `OARRUNJOB_<id>`: a metascheduler of OAR's gave a job its resources.
  case run(JobID)
  /// `OAREXEC_<id>_<code>_<status>_<challenge>`: what ran a job on its first node has ended.
  case ended(OARExecEnd)
  /// `LEONEXTERMINATE_<id>`: a job that could not be ended is to be given up.
  case exterminate(JobID)
  /// One of OAR's internal timers, which are ours here.
  case timer

  /// A line is at most this long, in bytes.
  static let longest = 256

  /// Reads a line without its end; `nil` for a word that is not known or has a field that can't be.
  init?(_ line: some StringProtocol) {
    guard line.utf8.count <= Self.longest else { return nil }
    let fields = line.split(separator: "_", omittingEmptySubsequences: false)
    if fields.count > 1 {
      guard let word = Self.aboutJob(fields.map { String($0) }) else { return nil }
      self = word
      return
    }
    // OAR's commands add options to the word (`Qsub -I`), which change nothing.
    switch line.split(separator: " ", maxSplits: 1).first ?? "" {
    case "Qsub", "Qdel", "Qresume", "Walltime", "ChState", "Term", "BipBip": self = .look
    case "Scheduling": self = .plan
    case "Villains", "Finaud", "Time": self = .timer
    default: return nil
    }
  }

  private static func aboutJob(_ fields: [String]) -> ServerWord? {
    guard let job = number(fields[1], atMost: Int(Int32.max)), job > 0 else { return nil }
    switch (fields[0], fields.count) {
    case ("OARRUNJOB", 2): return .run(job)
    case ("LEONEXTERMINATE", 2): return .exterminate(job)
    case ("OAREXEC", 5): return OARExecEnd(job, fields[2], fields[3], fields[4]).map { .ended($0) }
    default: return nil
    }
  }

  /// A number in digits alone, without a sign or leading zeros beyond it.
  fileprivate static func number(_ text: String, atMost limit: Int) -> Int? {
    guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy(isDigit), let number = Int(text),
      number <= limit
    else { return nil }
    return number
  }

  fileprivate static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}

/// The end of OAR 2's `oarexec` on the first node of a job.
struct OARExecEnd: Hashable, Sendable {
  let job: JobID
  /// How `oarexec` fared: 0 well, 3 the job was killed, 10 no working directory …; a byte.
  let code: Int
  /// The raw wait status of the job's command; `nil` (written `N`) if it has none.
  let status: Int?
  /// What proves that the sender ran the job; digits.
  let challenge: String

  fileprivate init?(_ job: JobID, _ code: String, _ status: String, _ challenge: String) {
    guard let code = ServerWord.number(code, atMost: 255),
      (1...Self.longestChallenge).contains(challenge.utf8.count),
      challenge.utf8.allSatisfy(ServerWord.isDigit)
    else { return nil }
    if status == "N" {
      self.status = nil
    } else {
      guard let number = ServerWord.number(status, atMost: 65535) else { return nil }
      self.status = number
    }
    self.job = job
    self.code = code
    self.challenge = challenge
  }

  private static let longestChallenge = 64

  /// Whether the challenge is the job's. Takes equally long however much of it is right.
  func proves(_ secret: String) -> Bool {
    let (given, right) = (Array(challenge.utf8), Array(secret.utf8))
    guard !right.isEmpty, given.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in right.indices { difference |= given[index] ^ right[index] }
    return difference == 0
  }

  /// What OAR's `bipbip` is told, after its name.
  var arguments: [String] {
    [String(job), String(code), status.map { String($0) } ?? "N", challenge]
  }
}
