// The narrow place where labs differ: how hosts are made, reached and ended. A backend gets plans and
// gives back lines to the first processes that carry them out; all else is the same for every lab.

import Compositions
import Glibc

/// What makes the hosts of a lab. A backend keeps nothing: what it must remember is in the lab's state.
protocol Backend: Sendable {
  /// Refuses what this machine can't do, before anything is made: the error says what to change.
  func check(_ settings: LabSettings) throws

  /// Where hosts' file systems begin, made ready; called before anything of the lab exists. The result
  /// goes into the plans of the role's hosts.
  func prepareRoot(of role: Role, _ startup: Startup) throws -> PreparedRoot

  /// The hosts of a start that has its roots, with their places, where the backend has any of its own:
  /// machines and addresses. On disk is still the lab as it was.
  func placed(_ hosts: [LabState.Host], _ startup: Startup) throws -> [LabState.Host]

  /// Makes what all hosts share: the network, homes. The lab is new, its state is on disk.
  func open(_ startup: Startup) throws

  /// Chooses the lab's network, and takes it where others could: the second byte of its addresses.
  func takeSubnet(_ startup: Startup) throws -> UInt8

  /// Makes ready what takes its time for the hosts that are to be launched next, all at once.
  func makeReady(_ plans: [HostPlan], _ startup: Startup) throws

  /// Starts the first process of a host with its plan. The host is up when that process reports
  /// ``BootReport/ready`` on the line.
  func launch(_ plan: HostPlan, _ startup: Startup) throws -> LaunchedHost

  func isAlive(_ host: LabState.Host, in state: LabState) -> Bool

  /// Whether a service of a host that is alive answers now.
  func answers(_ readiness: Readiness, of plan: HostPlan, in state: LabState) -> Bool

  /// Starts a command in a host that is alive, as a child of ours which ends as the command does.
  ///
  /// - Parameter descriptors: the command's standard input, output and error.
  func start(
    _ command: HostCommand, on host: String, in state: LabState, descriptors: [Int32]
  ) throws -> Child

  /// Runs a command on a terminal of the host, relayed to ours, and gives its exit code.
  func runOnTerminal(_ command: HostCommand, on host: String, in state: LabState) throws -> Int32

  /// Lets all processes of a host that is alive stand still, or go on.
  func pause(_ host: String, _ isPaused: Bool, in state: LabState) throws

  /// Sets how a host that is alive is connected.
  func link(_ host: String, _ link: LinkState, in state: LabState) throws

  /// Lets hosts that are alive write out what their disks do not have yet. They do not stand still yet.
  func settle(_ hosts: [String], in state: LabState) throws

  /// Keeps a copy of the disks of all hosts and of what they share. Hosts stand still meanwhile.
  func save(_ snapshot: String, of state: LabState) throws

  /// Puts a copy that was kept in the place of the disks. No host is alive.
  func restore(_ snapshot: String, of state: LabState) throws

  /// Brings the logs of a host that are kept elsewhere up to date in the lab's directory.
  func fetchLogs(of host: String, in state: LabState) throws

  /// Ends a host at once, as a power failure does. Its disk stays. Fine if it is not there.
  func end(_ host: String, in state: LabState) throws

  /// Removes what stays of a host that was ended and leaves the lab: its disk. Fine if there is nothing.
  func discard(_ host: String, in state: LabState) throws

  /// Removes everything of the lab outside its directory. Fine if there is only a part of it.
  func end(_ state: LabState) throws
}

extension Backend {
  func takeSubnet(_ startup: Startup) throws -> UInt8 { HostAddress.standardSubnet }
  func makeReady(_ plans: [HostPlan], _ startup: Startup) throws {}
  func placed(_ hosts: [LabState.Host], _ startup: Startup) throws -> [LabState.Host] { hosts }
  func fetchLogs(of host: String, in state: LabState) throws {}
  func settle(_ hosts: [String], in state: LabState) throws {}
}

/// A root file system that is ready for hosts.
struct PreparedRoot: Equatable, Sendable {
  /// The directories that hosts see, topmost first; empty for the machine's own root.
  var directories: [String]
  /// Mount points of the machine, beside /, that hosts on its own root need as layers.
  var layers: [String] = []
  /// Directories and links of a root that consists of those layers alone.
  var skeleton: [PlannedItem] = []
  /// Its accounts.
  var accounts: Accounts
}

/// A host's first process, under way.
struct LaunchedHost {
  /// The process on this machine, if there is one.
  var first: KnownProcess?
  /// What the backend calls the host, if it isn't that process.
  var id: String?
  /// Our end of the line to it.
  var channel: ControlChannel
}

extension BackendKind {
  /// The backend itself, for one lab.
  func backend(for lab: Lab) throws -> any Backend {
    switch self {
    case .namespaces: try NamespacesBackend(entering: lab)
    case .podman, .docker: ContainersBackend(lab: lab, kind: self)
    case .vm: VirtualBackend(lab: lab)
    case .machines: MachinesBackend(lab: lab)
    }
  }
}
