// A host for tests: a state directory, users and cgroups of its own, and real agents on it.

import CLinux
import ClusterModel
import Encoding
import Glibc
import Testing
import Wire

@testable import NodeAgent

/// Tests of real agents need root, to become users and make cgroups.
let isRoot = getuid() == 0

/// Which cgroups the agents of a test see.
enum GroupVersion {
  case asMounted
  /// Version 2 alone, whatever else the machine has.
  case version2
  case none
}

/// One host. Everything on it is removed with it.
final class TestHost {
  static let user = "alice"
  static let uid: uid_t = 64001
  static let gid: gid_t = 64001
  /// A group that alice is in beside her own.
  static let physics: gid_t = 64007

  let root: String
  let groupRoot: String
  let groupVersion: GroupVersion
  private var agents: [pid_t] = []

  init(_ groupVersion: GroupVersion = .asMounted) throws {
    self.groupVersion = groupVersion
    let name = "liburna-test-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    root = "/tmp/" + name
    groupRoot = "/" + name
    try #require(mkdir(root, 0o755) == 0)
    try Files.makeDirectories(home, mode: 0o755)
    chown(home, Self.uid, Self.gid)
    try write(
      "passwd",
      """
      root:x:0:0:root:/root:/bin/sh
      \(Self.user):x:\(Self.uid):\(Self.gid):Alice:\(home):/bin/bash
      """)
    try write("group", "root:x:0:\nalice:x:\(Self.gid):\nphysics:x:\(Self.physics):alice\n")
  }

  var home: String { root + "/home/alice" }
  var state: String { root + "/state" }
  var run: String { root + "/run" }

  func write(_ name: String, _ text: String) throws {
    try Files.create("\(root)/\(name)", Array(text.utf8), owner: 0)
    chmod("\(root)/\(name)", 0o644)
  }

  /// The text of a file in alice's home.
  func homeFile(_ name: String) -> String {
    String(decoding: (try? Files.read("\(home)/\(name)")) ?? [], as: UTF8.self)
  }

  /// What the agents of this host find as cgroups, for looking at them from the test.
  var groups: any ControlGroups {
    MountedControlGroups.find(root: groupRoot, usesCPUs: true)
  }

  /// Starts an agent; it does not greet by itself.
  func startAgent() throws -> AgentClient {
    let client = try AgentClient(words: words)
    agents.append(client.pid)
    return client
  }

  /// Starts an agent and greets it.
  func agent() throws -> AgentClient {
    let client = try startAgent()
    try client.greet()
    return client
  }

  /// The agent in a mount namespace of its own, where the users of this host exist. The script is fixed;
  /// everything that varies comes as its words.
  private var words: [String] {
    let mounts =
      switch groupVersion {
      case .asMounted: ""
      case .version2: "umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && "
      case .none: "umount -R -l /sys/fs/cgroup && "
      }
    let script =
      mounts
      + #"mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/group && shift 2 && exec "$@""#
    return [
      "/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, "sh", root + "/passwd",
      root + "/group",
      Self.program, "agent", "--state", state, "--run", run, "--cgroup-root", groupRoot,
      "--host", "node1",
    ]
  }

  /// The agent's program is built beside the tests.
  static let program: String = {
    let tests = CommandLine.arguments[0]
    let slash = tests.lastIndex(of: "/") ?? tests.startIndex
    return tests[..<slash] + "/liburna-node"
  }()

  func specification(
    _ job: JobID, _ command: String?, walltime: Seconds = 600
  ) -> AttemptSpecification {
    AttemptSpecification(
      attempt: AttemptID(job: job, number: 1), user: Self.user, command: command, directory: home,
      stdout: "OAR.\(job).stdout", stderr: "OAR.\(job).stderr",
      environment: ["OAR_JOB_ID": "\(job)"], nodeFile: ["node1", "node1"],
      resourceFile: [" type = 'default'"], confinement: confinement(job), walltime: walltime)
  }

  func confinement(_ job: JobID) -> Confinement {
    Confinement(path: "oar/alice_\(job)", cpus: groupVersion == .asMounted ? [0] : [])
  }

  func session(
    _ job: JobID, _ command: [String]?, terminal: TerminalSpecification? = nil
  ) -> SessionSpecification {
    SessionSpecification(
      job: job, user: Self.user, command: command, directory: home,
      environment: ["OAR_JOB_ID": "\(job)"], nodeFile: ["node1"], resourceFile: [" a = 'b'"],
      confinement: confinement(job), terminal: terminal)
  }

  /// Ends everything and removes everything.
  func remove() {
    for agent in agents { kill(agent, SIGKILL) }
    for agent in agents { waitpid(agent, nil, 0) }
    let spool = try? Spool(state: state, run: run)
    for attempt in spool?.attempts() ?? [] {
      if case .running(let shepherd, let pidfd, _) = try? spool?.find(attempt, now: 0) {
        kill(shepherd, SIGKILL)
        close(pidfd)
      }
    }
    for name in Files.names(in: "/sys/fs/cgroup") + [""] { removeGroups("/sys/fs/cgroup/\(name)") }
    removeTree(root)
  }

  private func removeGroups(_ mount: String) {
    guard access(mount + groupRoot, F_OK) == 0 else { return }
    for _ in 0..<1000 where !removeGroupTree(mount + groupRoot) {
      for process in processesOfGroupTree(mount + groupRoot) { kill(process, SIGKILL) }
      usleep(5000)
    }
  }
}

private func removeTree(_ path: String) {
  if unlink(path) == 0 || rmdir(path) == 0 { return }
  for name in Files.names(in: path) { removeTree("\(path)/\(name)") }
  rmdir(path)
}

/// Runs a test on a host, and cleans up after it.
func withHost(_ version: GroupVersion = .asMounted, _ body: (TestHost) throws -> Void) throws {
  let host = try TestHost(version)
  defer { host.remove() }
  try body(host)
}

/// Whether something becomes true, given time. For what no event tells the test.
func eventually(_ condition: () -> Bool) -> Bool {
  for _ in 0..<12_000 {
    if condition() { return true }
    usleep(5000)
  }
  return false
}

/// Whether a process is there and not a zombie.
func isAlive(_ pid: Int) -> Bool {
  guard let text = Files.text("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
    return false
  }
  return text[end...].dropFirst(2).first != "Z"
}
