// Channels: the bytes of sessions and terminals, relayed between a command and the agent of a host.
// The two ends grant each other room (``channelWindow``); the server only passes on.

import ClusterModel
import Storage
import Wire

/// A session or terminal that a command is connected to.
struct Channel {
  let client: Int
  let request: Int
  let host: String
  let job: JobID
  /// The terminal of an interactive job, which outlives the connection.
  let isAttachment: Bool
  /// Bytes that the command may still send before the session grants more.
  var inputCredit = channelWindow
}

/// A command that waits for its interactive job.
struct Attacher {
  let client: Int
  let request: Int
  var size: TerminalSize
}

extension Controller {
  /// An interactive job whose terminal nobody came back to for so many seconds is ended.
  private static let reattachSeconds = 60.0

  // MARK: Opening

  /// Opens a session in a running job.
  func open(
    _ session: SessionRequest, _ id: Int, _ client: ClientConnection, _ asker: Asker
  ) throws(Refusal) {
    let job = try running(session.job, asker)
    let hosts = executions[job.id]?.hosts ?? []
    guard let host = session.host ?? hosts.first else {
      throw Refusal(.wrongState, "job \(job.id) has no host: there is nothing to connect to")
    }
    guard hosts.contains(host) else {
      throw Refusal(
        .badValue,
        "\(host) is not a host of job \(job.id) (these are: \(hosts.joined(separator: ", ")))")
    }
    let limit = ClientLimits.channelsPerClient
    guard channels.values.count(where: { $0.client == client.id }) < limit else {
      throw Refusal(.limit, "one command opens at most \(limit) sessions")
    }
    let channel = newChannel(client, id, host: host, job: job.id, isAttachment: false)
    let specification = state.session(in: job, on: host, session, settings: settings)
    if connections?.send(.openSession(channel: channel, specification), to: host) != true {
      channels[channel] = nil
      throw Refusal(.unavailable, "\(host) is not connected to the server now; try again later")
    }
  }

  private func running(_ id: JobID, _ asker: Asker) throws(Refusal) -> Job {
    guard id >= 1, id < state.nextJob else { throw Refusal(.unknownJob, "there is no job \(id)") }
    guard let job = state.jobs[id] else { throw Refusal(.wrongState, "job \(id) has ended") }
    guard asker.mayTouch(jobOf: job.request.user) else {
      throw Refusal(.notOwner, "job \(id) belongs to \(job.request.user); you are \(asker.name)")
    }
    guard job.state == .running else {
      throw Refusal(
        .wrongState, "the job \(id) is not running. Its current state is \(job.state.rawValue).")
    }
    return job
  }

  private func newChannel(
    _ client: ClientConnection, _ request: Int, host: String, job: JobID, isAttachment: Bool
  ) -> Int {
    let channel = nextChannel
    nextChannel += 1
    channels[channel] = Channel(
      client: client.id, request: request, host: host, job: job, isAttachment: isAttachment)
    return channel
  }

  // MARK: Terminals of interactive jobs

  /// Joins the terminal of an interactive job, now or when it runs.
  func attach(
    _ job: JobID, _ size: TerminalSize, _ id: Int, _ client: ClientConnection, _ asker: Asker
  ) throws(Refusal) {
    guard let known = state.jobs[job] else {
      guard job >= 1, job < state.nextJob else {
        throw Refusal(.unknownJob, "there is no job \(job)")
      }
      throw Refusal(.wrongState, "job \(job) has ended")
    }
    guard known.request.user == asker.name || asker.isAdministrator else {
      throw Refusal(.notOwner, "job \(job) belongs to \(known.request.user)")
    }
    guard known.request.kind == .interactive else {
      throw Refusal(.wrongState, "job \(job) is not interactive: use oarsub -C \(job)")
    }
    try addFollower(Follower(client: client.id, request: id, jobs: [job], user: asker.name))
    if let former = attachers[job] {
      clients[former.client]?.reply(
        former.request,
        .refused(Refusal(.wrongState, "the terminal of job \(job) is joined from elsewhere")))
    }
    attachers[job] = Attacher(client: client.id, request: id, size: size)
    client.reply(id, .notice(state.notice(of: known, at: Self.now)))
    if known.state == .running { attachWaiting(job) }
  }

  /// The job runs: its terminal can be joined by whoever waits for it.
  func attachWaiting(_ job: JobID) {
    guard let attacher = attachers[job], let execution = executions[job],
      let host = execution.head, let client = clients[attacher.client]
    else { return }
    let channel = newChannel(
      client, attacher.request, host: host, job: job, isAttachment: true)
    let request = AgentRequest.attach(channel: channel, execution.attempt, attacher.size)
    if connections?.send(request, to: host) == true {
      attachers[job] = nil
    } else {
      channels[channel] = nil
    }
  }

