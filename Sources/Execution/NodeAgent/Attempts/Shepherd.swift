// The shepherd: a process of its own that runs one attempt, ends it in time, and writes down how it ended.
// It is forked from the agent, needs nobody afterwards, and is found again by its lock on the record.

import CLinux
import ClusterModel
import Glibc
import Wire

/// What a shepherd is given.
struct ShepherdDuty {
  var specification: AttemptSpecification
  var account: Account
  var spool: Spool
  var groups: any ControlGroups
  /// Where it says that the command runs.
  var notices: Int32
  /// The limit of open files for the command.
  var openFiles: UInt64
  /// OAR's account, for a server in the place of OAR 2's.
  var oarAccount: Account?
}

/// One attempt, in the shepherd's process.
final class Shepherd {
  /// Seconds that the last kill waits for processes which can't die, before the end is written down.
  static let patience = 60.0
  /// Seconds between tries to write the end on a failing disk, and how many of them.
  static let writePause: UInt32 = 1
  static let writeTries = 60
  /// Milliseconds that the line about the kill may take to get into the user's file.
  static let epitaphPatience: Int32 = 2000

  let duty: ShepherdDuty
  let loop: EventLoop
  private var clock: ShepherdClock
  private var timer: TimerToken?
  var command: pid_t = 0
  var commandEnd: (status: Int32, at: Instant)?
  private var report: Int32 = -1
  var launch: Launch?
  private var since: Instant = 0
  /// Open for as long as this process lives: it carries the lock.
  private var record: Int32 = -1
  private var terminal: ShepherdTerminal?
  private var epitaph: pid_t = 0
  /// Leon asked for the end.
  var wasEndedByOAR = false

  /// Forks a shepherd; it is the caller's child.
  static func start(_ duty: ShepherdDuty) throws(SystemError) -> pid_t {
    let pid = clinux_fork()
    guard pid >= 0 else { throw SystemError("cannot fork a shepherd") }
    if pid == 0 {
      let notices = detach(duty.notices)
      var duty = duty
      duty.notices = notices
      Shepherd(duty).run()
    }
    return pid
  }

  /// Leaves the agent's session, connection and descriptors. Returns the pipe's new number.
  private static func detach(_ notices: Int32) -> Int32 {
    setsid()
    let null = open("/dev/null", O_RDWR)
    for target: Int32 in 0...2 { dup2(null, target) }
    dup2(notices, 3)
    clinux_close_from(4)
    let signals = ShepherdSignal.all + OAR2Signal.all + [SIGINT, SIGHUP]
    clinux_block(signals, signals.count)
    clinux_adopt_orphans("liburna-shep")
    return 3
  }

  private init(_ duty: ShepherdDuty) {
    self.duty = duty
    loop = EventLoop()
    let specification = duty.specification
    clock = ShepherdClock(
      walltime: specification.walltime, checkpoint: specification.checkpoint, now: Self.now)
  }

  var specification: AttemptSpecification { duty.specification }
  var path: String { duty.specification.confinement.path }

  /// Milliseconds of the monotonic clock.
  private static var now: Int { Int(EventLoop.monotonicNanoseconds / 1_000_000) }

  private func run() -> Never {
    since = Instant(time(nil))
    let record = AttemptRecord(
      since: since, groupPath: path, isInteractive: specification.command == nil)
    guard case .some(.some(let file)) = try? duty.spool.claim(specification.attempt, record) else {
      _exit(1)
    }
    self.record = file
    do {
      try begin()
    } catch {
      fail(error)
    }
    loop.run()
    _exit(0)
  }

  // MARK: The beginning

  private func begin() throws(LaunchProblem) {
    do {
      try duty.groups.create(specification.confinement)
    } catch {
      throw LaunchProblem(.confinement, "\(error)")
    }
    do {
      try writeFiles()
      try announce()
    } catch {
      throw LaunchProblem(.host, "\(error)")
    }
    try runPrologue()
    do {
      let launch = try makeLaunch()
      (command, report) = try launch.start()
      self.launch = launch
    } catch {
      throw LaunchProblem(.host, "\(error)")
    }
    terminal?.closeUserSide()
    launch?.group = nil
    watchSignals()
    loop.watch(report, for: .read) { [unowned self] _ in readReport() }
    setTimer()
  }

