// How far the server has come with a job on its hosts: what it waits for, not what is durable.

import ClusterModel
import Wire

/// How a job will have ended once its hosts are clean.
struct Verdict {
  /// The raw wait status, if the command ran.
  var status: Int?
  var state: JobState
  /// What subscribers hear; by default how it ended.
  var news: String?
  /// When it ended, if that is known better than by when its hosts are clean.
  var date: Instant?
  /// The job is to run again.
  var owed: OwedJob?
}

/// The execution of a job that has resources.
struct Execution {
  enum Phase {
    /// The other hosts make its cgroup.
    case preparing
    /// Its first host was told to start it, or will be when it is connected.
    case starting
    case running
    /// It ended; the other hosts clean up.
    case releasing(Verdict)
  }

  var attempt: AttemptID
  /// The first is the one that runs the command; none for a job without processes.
  let hosts: [String]
  private(set) var phase = Phase.preparing
  /// The hosts whose answer is awaited.
  var pending: Set<String> = []
  /// The server was started after the job was given resources, and the first host has not said yet whether
  /// the command began: until then nobody may take that it did not.
  var mayHaveBegun = false
  /// The site's prologue on the server has not been run for it yet.
  var isPrologueDue = false
  /// Counts the phases, so that a wait knows whether it is still the present one's.
  private(set) var step = 0

  /// What stands among the hosts whose answer is awaited for a program on the server; no host is called so.
  static let serverHook = "the server's hook"
  /// The same for hosts that are being taken back from Kubernetes.
  static let lender = "the lender"

  var head: String? { hosts.first }

  /// The hosts beside the first.
  var others: ArraySlice<String> { hosts.dropFirst() }

  var isReleasing: Bool {
    if case .releasing = phase { true } else { false }
  }

  var isPreparing: Bool {
    if case .preparing = phase { true } else { false }
  }

  var isStarting: Bool {
    if case .starting = phase { true } else { false }
  }

  var isRunning: Bool {
    if case .running = phase { true } else { false }
  }

  mutating func enter(_ phase: Phase, awaiting hosts: some Sequence<String> = []) {
    self.phase = phase
    pending = Set(hosts)
    step += 1
  }
}