  /// The job is over before its terminal was joined.
  func refuseAttachers(of job: JobID) {
    guard let attacher = attachers.removeValue(forKey: job) else { return }
    clients[attacher.client]?.reply(
      attacher.request, .refused(Refusal(.wrongState, "job \(job) has ended")))
  }

  /// Ends an interactive job unless somebody joins its terminal in time.
  func awaitAttachment(of job: JobID) {
    loop.after(Self.reattachSeconds) {
      guard let known = self.state.jobs[job], known.state.holdsResources,
        self.attachers[job] == nil,
        !self.channels.values.contains(where: { $0.job == job && $0.isAttachment })
      else { return }
      var outcome = Outcome(changes: [
        .event(
          JobEvent(
            "LOST_SESSION", job: job, at: Self.now,
            "nobody came back to the terminal of job \(job)"))
      ])
      self.state.requestEnd(of: job, asker: "oar", at: Self.now, &outcome)
      self.commit(outcome)
    }
  }

  // MARK: News from hosts

  func channelOpened(_ channel: Int, on host: String) {
    guard let entry = channels[channel], entry.host == host else {
      connections?.send(.closeChannel(channel: channel, end: true), to: host)
      return
    }
    clients[entry.client]?.reply(entry.request, .channelOpened(channel: channel, host: host))
  }

  func channelFailed(_ channel: Int, _ text: String, on host: String) {
    guard let entry = channels[channel], entry.host == host else { return }
    channels[channel] = nil
    clients[entry.client]?.reply(entry.request, .refused(Refusal(.unavailable, text)))
    if entry.isAttachment { awaitAttachment(of: entry.job) }
  }

  func channelEnded(_ channel: Int, status: Int, on host: String) {
    guard let entry = channels[channel], entry.host == host else { return }
    channels[channel] = nil
    clients[entry.client]?.reply(entry.request, .channelEnded(channel: channel, status: status))
  }

  func relayOutput(_ channel: Int, _ bytes: [UInt8], from host: String) {
    guard let entry = channels[channel], entry.host == host else { return }
    clients[entry.client]?.stream.send(channel: channel, bytes)
  }

  func grantInput(_ channel: Int, _ bytes: Int, from host: String) {
    guard let entry = channels[channel], entry.host == host else { return }
    channels[channel]?.inputCredit += bytes
    clients[entry.client]?.reply(entry.request, .grant(channel: channel, bytes: bytes))
  }

  /// The connection to a host broke: sessions on it are over for the commands; a terminal can be joined again.
  func endChannels(on host: String) {
    for (channel, entry) in channels where entry.host == host {
      channels[channel] = nil
      if entry.isAttachment {
        if let client = clients[entry.client] { cutOff(client) }
        awaitAttachment(of: entry.job)
      } else {
        clients[entry.client]?.reply(
          entry.request, .channelEnded(channel: channel, status: 255 << 8))
      }
    }
  }

  // MARK: News from commands

  private func entry(_ channel: Int, of client: Int) -> Channel? {
    channels[channel].flatMap { $0.client == client ? $0 : nil }
  }

  func relayInput(_ channel: Int, _ bytes: [UInt8], from client: Int) throws(Refusal) {
    guard let entry = entry(channel, of: client) else { return }
    let credit = entry.inputCredit - bytes.count
    guard credit >= -ClientLimits.channelExcess else {
      throw Refusal(.protocolError, "more bytes on channel \(channel) than were granted")
    }
    channels[channel]?.inputCredit = credit
    connections?.send(channel: channel, bytes, to: entry.host)
  }

  func grantOutput(_ channel: Int, _ bytes: Int, _ client: Int) throws(Refusal) {
    guard let entry = entry(channel, of: client) else { return }
    guard (0...channelWindow).contains(bytes) else {
      throw Refusal(
        .protocolError, "a grant of \(bytes) bytes: allowed are 0 to \(channelWindow)")
    }
    connections?.send(.grant(channel: channel, bytes: bytes), to: entry.host)
  }

  func resize(_ channel: Int, _ size: TerminalSize, _ client: Int) {
    guard let entry = entry(channel, of: client) else { return }
    connections?.send(.resize(channel: channel, size), to: entry.host)
  }

  func endInput(_ channel: Int, _ client: Int) {
    guard let entry = entry(channel, of: client) else { return }
    connections?.send(.closeChannel(channel: channel, end: false), to: entry.host)
  }

  /// A command went away: its sessions end; the terminal of an interactive job waits for a while.
  func dropChannels(of client: Int) {
    for (channel, entry) in channels where entry.client == client {
      channels[channel] = nil
      connections?.send(.closeChannel(channel: channel, end: true), to: entry.host)
      if entry.isAttachment { awaitAttachment(of: entry.job) }
    }
    for (job, attacher) in attachers where attacher.client == client {
      attachers[job] = nil
      awaitAttachment(of: job)
    }
  }
}
