// Where a command writes: a descriptor, or memory in tests.

import Glibc

/// A buffered stream of text.
public final class TextStream {
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  /// Why text was lost, other than by a reader that went away: a full disk, say.
  private(set) var failure: String?
  /// Bytes that are held back before they are written.
  private static let bufferLimit = 1 << 16

  /// A stream that writes to a descriptor, or one that keeps everything (`-1`).
  public init(descriptor: Int32 = -1) {
    self.descriptor = descriptor
  }

  /// What a stream without a descriptor was given.
  public var captured: String { String(decoding: buffer, as: UTF8.self) }

  /// Whether it ends at a terminal.
  public var isTerminal: Bool { descriptor >= 0 && isatty(descriptor) == 1 }

  /// The rows and columns of the terminal it ends at; `nil` if it ends at none.
  public var terminalSize: (rows: Int, columns: Int)? {
    var size = winsize()
    guard isTerminal, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
      size.ws_row > 0
    else { return nil }
    return (Int(size.ws_row), Int(size.ws_col))
  }

  /// Writes text as it is.
  public func write(_ text: String) {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= Self.bufferLimit { flush() }
  }

  /// Writes a line.
  public func line(_ text: String = "") {
    write(text)
    write("\n")
  }

  /// Writes bytes at once, without the buffer's delay. Returns false if the reader is gone.
  @discardableResult
  public func pass(_ bytes: some Sequence<UInt8>) -> Bool {
    buffer.append(contentsOf: bytes)
    return flush()
  }

  /// Hands over what was held back. Returns false if the reader is gone; the text is then dropped.
  @discardableResult
  public func flush() -> Bool {
    guard descriptor >= 0, !buffer.isEmpty else { return true }
    let isWritten = writeAll(buffer, to: descriptor)
    if !isWritten, errno != EPIPE { failure = String(cString: strerror(errno)) }
    buffer.removeAll(keepingCapacity: true)
    return isWritten
  }
}

/// Writes every byte, waiting where the descriptor does not block by itself. Returns false on failure.
public func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  var start = 0
  while start < bytes.count {
    let written = bytes[start...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if written > 0 {
      start += written
    } else if errno == EAGAIN {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&waiting, 1, -1)
    } else if errno != EINTR {
      return false
    }
  }
  return true
}
