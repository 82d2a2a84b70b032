// The connection to the agent of one host.

import CLinux
import ClusterModel
import Encoding
import Glibc
import Wire

final class HostConnection {
  private enum State {
    case idle
    /// The command runs, the agent has not greeted yet.
    case opening
    case connected
    case ended
  }

  private let name: String
  private let loop: EventLoop
  private let settings: ConnectionSettings
  private let onNews: (HostNews) -> Void
  private let onOpened: () -> Void
  private let onWanted: () -> Void

  private var state = State.idle
  private var stream: FrameStream?
  private var pid: pid_t = 0
  private var timer: TimerToken?
  private var pause: Double
  private var lastHeard: UInt64 = 0
  private var pings = 0
  /// The program was brought there in this opening.
  private var hasDelivered = false

  init(
    name: String, loop: EventLoop, settings: ConnectionSettings,
    onNews: @escaping (HostNews) -> Void, onOpened: @escaping () -> Void,
    onWanted: @escaping () -> Void
  ) {
    self.name = name
    self.loop = loop
    self.settings = settings
    self.onNews = onNews
    self.onOpened = onOpened
    self.onWanted = onWanted
    pause = settings.retryPause
  }

  var isConnected: Bool { state == .connected }

  func open(with template: CommandTemplate) {
    guard state == .idle else { return onOpened() }
    state = .opening
    hasDelivered = false
    start(template)
  }

  private func start(_ template: CommandTemplate) {
    let words: [String]
    do {
      words = try template.words(host: name)
    } catch {
      return lost("\(error)")
    }
    switch AgentProcess.start(words) {
    case .failure(let error): lost("cannot start \(words[0]): \(error)")
    case .success(let process):
      pid = process.pid
      let stream = FrameStream(loop: loop, input: process.output, output: process.input)
      self.stream = stream
      stream.start(
        onFrame: { [weak self] in self?.receive($0) },
        onClose: { [weak self] in self?.closed($0, template) })
      stream.send(AgentRequest.hello(version: nodeProtocolVersion))
      timer = loop.after(settings.connectLimit) { [weak self] in
        self?.lost("no greeting within \(self?.settings.connectLimit ?? 0) s")
      }
    }
  }

  func send(_ request: AgentRequest) -> Bool {
    guard isConnected, let stream else { return false }
    stream.send(request)
    return true
  }

  func send(channel: Int, _ bytes: [UInt8]) {
    guard isConnected else { return }
    stream?.send(channel: channel, bytes)
  }

  func end() {
    let wasOpening = state == .opening
    state = .ended
    closeStream()
    if wasOpening { onOpened() }
  }

  private func receive(_ frame: Frame) {
    lastHeard = EventLoop.monotonicNanoseconds
    switch frame {
    case .channel(let channel, let bytes):
      if isConnected { onNews(.channelData(channel: channel, bytes)) }
    case .message(let bytes):
      do {
        try receive(CBORDecoder().decode(AgentReport.self, from: bytes))
      } catch {
        lost("it sent what can't be read: \(error)")
      }
    }
  }

  private func receive(_ report: AgentReport) {
    switch report {
    case .hello(let version, _, let attempts):
      guard version == nodeProtocolVersion else {
        return lost(
          "its agent speaks version \(version) of the protocol, the server "
            + "\(nodeProtocolVersion): install the same release of Liburna on both")
      }
      greeted(attempts)
    case .pong: break
    case _ where isConnected: onNews(.report(report))
    case .remark(let text): onNews(.report(.remark(text)))
    default: lost("it speaks before it greets")
    }
  }

  private func greeted(_ attempts: [AttemptID: AttemptStatus]) {
    guard state == .opening else { return lost("it greets twice") }
    state = .connected
    pause = settings.retryPause
    if let timer { loop.cancel(timer) }
    checkLater()
    onOpened()
    onNews(.connected(attempts))
  }

  private func checkLater() {
    timer = loop.after(settings.pingInterval) { [weak self] in self?.check() }
  }

  private func check() {
    let silence = Double(EventLoop.monotonicNanoseconds - lastHeard) / 1e9
    guard silence < settings.silenceLimit else {
      return lost("no answer for \(Int(silence)) s")
    }
    pings += 1
    stream?.send(AgentRequest.ping(pings))
    checkLater()
  }

  // MARK: Hosts without the program

  /// The command closed its output. Before a greeting its exit code may say that the host lacks the program.
  private func closed(_ reason: String, _ template: CommandTemplate) {
    guard state == .opening, let delivery = settings.delivery, pid > 0 else { return lost(reason) }
    let process = pid
    pid = 0
    closeStream()
    loop.wait(for: process, limit: settings.connectLimit) { [weak self] end in
      guard let self, self.state == .opening else { return }
      guard end == .exited(ProgramDelivery.missingCode), !hasDelivered else {
        return lost("no greeting: it \(end)")
      }
      hasDelivered = true
      deliver(delivery, template)
    }
  }

  private func deliver(_ delivery: ProgramDelivery, _ template: CommandTemplate) {
    delivery.bring(to: name, on: loop) { [weak self] problem in
      guard let self, self.state == .opening else { return }
      if let problem { return lost("the agent's program could not be brought there: \(problem)") }
      start(template)
    }
  }

  // MARK: The end

  private func lost(_ reason: String) {
    guard state == .opening || state == .connected else { return }
    let wasOpening = state == .opening
    state = .idle
    closeStream()
    loop.after(pause) { [weak self] in
      guard let self, self.state == .idle else { return }
      self.onWanted()
    }
    pause = min(pause * 2, settings.retryLimit)
    if wasOpening { onOpened() }
    onNews(.disconnected(reason))
  }

  private func closeStream() {
    if let timer { loop.cancel(timer) }
    timer = nil
    stream?.close()
    stream = nil
    if pid > 0 { Self.reap(pid, loop: loop, tries: 0) }
    pid = 0
  }

  /// Waits for the command without blocking; after a while it is made to end.
  private static func reap(_ pid: pid_t, loop: EventLoop, tries: Int) {
    guard waitpid(pid, nil, WNOHANG) == 0 else { return }
    if tries == 5 { kill(pid, SIGTERM) }
    if tries == 50 { kill(pid, SIGKILL) }
    loop.after(tries < 10 ? 0.02 : 0.2) { reap(pid, loop: loop, tries: tries + 1) }
  }
}
