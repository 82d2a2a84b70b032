// What the server and the agent of a host say to each other.

import ClusterModel

/// The version of the messages between server and agent; both must speak the same one.
public let nodeProtocolVersion = 4

/// One try at running a job: the name of its directory on the host.
public struct AttemptID: Hashable, Codable, Sendable, CustomStringConvertible {
  public var job: JobID
  /// From 1; a job is tried again only when its first try never began.
  public var number: Int

  public init(job: JobID, number: Int) {
    self.job = job
    self.number = number
  }

  public var description: String { "\(job).\(number)" }
}

/// How a job's processes are confined on one host.
public struct Confinement: Hashable, Codable, Sendable {
  /// The cgroup below the host's own, such as `oar/alice_12`.
  public var path: String
  /// PU numbers on this host; empty for no cpuset.
  public var cpus: [Int]
  /// A limit in bytes; `nil` for none.
  public var memoryLimit: Int?

  public init(path: String, cpus: [Int], memoryLimit: Int? = nil) {
    self.path = path
    self.cpus = cpus
    self.memoryLimit = memoryLimit
  }
}

/// The size of a terminal in characters.
public struct TerminalSize: Hashable, Codable, Sendable {
  public var rows: Int
  public var columns: Int

  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }
}

/// Everything a host needs to run a job's command. Sent to the first host of the job.
public struct AttemptSpecification: Codable, Sendable {
  public var attempt: AttemptID
  public var user: String
  /// Run by the user's shell with `-c`; `nil` for an interactive job, which gets a login shell on a terminal
  /// (or holds its hosts only, when ``terminal`` is `nil` as well: OAR 2's `oarsub` opens its own session).
  public var command: String?
  public var directory: String
  /// Resolved file names, relative ones to `directory`; appended to.
  public var stdout: String
  public var stderr: String
  /// Variables beside those that the agent sets itself (HOME, SHELL, USER, LOGNAME, PATH and the file names).
  public var environment: [String: String]
  /// One line a resource: its host (OAR_NODEFILE and its aliases).
  public var nodeFile: [String]
  /// One line a resource: ` prop = 'value' , …` (OAR_RESOURCE_PROPERTIES_FILE).
  public var resourceFile: [String]
  public var confinement: Confinement
  public var walltime: Seconds
  /// Seconds before the end at which `checkpointSignal` is sent; 0 for never.
  public var checkpoint: Seconds
  public var checkpointSignal: Int
  /// The terminal's type (TERM) and first size, for an interactive job.
  public var terminal: TerminalSpecification?
  /// For a server in the place of OAR 2's.
  public var oar2: OAR2Attempt?

  public init(
    attempt: AttemptID, user: String, command: String?, directory: String, stdout: String,
    stderr: String, environment: [String: String], nodeFile: [String], resourceFile: [String],
    confinement: Confinement, walltime: Seconds, checkpoint: Seconds = 0,
    checkpointSignal: Int = 12, terminal: TerminalSpecification? = nil, oar2: OAR2Attempt? = nil
  ) {
    self.attempt = attempt
    self.user = user
    self.command = command
    self.directory = directory
    self.stdout = stdout
    self.stderr = stderr
    self.environment = environment
    self.nodeFile = nodeFile
    self.resourceFile = resourceFile
    self.confinement = confinement
    self.walltime = walltime
    self.checkpoint = checkpoint
    self.checkpointSignal = checkpointSignal
    self.terminal = terminal
    self.oar2 = oar2
  }
}

/// A terminal to be made on a host.
public struct TerminalSpecification: Hashable, Codable, Sendable {
  public var type: String
  public var size: TerminalSize

  public init(type: String, size: TerminalSize) {
    self.type = type
    self.size = size
  }
}

/// A process beside the job's own, in the job's cgroup: `oarsh` and `oarsub -C`.
public struct SessionSpecification: Codable, Sendable {
  public var job: JobID
  public var user: String
  /// The words of the command, run by the user's shell joined with blanks (as ssh does); `nil` for a login shell.
  public var command: [String]?
  public var directory: String?
  public var environment: [String: String]
  /// The node file and resource file of the job, for hosts that do not run its command.
  public var nodeFile: [String]
  public var resourceFile: [String]
  public var confinement: Confinement
  public var terminal: TerminalSpecification?

  public init(
    job: JobID, user: String, command: [String]?, directory: String?,
    environment: [String: String], nodeFile: [String], resourceFile: [String],
    confinement: Confinement, terminal: TerminalSpecification?
  ) {
    self.job = job
    self.user = user
    self.command = command
    self.directory = directory
    self.environment = environment
    self.nodeFile = nodeFile
    self.resourceFile = resourceFile
    self.confinement = confinement
    self.terminal = terminal
  }
}

