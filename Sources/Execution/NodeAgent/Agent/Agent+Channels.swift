// Sessions in jobs, and visits to the terminals of interactive ones.

import ClusterModel
import Glibc
import Wire

extension Agent: ChannelOwner {
  /// The most channels that are open at a time; each may have a window of bytes on its way.
  static let channelLimit = 512

  // MARK: Opening

  func openSession(_ channel: Int, _ specification: SessionSpecification) {
    guard isFree(channel) else { return }
    let path = specification.confinement.path
    guard isGroupPath(path), groups.exists(path) else {
      return send(
        .channelFailed(
          channel: channel,
          "job \(specification.job) is not on this host: there is no cgroup \(path)"))
    }
    openings.insert(channel)
    accounts.find(specification.user) { [unowned self] answer in
      guard openings.remove(channel) != nil else { return }
      switch answer {
      case .failure(let problem): send(.channelFailed(channel: channel, problem.text))
      case .success(let account): open(channel, specification, account)
      }
    }
  }

  private func open(_ number: Int, _ specification: SessionSpecification, _ account: Account) {
    do {
      let launch = try makeLaunch(specification, account)
      let session = try Session(
        number: number, launch: launch, size: specification.terminal?.size, loop: loop, owner: self
      ) { [unowned self] in send(.channelOpened(channel: number)) }
      channels[number] = session
    } catch {
      send(.channelFailed(channel: number, "\(error)"))
    }
  }

  private func makeLaunch(
    _ specification: SessionSpecification, _ account: Account
  ) throws(SystemError) -> Launch {
    let words = specification.command.map { ["-c", $0.joined(separator: " ")] } ?? []
    let isLogin = specification.command == nil
    var launch = Launch(
      program: account.shell, arguments: [shellName(account.shell, isLogin: isLogin)] + words)
    launch.account = account
    launch.directory = specification.directory ?? account.home
    launch.fallbackDirectory = specification.directory == nil ? "/" : nil
    launch.group = try groups.entry(specification.confinement.path)
    launch.hangsUpWithParent = true
    launch.openFiles = openFiles
    launch.environment = JobEnvironment.make(
      account: account, job: specification.environment,
      files: try fileNames(specification, account), group: specification.confinement.path,
      terminal: specification.terminal?.type)
    return launch
  }

  /// The job's files: those of its attempt, or copies where it has none.
  private func fileNames(
    _ specification: SessionSpecification, _ account: Account
  ) throws(SystemError) -> JobEnvironment.FileNames {
    let directory = specification.directory ?? account.home
    let running = attempts.first { $0.key.job == specification.job && $0.value.pidfd >= 0 }
    if let id = running?.key {
      return .init(
        nodes: spool.nodeFile(id), resources: spool.resourceFile(id), directory: directory)
    }
    let folder = spool.jobDirectory(specification.job)
    try Files.makeDirectories(folder, mode: 0o711)
    let names = JobEnvironment.FileNames(
      nodes: folder + "/nodes", resources: folder + "/resources", directory: directory)
    try Files.create(names.nodes, fileLines(specification.nodeFile), owner: account.uid)
    try Files.create(names.resources, fileLines(specification.resourceFile), owner: account.uid)
    return names
  }

  func attach(_ channel: Int, _ id: AttemptID, _ size: TerminalSize) {
    guard isFree(channel) else { return }
    guard let attempt = attempts[id], attempt.pidfd >= 0 else {
      return send(
        .channelFailed(channel: channel, "job \(id.job) has no terminal: it is not running"))
    }
    // The last to come has it.
    for (number, visit) in visits(id) {
      visit.abandon()
      self.channel(number, failed: "the terminal of job \(id.job) was joined from elsewhere")
    }
    do {
      let visit = try TerminalVisit(
        number: channel, attempt: id, spool: spool, size: size, loop: loop, owner: self
      ) { [unowned self] in send(.channelOpened(channel: channel)) }
      channels[channel] = visit
    } catch {
      send(.channelFailed(channel: channel, "\(error)"))
    }
  }

  private func isFree(_ channel: Int) -> Bool {
    if channels[channel] != nil || openings.contains(channel) {
      remark("channel \(channel) is open already")
      return false
    }
    guard channels.count + openings.count < Self.channelLimit else {
      send(
        .channelFailed(
          channel: channel, "there are \(Self.channelLimit) sessions on this host: too many"))
      return false
    }
    return true
  }

  // MARK: Closing

  func closeChannel(_ number: Int, _ isEnd: Bool) {
    if isEnd { openings.remove(number) }
    guard let channel = channels[number] else { return }
    if isEnd {
      channels[number] = nil
      channel.abandon()
    } else {
      channel.endInput()
    }
  }

  private func visits(_ id: AttemptID) -> [(Int, TerminalVisit)] {
    channels.compactMap { number, channel in
      guard let visit = channel as? TerminalVisit, visit.attempt == id else { return nil }
      return (number, visit)
    }
  }

  /// Tells visitors of an interactive attempt's terminal that it is over.
  func endVisits(_ id: AttemptID, _ status: AttemptStatus?) {
    var raw = 0
    if case .ended(let status, _, _) = status { raw = status }
    for (_, visit) in visits(id) { visit.attemptEnded(raw) }
  }

  // MARK: ChannelOwner

  func channel(_ number: Int, sent bytes: [UInt8]) {
    send(channel: number, bytes)
  }

  func channel(_ number: Int, consumed count: Int) {
    send(.grant(channel: number, bytes: count))
  }

  func channel(_ number: Int, endedWith status: Int) {
    channels[number] = nil
    send(.channelEnded(channel: number, status: status))
  }

  func channel(_ number: Int, failed text: String) {
    channels[number] = nil
    send(.channelFailed(channel: number, text))
  }
}
