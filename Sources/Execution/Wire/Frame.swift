// Frames: how messages and raw bytes share one byte stream.
//
// A frame is a length (4 bytes, big-endian, of what follows), a kind (1 byte) and its content: a CBOR
// message (kind 0), or a channel's number (4 bytes, big-endian) and raw bytes of that channel (kind 1).

import Encoding

/// One unit of a byte stream.
public enum Frame: Sendable, Equatable {
  /// An encoded message.
  case message([UInt8])
  /// Bytes of a channel; empty data is allowed and means nothing.
  case channel(Int, [UInt8])

  /// Frames between parties that know each other are at most this long, in bytes.
  public static let sizeLimit = 64 << 20

  /// Frames of a client that has not said who it is are at most this long, in bytes.
  public static let greetingSizeLimit = 64 << 10
}

/// Why a byte stream is not a stream of frames.
public struct FrameError: Error, CustomStringConvertible, Sendable {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// Writes frames.
public enum FrameWriter {
  /// Appends the frame of a message.
  public static func append(_ message: some Encodable, to buffer: inout [UInt8]) throws {
    append(.message(try CBOREncoder().encode(message)), to: &buffer)
  }

  /// Appends a frame.
  public static func append(_ frame: Frame, to buffer: inout [UInt8]) {
    switch frame {
    case .message(let bytes):
      appendNumber(bytes.count + 1, to: &buffer)
      buffer.append(0)
      buffer.append(contentsOf: bytes)
    case .channel(let number, let bytes):
      appendNumber(bytes.count + 5, to: &buffer)
      buffer.append(1)
      appendNumber(number, to: &buffer)
      buffer.append(contentsOf: bytes)
    }
  }

  private static func appendNumber(_ number: Int, to buffer: inout [UInt8]) {
    for shift in [24, 16, 8, 0] { buffer.append(UInt8(truncatingIfNeeded: number >> shift)) }
  }
}

/// Cuts a byte stream into frames, however it was chopped on its way.
public struct FrameReader: Sendable {
  /// The longest frame that is accepted; may be raised once the other side is known.
  public var sizeLimit: Int
  private var buffer: [UInt8] = []
  private var start = 0

  public init(sizeLimit: Int = Frame.sizeLimit) { self.sizeLimit = sizeLimit }

  /// Takes bytes as they came.
  public mutating func append(_ bytes: some Collection<UInt8>) {
    if start > 0, start == buffer.count || start > 1 << 20 {
      buffer.removeSubrange(..<start)
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole frame; `nil` if more bytes are needed.
  ///
  /// - Throws: ``FrameError`` when the bytes can't be a frame; the stream is then of no use.
  public mutating func next() throws(FrameError) -> Frame? {
    guard buffer.count - start >= 5 else { return nil }
    let length = number(at: start)
    guard length >= 1, length <= sizeLimit else {
      throw FrameError("a frame of \(length) bytes (allowed: 1 to \(sizeLimit))")
    }
    let kind = buffer[start + 4]
    guard kind == 0 || (kind == 1 && length >= 5) else {
      throw FrameError("a frame of kind \(kind) and \(length) bytes")
    }
    guard buffer.count - start >= 4 + length else { return nil }
    let end = start + 4 + length
    defer { start = end }
    if kind == 0 { return .message(Array(buffer[(start + 5)..<end])) }
    return .channel(number(at: start + 5), Array(buffer[(start + 9)..<end]))
  }

  /// Whether part of a frame is waiting for its rest.
  public var isMidFrame: Bool { start < buffer.count }

  private func number(at index: Int) -> Int {
    (0..<4).reduce(0) { $0 << 8 | Int(buffer[index + $1]) }
  }
}
