// A two-way stream of frames over descriptors, on the event loop.

import CLinux
import Encoding
import Glibc

/// Reads and writes frames without blocking. Owns its descriptors and closes them.
public final class FrameStream {
  /// A peer that lets so many bytes pile up is cut off: it would eat the server's memory.
  public static let outgoingLimit = 256 << 20

  /// What `onClose` says when the peer closed the stream between two frames.
  public static let endOfStream = "closed"

  private let loop: EventLoop
  private let input: Int32
  private let output: Int32
  private var reader: FrameReader
  private var outgoing: [UInt8] = []
  private var sent = 0
  private var isFlushing = false
  private var isOpen = true
  private var endsAfterFlush = false
  private var isPaused = false
  private var awaitsSpace = false
  private var watched = Readiness.read
  /// Called whenever everything that was queued is sent.
  public var onDrained: () -> Void = {}
  private var onFrame: (Frame) -> Void = { _ in }
  private var onClose: (String) -> Void = { _ in }

  /// Takes over the descriptors (the same one twice for a socket).
  public init(loop: EventLoop, input: Int32, output: Int32, sizeLimit: Int = Frame.sizeLimit) {
    self.loop = loop
    self.input = input
    self.output = output
    reader = FrameReader(sizeLimit: sizeLimit)
    for descriptor in [input, output] {
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }
  }

  /// Begins to read. `onClose` is called once, with the reason, unless ``close()`` was.
  public func start(onFrame: @escaping (Frame) -> Void, onClose: @escaping (String) -> Void) {
    self.onFrame = onFrame
    self.onClose = onClose
    loop.watch(input, for: .read) { [weak self] in self?.ready($0) }
  }

  /// Takes no more frames, those included that have come, until ``resume()``.
  public func pause() {
    guard isOpen, !isPaused else { return }
    isPaused = true
    rewatch()
  }

  /// Goes on after ``pause()``, at the end of the round.
  public func resume() {
    guard isOpen, isPaused, !endsAfterFlush else { return }
    isPaused = false
    rewatch()
    loop.afterThisRound { [weak self] in self?.deliver() }
  }

  /// Accepts longer frames from now on.
  public func raiseLimit(to limit: Int) { reader.sizeLimit = limit }

  /// Bytes that wait to be sent.
  public var backlog: Int { outgoing.count - sent }

  /// Sends a message, or queues it.
  public func send(_ message: some Encodable) {
    guard isOpen else { return }
    do {
      try FrameWriter.append(message, to: &outgoing)
      scheduleFlush()
    } catch {
      fail("a message can't be encoded: \(error)")
    }
  }

  /// Sends bytes of a channel, or queues them.
  public func send(channel: Int, _ bytes: [UInt8]) {
    guard isOpen else { return }
    FrameWriter.append(.channel(channel, bytes), to: &outgoing)
    scheduleFlush()
  }

  /// Closes at once; nothing more is called.
  public func close() {
    guard isOpen else { return }
    isOpen = false
    loop.unwatch(input)
    if output != input { loop.unwatch(output) }
    Glibc.close(input)
    if output != input { Glibc.close(output) }
    onFrame = { _ in }
    onClose = { _ in }
    onDrained = {}
  }

  /// Takes no more frames, and closes as soon as everything queued is sent.
  public func closeAfterFlush() {
    pause()
    endsAfterFlush = true
    scheduleFlush()
  }

  private func fail(_ reason: String) {
    guard isOpen else { return }
    let report = onClose
    close()
    report(reason)
  }

  private func ready(_ readiness: Readiness) {
    if readiness.contains(.write) { flush() }
    guard isOpen, !readiness.isDisjoint(with: [.read, .hangup]) else { return }
    // Whoever is gone would be reported again and again.
    if isPaused { return readiness.isDisjoint(with: .hangup) ? () : fail(Self.endOfStream) }
    receive()
  }

  private func receive() {
    let size = 64 << 10
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      count = read(input, buffer.baseAddress, size)
      filled = max(0, count)
    }
    if count == 0 {
      return fail(reader.isMidFrame ? "closed in the middle of a frame" : Self.endOfStream)
    }
    if count < 0 {
      if errno == EAGAIN || errno == EINTR { return }
      return fail(String(cString: strerror(errno)))
    }
    reader.append(bytes)
    deliver()
  }

  private func deliver() {
    do {
      while isOpen, !isPaused, let frame = try reader.next() { onFrame(frame) }
    } catch {
      fail(error.description)
    }
  }

  /// Many messages of one round leave in one write.
  private func scheduleFlush() {
    guard backlog <= Self.outgoingLimit else { return fail("it reads too slowly") }
    guard !isFlushing else { return }
    isFlushing = true
    loop.afterThisRound { [weak self] in
      self?.isFlushing = false
      self?.flush()
    }
  }

  private func flush() {
    guard isOpen else { return }
    while sent < outgoing.count {
      let count = outgoing.withUnsafeBytes { bytes in
        write(output, bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
      }
      if count < 0 {
        if errno == EINTR { continue }
        if errno == EAGAIN { return awaitSpace() }
        return fail(String(cString: strerror(errno)))
      }
      sent += count
    }
    outgoing.removeAll(keepingCapacity: outgoing.capacity <= 1 << 20)
    sent = 0
    awaitsSpace = false
    if input == output { rewatch() } else { loop.unwatch(output) }
    if endsAfterFlush { close() } else { onDrained() }
  }

  private func rewatch() {
    var readiness: Readiness = isPaused ? [] : .read
    if awaitsSpace, input == output { readiness.insert(.write) }
    guard readiness != watched else { return }
    watched = readiness
    loop.rewatch(input, for: readiness)
  }

  private func awaitSpace() {
    if sent > 1 << 20 {
      outgoing.removeSubrange(..<sent)
      sent = 0
    }
    awaitsSpace = true
    if input == output {
      rewatch()
    } else {
      loop.watch(output, for: .write) { [weak self] _ in self?.flush() }
    }
  }
}
