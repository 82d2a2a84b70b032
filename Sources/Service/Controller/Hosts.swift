// Hosts: which are connected, which are lost, and how they come back.

import ClusterModel
import NodeConnections
import Storage
import Wire

/// The agents of the hosts, as the server sees them.
protocol Agents: AnyObject {
  /// Connects to these hosts and to no others.
  func setHosts(_ names: Set<String>)
  /// Sends a request to a host's agent; `false` if it is not connected, and nothing was sent.
  @discardableResult func send(_ request: AgentRequest, to host: String) -> Bool
  /// Sends bytes of a channel to a host's agent, if it is connected.
  func send(channel: Int, _ bytes: [UInt8], to host: String)
  /// Ends every connection; jobs go on.
  func endAll()
}

extension NodeConnections: Agents {}

/// What the server knows of its connection to a host.
struct HostLink {
  var isConnected = false
  /// Since when it is not, on the monotonic clock.
  var lostSince: UInt64 = EventLoop.monotonicNanoseconds
  /// Why it is not connected, as the log told it last.
  var toldReason = ""
  /// The silence was acted upon.
  var isDeclaredLost = false
}

extension Controller {
  /// Connects to the hosts that have resources.
  func refreshHosts() {
    let hosts = state.allHosts
    for host in hosts where links[host] == nil { links[host] = HostLink() }
    for host in links.keys where !hosts.contains(host) { links[host] = nil }
    tellLender { $0.setHosts(hosts) }
    connections?.setHosts(hosts)
  }

  /// Something from or about a host.
  func hear(_ news: HostNews, from host: String) {
    switch news {
    case .connected(let attempts): welcome(host, attempts)
    case .disconnected(let reason): part(from: host, reason)
    case .report(let report): hear(report, from: host)
    case .channelData(let channel, let bytes): relayOutput(channel, bytes, from: host)
    }
    scheduleWork()
  }

  private func welcome(_ host: String, _ attempts: [AttemptID: AttemptStatus]) {
    log.say("\(host) is connected, \(attempts.count) attempts in its spool")
    links[host] = HostLink(isConnected: true)
    tellLender { $0.connected(true, host) }
    adoptNumbers(attempts.keys, on: host)
    for (attempt, status) in attempts.sorted(by: { $0.key.job < $1.key.job }) {
      hear(status, of: attempt, from: host)
    }
    let jobs = jobs(on: host)
    for id in jobs {
      let knowsAttempt = executions[id].map { attempts[$0.attempt] != nil } ?? false
      resume(id, on: host, knowsAttempt: knowsAttempt)
    }
    connections?.send(
      .retain(
        jobs.filter { mayRun($0, on: host) }, root: settings.groupRoot,
        isShared: settings.withOAR2 != nil), to: host)
  }

  /// The jobs that were given to a host.
  private func jobs(on host: String) -> [JobID] {
    executions.compactMap { $0.value.hosts.contains(host) ? $0.key : nil }.sorted()
  }

  /// Whether anything of a job may be alive on one of its hosts.
  private func mayRun(_ id: JobID, on host: String) -> Bool {
    guard state.jobs[id] != nil, let execution = executions[id] else { return false }
    return !(execution.isReleasing && host == execution.head)
  }

  private func part(from host: String, _ reason: String) {
    guard var link = links[host] else { return }
    if link.isConnected {
      log.say("\(host) is lost: \(reason)")
      link.isConnected = false
      tellLender { $0.connected(false, host) }
      link.lostSince = EventLoop.monotonicNanoseconds
      links[host] = link
    } else if link.toldReason != reason {
      log.say("\(host) is not reached: \(reason)")
      links[host]?.toldReason = reason
    }
    endChannels(on: host)
  }

  /// Declares hosts lost whose silence lasted too long.
  func checkSilentHosts(at now: Instant) {
    let limit = UInt64(settings.nodeTimeout) * 1_000_000_000
    let time = EventLoop.monotonicNanoseconds
    for (host, link) in links
    where !link.isConnected && !link.isDeclaredLost && time - link.lostSince >= limit {
      links[host]?.isDeclaredLost = true
      declareLost(host, at: now)
    }
  }

  private func declareLost(_ host: String, at now: Instant) {
    log.say("\(host) has not answered for \(settings.nodeTimeout) s: suspected")
    var outcome = Outcome()
    state.suspectHosts([host], at: now, &outcome)
    commit(outcome)
    for id in jobs(on: host) {
      if let execution = executions[id] { lose(host, of: id, execution, at: now) }
    }
  }

  private func hear(_ report: AgentReport, from host: String) {
    switch report {
    case .attempt(let attempt, let status): hear(status, of: attempt, from: host)
    case .prepared(let id): prepared(id, on: host)
    case .prepareFailed(let id, let text): prepareFailed(id, on: host, text)
    case .released(let id): released(id, on: host)
    case .retained:
      var outcome = Outcome()
      state.healHost(host, at: Self.now, &outcome)
      commit(outcome)
    case .channelOpened(let channel): channelOpened(channel, on: host)
    case .channelFailed(let channel, let text): channelFailed(channel, text, on: host)
    case .channelEnded(let channel, let status): channelEnded(channel, status: status, on: host)
    case .grant(let channel, let bytes): grantInput(channel, bytes, from: host)
    case .lending(let report): hear(report, from: host)
    case .remark(let text): log.say("\(host): \(text)")
    case .hello, .pong: break
    }
  }
}
