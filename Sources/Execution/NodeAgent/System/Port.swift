// One end of a pipe or terminal on the event loop: bytes out of it with a pause, bytes into it with a bound.

import Glibc
import Wire

/// Reads and writes a descriptor without blocking. Owns it and closes it.
final class Port {
  /// Read at a time, in bytes.
  static let chunkSize = 32 << 10

  let descriptor: Int32
  private let loop: EventLoop
  private let isReader: Bool
  private let onBytes: ([UInt8]) -> Void
  private let onEnd: () -> Void
  /// Called with the number of bytes that were written, or thrown away because nobody reads them.
  var onWritten: (Int) -> Void = { _ in }
  private var pending: [UInt8] = []
  private var isPaused = false
  private var isAtEnd = false
  private var closesWhenWritten = false
  private(set) var isOpen = true

  /// Takes over a descriptor; `onBytes` and `onEnd` only matter to one that is read.
  init(
    loop: EventLoop, descriptor: Int32, reads isReader: Bool,
    onBytes: @escaping ([UInt8]) -> Void = { _ in }, onEnd: @escaping () -> Void = {}
  ) {
    self.loop = loop
    self.descriptor = descriptor
    self.isReader = isReader
    self.onBytes = onBytes
    self.onEnd = onEnd
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    loop.watch(descriptor, for: interest) { [weak self] in self?.ready($0) }
  }

  deinit { close() }

  /// Stops, or goes on, reading.
  func setPaused(_ paused: Bool) {
    guard isOpen, paused != isPaused else { return }
    isPaused = paused
    updateInterest()
  }

  /// Writes or queues. False when more than a channel's window would wait: nothing is taken then.
  func write(_ bytes: [UInt8]) -> Bool {
    guard isOpen, !closesWhenWritten else { return true }
    guard pending.count + bytes.count <= channelWindow else { return false }
    pending += bytes
    flush()
    return true
  }

  /// Closes as soon as everything queued is written.
  func closeWhenWritten() {
    closesWhenWritten = true
    flush()
  }

  func close() {
    guard isOpen else { return }
    isOpen = false
    loop.unwatch(descriptor)
    Glibc.close(descriptor)
  }

  private var interest: Readiness {
    var wanted: Readiness = isReader && !isPaused && !isAtEnd ? .read : []
    if !pending.isEmpty { wanted.insert(.write) }
    return wanted
  }

  /// A descriptor that wants nothing leaves the loop: epoll reports hang-ups for ever.
  private func updateInterest() {
    guard isOpen else { return }
    if interest.isEmpty {
      loop.unwatch(descriptor)
    } else {
      loop.watch(descriptor, for: interest) { [weak self] in self?.ready($0) }
    }
  }

  private func ready(_ readiness: Readiness) {
    if readiness.contains(.write) || (!isReader && readiness.contains(.hangup)) { flush() }
    if isReader, !isPaused, !isAtEnd, !readiness.isDisjoint(with: [.read, .hangup]) { receive() }
  }

  private func receive() {
    guard isOpen else { return }
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { buffer, filled in
      count = read(descriptor, buffer.baseAddress, Self.chunkSize)
      filled = max(0, count)
    }
    if count > 0 { return onBytes(bytes) }
    if count < 0, errno == EAGAIN || errno == EINTR { return }
    // A terminal whose user side was closed says EIO; that is its end of file.
    isAtEnd = true
    updateInterest()
    onEnd()
  }

  private func flush() {
    guard isOpen else { return }
    var written = 0
    while written < pending.count {
      let count = pending.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
      }
      if count < 0 {
        if errno == EINTR { continue }
        // Nobody reads any more: what waits has lost its reader.
        if errno != EAGAIN { written = pending.count }
        break
      }
      written += count
    }
    pending.removeFirst(written)
    if written > 0 { onWritten(written) }
    if pending.isEmpty, closesWhenWritten { return close() }
    updateInterest()
  }
}
