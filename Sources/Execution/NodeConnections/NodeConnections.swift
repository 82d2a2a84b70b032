// The server's connections to the agents of all hosts: kept up, checked, and restored when they break.

import ClusterModel
import Encoding
import Glibc
import Wire

/// What the owner of the connections hears.
public enum HostNews: Sendable {
  /// An agent answers; these attempts are in its spool.
  case connected([AttemptID: AttemptStatus])
  /// The connection broke; it is being restored.
  case disconnected(String)
  case report(AgentReport)
  case channelData(channel: Int, [UInt8])
}

/// How connections are kept.
public struct ConnectionSettings: Sendable {
  /// Seconds between two checks that an agent answers.
  public var pingInterval = 5.0
  /// An agent that has not answered for so many seconds is disconnected.
  public var silenceLimit = 15.0
  /// The first pause before connecting again, in seconds; doubled up to `retryLimit`.
  public var retryPause = 0.2
  public var retryLimit = 5.0
  /// A command that has not led to a greeting after so many seconds is given up.
  public var connectLimit = 20.0
  /// At most so many connections are being opened at a time.
  public var concurrentOpens = 25
  /// How a host that lacks the agent's program gets it; `nil` if it must have it.
  public var delivery: ProgramDelivery?

  public init() {}
}

/// Connections to agents, on the event loop.
public final class NodeConnections {
  private let loop: EventLoop
  private let template: CommandTemplate
  private let settings: ConnectionSettings
  private let onNews: (String, HostNews) -> Void
  private var hosts: [String: HostConnection] = [:]
  private var queued: [String] = []
  private var opening = 0
  private var isOpeningQueued = false

  /// Prepares connections; `onNews` is called on the loop with a host's name.
  public init(
    loop: EventLoop, template: CommandTemplate, settings: ConnectionSettings,
    onNews: @escaping (String, HostNews) -> Void
  ) {
    self.loop = loop
    self.template = template
    self.settings = settings
    self.onNews = onNews
  }

  /// Connects to these hosts and to no others.
  public func setHosts(_ names: Set<String>) {
    for (name, connection) in hosts where !names.contains(name) {
      connection.end()
      hosts[name] = nil
    }
    for name in names.sorted() where hosts[name] == nil {
      hosts[name] = HostConnection(
        name: name, loop: loop, settings: settings,
        onNews: { [weak self] in self?.onNews(name, $0) },
        onOpened: { [weak self] in self?.opened() },
        onWanted: { [weak self] in self?.wanted(name) })
      wanted(name)
    }
  }

  /// Sends a request to a host's agent; `false` if it is not connected, and nothing was sent.
  @discardableResult
  public func send(_ request: AgentRequest, to host: String) -> Bool {
    hosts[host]?.send(request) ?? false
  }

  /// Sends bytes of a channel to a host's agent, if it is connected.
  public func send(channel: Int, _ bytes: [UInt8], to host: String) {
    hosts[host]?.send(channel: channel, bytes)
  }

  /// Whether a host's agent answers.
  public func isConnected(_ host: String) -> Bool { hosts[host]?.isConnected ?? false }

  /// Ends every connection; jobs go on.
  public func endAll() {
    for connection in hosts.values { connection.end() }
    hosts = [:]
  }

  private func wanted(_ name: String) {
    queued.append(name)
    openQueued()
  }

  private func opened() {
    opening -= 1
    openQueued()
  }

  /// Not nested: a command that can't be started is over before `open` returns.
  private func openQueued() {
    guard !isOpeningQueued else { return }
    isOpeningQueued = true
    defer { isOpeningQueued = false }
    while opening < settings.concurrentOpens, !queued.isEmpty {
      guard let connection = hosts[queued.removeFirst()] else { continue }
      opening += 1
      connection.open(with: template)
    }
  }
}
