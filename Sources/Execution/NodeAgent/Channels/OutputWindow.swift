// What may be sent on a channel before its reader grants more: a value, without any descriptor.

import Wire

/// Lets bytes pass as far as they were granted, and holds what came too early.
struct OutputWindow {
  /// Bytes of one stream; `nil` for a terminal's.
  struct Piece: Equatable {
    var stream: OutputStream?
    var bytes: [UInt8]

    /// As they go over the wire.
    var data: [UInt8] { (stream.map { [$0.rawValue] } ?? []) + bytes }
  }

  private var credit = channelWindow
  private var held: [Piece] = []

  /// Whether the source must wait. It is told so only after one read too many: so it is known whether
  /// there was anything more to read.
  var isBlocked: Bool { !held.isEmpty }

  /// Takes bytes. Returns what may be sent.
  mutating func add(_ bytes: [UInt8], of stream: OutputStream? = nil) -> [Piece] {
    held.append(Piece(stream: stream, bytes: bytes))
    return release()
  }

  /// Takes a grant. Returns what may be sent.
  mutating func grant(_ bytes: Int) -> [Piece] {
    credit += bytes
    return release()
  }

  private mutating func release() -> [Piece] {
    var released: [Piece] = []
    while credit > 0, let first = held.first {
      if first.bytes.count <= credit {
        released.append(held.removeFirst())
        credit -= first.bytes.count
      } else {
        released.append(Piece(stream: first.stream, bytes: Array(first.bytes.prefix(credit))))
        held[0].bytes.removeFirst(credit)
        credit = 0
      }
    }
    return released
  }
}
