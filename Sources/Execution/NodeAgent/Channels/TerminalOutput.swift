// The end of a terminal's output. After its program has ended, what it wrote last may still be on its way
// through the kernel, and other programs may keep the terminal open: bytes are awaited for a moment.

import Wire

/// Reads a terminal's master side, as far as is granted, until there is nothing more to come.
final class TerminalOutput {
  /// Seconds without bytes after which a terminal, whose program has ended, counts as read.
  static let quiet = 0.2

  private let loop: EventLoop
  private let onBytes: ([UInt8]) -> Void
  private var port: Port?
  private var window = OutputWindow()
  private var hasEnded = false
  private var isAtEnd = false
  private var timer: TimerToken?
  private var onRead: (() -> Void)?

  /// Takes over `master`; `onRead` is called once, after ``programEnded()``, when all bytes were given.
  init(
    loop: EventLoop, master: Int32, onBytes: @escaping ([UInt8]) -> Void,
    onRead: @escaping () -> Void
  ) {
    self.loop = loop
    self.onBytes = onBytes
    self.onRead = onRead
    port = Port(
      loop: loop, descriptor: master, reads: true,
      onBytes: { [weak self] in self?.give($0) }, onEnd: { [weak self] in self?.ended() })
  }

  /// Called with the numbers of bytes that the terminal took.
  var onWritten: (Int) -> Void {
    get { port?.onWritten ?? { _ in } }
    set { port?.onWritten = newValue }
  }

  var descriptor: Int32 { port?.descriptor ?? -1 }

  func write(_ bytes: [UInt8]) -> Bool { port?.write(bytes) ?? true }

  /// Bytes that the terminal said, from wherever they come.
  func give(_ bytes: [UInt8]) { pass(window.add(bytes)) }

  /// So many bytes more may be given.
  func grant(_ bytes: Int) { pass(window.grant(bytes)) }

  /// From now on silence is the end.
  func programEnded() {
    hasEnded = true
    wait()
  }

  func close() {
    if let timer { loop.cancel(timer) }
    timer = nil
    onRead = nil
    port?.close()
  }

  private func pass(_ pieces: [OutputWindow.Piece]) {
    for piece in pieces { onBytes(piece.data) }
    port?.setPaused(window.isBlocked)
    wait()
  }

  private func wait() {
    if let timer { loop.cancel(timer) }
    timer = nil
    guard hasEnded, !window.isBlocked else { return }
    if isAtEnd { return ended() }
    timer = loop.after(Self.quiet) { [weak self] in self?.ended() }
  }

  private func ended() {
    isAtEnd = true
    guard hasEnded, !window.isBlocked else { return }
    let report = onRead
    close()
    report?()
  }
}
