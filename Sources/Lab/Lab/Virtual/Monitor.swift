// Speaking with a running QEMU over its monitor: commands and answers in JSON (QMP).

import Encoding
import Glibc

final class Monitor {
  private let socket: Int32
  private var buffer: [UInt8] = []

  /// How long an answer may take, in seconds.
  private static let patience = 20
  private static let answerLimit = 1 << 20

  /// Connects to the monitor at a path.
  init(_ path: String, before deadline: Deadline = Deadline(seconds: patience)) throws {
    var socket = UnixAddress.connect(path)
    // It is there a moment after QEMU was started.
    while socket < 0 && (errno == ENOENT || errno == ECONNREFUSED) && !deadline.isOver {
      usleep(2000)
      socket = UnixAddress.connect(path)
    }
    guard socket >= 0 else { throw LabError.system("reach", path) }
    self.socket = socket
    _ = try answer(before: deadline)
    try run("qmp_capabilities")
  }

  deinit { close(socket) }

  /// Runs a command and gives what it returns.
  ///
  /// - Parameter arguments: a JSON object.
  @discardableResult
  func run(_ command: String, _ arguments: String = "{}") throws -> JSONValue {
    let deadline = Deadline(seconds: Self.patience)
    let text = "{\"execute\": \"\(command)\", \"arguments\": \(arguments)}\n"
    try ByteStream.write(text, to: socket)
    while true {
      let answer = try answer(before: deadline)
      if let value = answer["return"] { return value }
      if let error = answer["error"] {
        throw LabError("QEMU refuses \(command): \(error["desc"]?.string ?? error.excerpt)")
      }
      // All else is an event.
    }
  }

  /// The next line.
  private func answer(before deadline: Deadline) throws -> JSONValue {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(buffer[..<end])
        buffer.removeSubrange(...end)
        do {
          return try JSONReader.read(line)
        } catch {
          throw LabError("QEMU's monitor says what is no JSON: \(error)")
        }
      }
      guard !deadline.isOver, buffer.count < Self.answerLimit else {
        throw LabError("QEMU's monitor does not answer")
      }
      guard ByteStream.isReadable(socket, within: deadline.remaining) else { continue }
      var chunk = [UInt8](repeating: 0, count: 16_384)
      let got = read(socket, &chunk, chunk.count)
      guard got > 0 else { throw LabError("QEMU has ended") }
      buffer += chunk[0..<got]
    }
  }
}