  private func writeFiles() throws(SystemError) {
    try makeTraces()
    let attempt = specification.attempt
    let owner = duty.account.uid
    try Files.create(
      duty.spool.nodeFile(attempt), fileLines(specification.nodeFile), owner: owner)
    try Files.create(
      duty.spool.resourceFile(attempt), fileLines(specification.resourceFile), owner: owner)
  }

  private func makeLaunch() throws(SystemError) -> Launch {
    let account = duty.account
    let attempt = specification.attempt
    if isHolding { return try makeHolder() }
    let directory = workingDirectory
    let isLogin = specification.command == nil
    let words = specification.command.map { ["-c", $0] } ?? []
    var launch = Launch(
      program: account.shell, arguments: [shellName(account.shell, isLogin: isLogin)] + words)
    launch.account = account
    launch.directory = directory
    launch.group = try duty.groups.entry(path)
    launch.openFiles = duty.openFiles
    var names = JobEnvironment.FileNames(
      nodes: duty.spool.nodeFile(attempt), resources: duty.spool.resourceFile(attempt),
      directory: directory)
    if isLogin {
      let terminal = try ShepherdTerminal(
        loop: loop, socket: duty.spool.terminalSocket(attempt), owner: account.uid,
        size: specification.terminal?.size)
      launch.terminal = terminal.userSide
      self.terminal = terminal
    } else {
      names.stdout = fullPath(specification.stdout, in: directory)
      names.stderr = fullPath(specification.stderr, in: directory)
      launch.outputPath = names.stdout
      launch.errorPath = names.stderr
    }
    launch.environment = JobEnvironment.make(
      account: account, job: specification.environment, files: names, group: path,
      terminal: isLogin ? specification.terminal?.type : nil)
    launch.environment.merge(oar2Environment) { $1 }
    if let oar2 = specification.oar2, oar2.files.cpuset == nil {
      launch.environment["OAR_CPUSET"] = nil
    }
    return launch
  }

  /// Where the command begins.
  var workingDirectory: String {
    specification.directory.isEmpty ? duty.account.home : specification.directory
  }

  /// The child's word: a failure, or the end of the pipe, which means that the command runs.
  private func readReport() {
    guard report >= 0, let launch else { return }
    let bytes = try? Descriptors.read(
      report, upTo: MemoryLayout<clinux_launch_report>.size, named: "the report")
    loop.unwatch(report)
    close(report)
    report = -1
    if let failure = LaunchReport(bytes ?? []) { fail(LaunchProblem(failure, of: launch)) }
    let attempt = specification.attempt
    LaunchNotice(job: Int64(attempt.job), number: Int64(attempt.number), since: Int64(since))
      .send(to: duty.notices)
  }

  private func fail(_ problem: LaunchProblem) -> Never {
    if command > 0 { waitpid(command, nil, 0) }
    _ = duty.groups.destroy(path, patience: Self.patience)
    removeTraces()
    finish(.failed(problem.kind, problem.text))
  }

  // MARK: Signals and time

  private func watchSignals() {
    let signals = ShepherdSignal.all + (specification.oar2 == nil ? [] : OAR2Signal.all)
    let descriptor = clinux_signal_descriptor(signals, signals.count)
    loop.watch(descriptor, for: .read) { [unowned self] _ in
      var info = signalfd_siginfo()
      let size = MemoryLayout<signalfd_siginfo>.size
      while read(descriptor, &info, size) == size { received(info) }
      setTimer()
    }
  }

  private func received(_ info: signalfd_siginfo) {
    let number = Int32(bitPattern: info.ssi_signo)
    if let signal = OAR2Signal(rawValue: number) { return received(signal) }
    guard let signal = ShepherdSignal(rawValue: number) else { return reap() }
    switch signal {
    case .kill: end(.killed, grace: Seconds(info.ssi_int))
    case .signal: kill(-command, info.ssi_int)
    case .suspended: clock.suspend(now: Self.now)
    case .resumed: clock.resume(now: Self.now)
    case .walltime: clock.change(walltime: Seconds(info.ssi_int), now: Self.now)
    }
  }

  private func setTimer() {
    if let timer { loop.cancel(timer) }
    timer = clock.nextDeadline.map { deadline in
      loop.after(Double(deadline - Self.now) / 1000) { [unowned self] in
        timer = nil
        for action in clock.due(now: Self.now) { perform(action) }
        finishIfOver()
        setTimer()
      }
    }
  }

  func end(_ cause: EndCause, grace: Seconds) {
    if let action = clock.end(cause, grace: grace, now: Self.now) { perform(action) }
  }

