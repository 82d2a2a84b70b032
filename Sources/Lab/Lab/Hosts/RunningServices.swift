// The services of a host, as its first process has them: started once, and reaped, like every
// orphan of the host, when they end.

import CLinux
import Glibc

struct RunningServices {
  private struct Running {
    var service: PlannedService
    /// Milliseconds on the clock of `Deadline`.
    var began: Int64
    /// How often in a row it ended as soon as it had begun.
    var failures = 0
  }

  private var running: [pid_t: Running] = [:]
  private let accounts: Accounts
  /// The environment of the host beyond what every process has.
  private let variables: [String]
  private let makesDevices: Bool
  /// The directory of the logs, which is out of reach by name once the host has its own root.
  private let logs: Int32

  static let environment = [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
  ]
  /// A service that ends within so many milliseconds of its start has failed to start.
  private static let shortLife: Int64 = 50
  /// After so many such failures in a row a service is not started again.
  private static let failureLimit = 5

  /// Starts the services of a host; each writes to a log of its own in the directory `logs`.
  static func start(_ plan: HostPlan, logs: Int32) throws -> RunningServices {
    var running = RunningServices(
      accounts: try Accounts(root: ""), plan, logs: logs)
    for service in plan.services { try running.start(service) }
    return running
  }

  private init(accounts: Accounts, _ plan: HostPlan, logs: Int32) {
    self.accounts = accounts
    variables = plan.environment
    makesDevices = plan.containers
    self.logs = logs
  }

  private mutating func start(_ service: PlannedService, failures: Int = 0) throws {
    let log = try Self.log(service.name, in: logs)
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer {
      close(log)
      close(input)
    }
    let account = service.account
    let child = try Launch(
      program: .path(service.arguments[0], in: HostEntry.searchPath), arguments: service.arguments,
      environment: Self.environment + variables + [
        "HOME=\(account.home)", "USER=\(account.name)", "LOGNAME=\(account.name)",
      ],
      descriptors: [input, log, log], directory: "/",
      identity: .init(user: account.uid, group: account.gid, groups: accounts.groups(of: account)),
      newSession: true, confined: true, makesDevices: makesDevices
    ).start()
    close(child.descriptor)
    running[child.pid] = Running(service: service, began: Deadline.now, failures: failures)
  }

  /// Opens the log of a service, or of something else that writes one.
  static func log(_ name: String, in logs: Int32) throws -> Int32 {
    let log = openat(logs, name + ".log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else { throw LabError.system("open", "\(name).log") }
    return log
  }

  /// Waits for whatever ends, and says so when it is a service.
  mutating func reapForever(_ channel: BootChannel) -> Never {
    var ends = sigset_t()
    sigemptyset(&ends)
    sigaddset(&ends, SIGCHLD)
    sigprocmask(SIG_BLOCK, &ends, nil)
    while true {
      reap(reporting: channel.send)
      var signal: Int32 = 0
      sigwait(&ends, &signal)
    }
  }

  /// Takes note of whatever has ended: services are reported and started again if they are kept, the
  /// exit codes of others are passed on.
  mutating func reap(
    reporting report: (BootReport) -> Void, others: (pid_t, Int32) -> Void = { _, _ in }
  ) {
    var status: Int32 = 0
    while true {
      let pid = waitpid(-1, &status, WNOHANG)
      guard pid > 0 else { return }
      let code = exitCode(ofStatus: status)
      guard let ended = running.removeValue(forKey: pid) else {
        others(pid, code)
        continue
      }
      let name = ended.service.name
      report(.ended(name, code))
      Self.tell("service \(name) ended with exit code \(code)")
      guard ended.service.isKept else { continue }
      let isFailure = Deadline.now - ended.began < Self.shortLife
      let failures = isFailure ? ended.failures + 1 : 0
      guard failures < Self.failureLimit else {
        Self.tell("service \(name) is not started again")
        continue
      }
      do {
        try start(ended.service, failures: failures)
      } catch {
        Self.tell("service \(name) can't be started again: \(error)")
      }
    }
  }

  /// Writes a line to the host's boot log.
  private static func tell(_ text: String) {
    let line = text + "\n"
    _ = write(STDOUT_FILENO, line, line.utf8.count)
  }
}
