// Lines and messages over any stream of bytes: a socket, a pipe, a terminal line of a virtual machine.
// A message is CBOR behind its length, four bytes in network order.

import Encoding
import Glibc

enum ByteStream {
  /// The most bytes of one message.
  static let messageLimit = 64 << 20
  /// The most bytes of one line.
  static let lineLimit = 64 << 10

  static func write(_ text: String, to descriptor: Int32) throws {
    try write(Array(text.utf8), to: descriptor)
  }

  /// Writes everything, waiting as need be. A reader that is gone is an error, not a signal.
  static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let put = rest.withUnsafeBytes { part in
        let sent = Glibc.send(descriptor, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
        return sent < 0 && errno == ENOTSOCK
          ? Glibc.write(descriptor, part.baseAddress, part.count) : sent
      }
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else { throw LabError.system("reach", "a process of the lab") }
      rest = rest.dropFirst(put)
    }
  }

  static func send(_ message: some Encodable, to descriptor: Int32) throws {
    try write(try bytes(of: message), to: descriptor)
  }

  /// A message as it is sent.
  static func bytes(of message: some Encodable) throws -> [UInt8] {
    let body = try CBOREncoder().encode(message)
    guard body.count <= messageLimit else {
      throw LabError(
        "a message of \(body.count) bytes is too long; at most \(messageLimit) are sent")
    }
    return withUnsafeBytes(of: UInt32(body.count).bigEndian) { Array($0) } + body
  }

  /// Reads one message and not a byte more. Nil if the stream ends before one begins.
  static func receive<Message: Decodable>(
    _ type: Message.Type, from descriptor: Int32, before deadline: Deadline
  ) throws -> Message? {
    let head = try read(4, from: descriptor, before: deadline)
    if head.isEmpty { return nil }
    let length = head.reduce(0) { $0 << 8 | Int($1) }
    guard head.count == 4, length <= messageLimit else {
      throw LabError("a message of \(length) bytes came; at most \(messageLimit) are taken")
    }
    let body = try read(length, from: descriptor, before: deadline)
    guard body.count == length else { throw LabError("a message ended half way") }
    do {
      return try CBORDecoder().decode(type, from: body)
    } catch {
      throw LabError(
        "a message can't be read (\(error)); are the tool and liburna-host of one version?")
    }
  }

  /// Reads so many bytes; fewer only where the stream ends.
  private static func read(
    _ count: Int, from descriptor: Int32, before deadline: Deadline
  ) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      guard !deadline.isOver else { throw LabError("no message came in time") }
      guard isReadable(descriptor, within: deadline.remaining) else { continue }
      let got = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress.map { $0 + done }, count - done)
      }
      if got < 0 && (errno == EINTR || errno == EAGAIN) { continue }
      guard got > 0 else { break }
      done += got
    }
    return Array(bytes[0..<done])
  }

  /// Reads up to a line's end, byte by byte, so that what follows is left. Nil when the stream ends.
  static func line(from descriptor: Int32, before deadline: Deadline) throws -> String? {
    var line: [UInt8] = []
    while line.count < lineLimit {
      let byte = try read(1, from: descriptor, before: deadline)
      guard let byte = byte.first else { return nil }
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
    throw LabError("a line of more than \(lineLimit) bytes came")
  }

  /// Whether there is something to read, or the end, within so many milliseconds.
  static func isReadable(_ descriptor: Int32, within milliseconds: Int32) -> Bool {
    var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&wait, 1, milliseconds) == 1
  }
}