  func perform(_ action: ShepherdClock.Action) {
    switch action {
    case .checkpoint:
      kill(-command, Int32(clamping: specification.checkpointSignal))
    case .terminate:
      terminate()
    case .kill:
      kill(-command, SIGKILL)
      duty.groups.killAll(path)
      killOrphans()
    }
  }

  private func terminate() {
    // A login shell takes no notice of SIGTERM.
    let signals = terminal == nil ? [SIGTERM, SIGCONT] : [SIGTERM, SIGHUP, SIGCONT]
    let processes = Set(duty.groups.processes(path) + ownChildren())
    for signal in signals {
      for process in processes { kill(process, signal) }
    }
    try? duty.groups.setFrozen(path, false)
    if terminal == nil, commandEnd == nil { writeEpitaph() }
  }

  // MARK: The end

  private func reap() {
    var status: Int32 = 0
    while true {
      let pid = waitpid(-1, &status, WNOHANG)
      guard pid > 0 else { break }
      if pid == command {
        commandEnd = (status, Instant(time(nil)))
        readReport()
      }
    }
    finishIfOver()
  }

  /// The attempt is over when its command is. Once it is being ended, what the command has left
  /// behind keeps the rest of its grace.
  private func finishIfOver() {
    guard let (status, at) = commandEnd else { return }
    if clock.cause != nil, !clock.isPastGrace(now: Self.now), !ownChildren().isEmpty { return }
    let isHungUp = terminal != nil && status & 0x7f == SIGHUP
    let cause = causeAfterEpilogue(clock.cause ?? (isHungUp ? .hangup : .command))
    _ = duty.groups.destroy(path, patience: Self.patience)
    buryOrphans()
    removeTraces()
    // What held the job was ended by us.
    let isOver = isHolding && cause == .hangup
    finish(.ended(status: isOver ? 0 : Int(status), cause: cause, at: at))
  }

  private func finish(_ status: AttemptStatus) -> Never {
    awaitEpitaph()
    for _ in 0..<Self.writeTries {
      if (try? Spool.write(status, to: record)) != nil { break }
      sleep(Self.writePause)
    }
    leaveHerald(status, record: record, notices: duty.notices)
    _exit(0)
  }

  /// Orphans become this process's children: so they are found even where there is no cgroup.
  private func ownChildren() -> [pid_t] {
    let text = Files.text("/proc/self/task/\(getpid())/children") ?? ""
    return text.split(separator: " ").compactMap { pid_t($0) }.filter { $0 != epitaph }
  }

  private func killOrphans() {
    guard duty.groups is NoControlGroups else { return }
    for child in ownChildren() { kill(child, SIGKILL) }
  }

  /// Kills generation after generation; only once the command itself was waited for.
  private func buryOrphans() {
    guard duty.groups is NoControlGroups else { return }
    while case let children = ownChildren(), !children.isEmpty {
      for child in children {
        kill(child, SIGKILL)
        waitpid(child, nil, 0)
      }
    }
  }

  // MARK: The line about the kill

  /// Says in the job's error file that it was killed. A child does it as the user, since the way to the
  /// file is the user's.
  private func writeEpitaph() {
    let account = duty.account
    let file = launch?.errorPath ?? "/dev/null"
    let text = "## OAR [\(Self.localTime())] Job \(specification.attempt.job) KILLED ##\n"
    epitaph = clinux_fork()
    guard epitaph == 0 else { return }
    guard clinux_become(account.uid, account.gid, account.groups, account.groups.count) == 0 else {
      _exit(1)
    }
    let output = open(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o644)
    if output >= 0 { try? Descriptors.write(output, Array(text.utf8), named: file) }
    _exit(0)
  }

  private func awaitEpitaph() {
    guard epitaph > 0 else { return }
    let pidfd = clinux_pidfd_open(epitaph)
    guard pidfd >= 0 else { return }
    var event = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
    poll(&event, 1, Self.epitaphPatience)
    waitpid(epitaph, nil, WNOHANG)
  }

  /// The time of day as OAR writes it: `2026-11-20 15:04:05`.
  private static func localTime() -> String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    let two = { (number: Int32) in number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }
}

/// A file of lines.
func fileLines(_ lines: [String]) -> [UInt8] {
  var bytes: [UInt8] = []
  for line in lines {
    bytes += line.utf8
    bytes.append(UInt8(ascii: "\n"))
  }
  return bytes
}