/// Why an attempt ended.
public enum EndCause: String, Codable, Sendable {
  /// The command ended by itself.
  case command
  /// The walltime was over.
  case walltime
  /// The server asked for it.
  case killed
  /// The terminal's owner went away.
  case hangup
  /// The shepherd was lost: the exit status is not known.
  case lost
  /// The command ended by itself; the site's epilogue on the host failed.
  case epilogue
}

/// Why an attempt could not begin.
public enum LaunchFailure: String, Codable, Sendable {
  /// The user can't enter the directory.
  case directory
  /// An output file can't be opened.
  case outputFile
  /// The host knows no such user.
  case user
  /// The cgroup could not be made.
  case confinement
  /// The site's prologue on the host failed.
  case prologue
  /// The agent ended before the command began: nothing ran, and the attempt can be made again under the next number.
  case interrupted
  /// Anything else on the host.
  case host
}

/// What the agent knows of an attempt.
public enum AttemptStatus: Codable, Sendable {
  case running(pid: Int, since: Instant)
  /// `status` is the raw wait status (code × 256 + signal).
  case ended(status: Int, cause: EndCause, at: Instant)
  case failed(LaunchFailure, String)
}

/// How many bytes of a channel each side may send before the other grants more. Both ends begin with one
/// window; whoever has consumed bytes grants as many again, so that one slow reader never blocks a host.
public let channelWindow = 256 * 1024

/// The first byte of a channel's data when the session has no terminal: which of its outputs it is.
/// (With a terminal, and towards the session, data has no such byte.)
public enum OutputStream: UInt8, Sendable {
  case standardOutput = 1
  case standardError = 2
}

/// Server → agent.
public enum AgentRequest: Codable, Sendable {
  /// First message; the agent answers with ``AgentReport/hello(version:host:attempts:)``.
  case hello(version: Int)
  /// Makes the job's cgroup on a host; answered by `prepared` or `prepareFailed`. Repeating it does no harm.
  case prepare(JobID, user: String, Confinement, OAR2Files?)
  /// Starts an attempt unless its directory exists; answered by `attempt` either way.
  case start(AttemptSpecification)
  /// Ends an attempt: SIGTERM, after `grace` seconds SIGKILL, and then everything in its cgroup.
  case kill(AttemptID, grace: Seconds)
  /// Sends a signal (by number) to the job's command.
  case signal(AttemptID, Int)
  /// The walltime of a running attempt from its start on, whatever it was before. Repeating it does no harm.
  case walltime(AttemptID, Seconds)
  /// Freezes or thaws everything of a job on this host.
  case suspend(JobID, Confinement)
  case resume(JobID, Confinement)
  /// The server has recorded the end: forget the attempt.
  case acknowledge(AttemptID)
  /// Kills what is left of a job on this host and removes its cgroup; answered by `released`.
  case release(JobID, Confinement)
  /// Only these jobs may have processes on this host: kills and removes whatever there is of others (attempts,
  /// sessions, cgroups below `root`; ended attempts stay spooled until acknowledged); answered by `retained`
  /// when nothing of them is left. Sent after each hello: what was missed while disconnected is made good.
  /// With `isShared` others may have jobs here as well (those that OAR 2 started): only what this agent or its
  /// predecessors made is looked at.
  case retain([JobID], root: String, isShared: Bool)
  /// Opens a session; `channel` is the server's number for its bytes.
  case openSession(channel: Int, SessionSpecification)
  /// Joins the terminal of an interactive attempt.
  case attach(channel: Int, AttemptID, TerminalSize)
  case resize(channel: Int, TerminalSize)
  /// The client has consumed so many bytes of the channel: the agent may send as many more.
  case grant(channel: Int, bytes: Int)
  /// No more input on the channel (`end: false`), or the client is gone (`end: true`).
  case closeChannel(channel: Int, end: Bool)
  /// Lets Kubernetes' pods run on this host, or keeps them away; answered by `lending`. Jobs start on a host that
  /// was ever told only while it is closed and clean.
  case lend(LendingOrder)
  /// Asks for a `pong` with the same number.
  case ping(Int)
}

/// Agent → server.
public enum AgentReport: Codable, Sendable {
  /// `attempts`: every attempt in the spool.
  case hello(version: Int, host: String, attempts: [AttemptID: AttemptStatus])
  /// An attempt changed, or answers `start`.
  case attempt(AttemptID, AttemptStatus)
  case prepared(JobID)
  case prepareFailed(JobID, String)
  case released(JobID)
  case retained
  case channelOpened(channel: Int)
  /// The session has consumed so many bytes of its input: the client may send as many more.
  case grant(channel: Int, bytes: Int)
  case channelFailed(channel: Int, String)
  /// The session ended with a raw wait status; its bytes were all sent before.
  case channelEnded(channel: Int, status: Int)
  /// How the host stands to pods: after the greeting if it was ever told, and after each change.
  case lending(LendingReport)
  case pong(Int)
  /// Something for the server's log.
  case remark(String)
}
