// The line between the tool and a process it started in the lab: the process says how far it is, the
// tool says that it has remembered the process. Until then the process lives and dies with the tool.

import CLinux
import Glibc

/// What a process of the lab reports.
enum BootReport: Equatable {
  /// Set up; waiting to be remembered.
  case ready
  case failed(String)
  /// A service ended, with an exit code as a shell would show it.
  case ended(String, Int32)

  var line: String {
    switch self {
    case .ready: "ready"
    case .failed(let why): "failed \(why.replacing("\n", with: " "))"
    case .ended(let service, let code): "ended \(service) \(code)"
    }
  }

  init?(line: Substring) {
    let words = line.split(separator: " ", maxSplits: 1)
    switch words.first {
    case "ready": self = .ready
    case "failed": self = .failed(words.count > 1 ? String(words[1]) : "for no known reason")
    case "ended":
      let parts = words.count > 1 ? words[1].split(separator: " ") : []
      guard parts.count == 2, let code = Int32(parts[1]) else { return nil }
      self = .ended(String(parts[0]), code)
    default: return nil
    }
  }
}

/// The end inside the lab: descriptor 3, unless the host is reached by other means.
struct BootChannel {
  static let descriptor: Int32 = 3

  var input = Self.descriptor
  var output = Self.descriptor

  /// Fine if nobody listens any more.
  func send(_ report: BootReport) { try? ByteStream.write(report.line + "\n", to: output) }

  /// Waits until the tool has remembered us. False if the tool is gone.
  func waitUntilRemembered() -> Bool {
    var byte: UInt8 = 0
    while true {
      let got = read(input, &byte, 1)
      if got < 0 && errno == EINTR { continue }
      return got == 1
    }
  }
}

/// The tool's end.
struct ControlChannel {
  var descriptor: Int32
  private var buffer: [UInt8] = []

  init(descriptor: Int32) { self.descriptor = descriptor }

  /// Both ends of a new channel: ours, and the one to hand over.
  static func pair() throws -> (ControlChannel, Int32) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw LabError.system("open", "a socket pair")
    }
    return (ControlChannel(descriptor: ends[0]), ends[1])
  }

  /// Reads what is there without waiting. Nil when the other end is closed.
  mutating func reports() -> [BootReport]? {
    var chunk = [UInt8](repeating: 0, count: 4096)
    var closed = false
    while buffer.count <= ByteStream.lineLimit {
      guard ByteStream.isReadable(descriptor, within: 0) else { break }
      let got = read(descriptor, &chunk, chunk.count)
      if got > 0 { buffer.append(contentsOf: chunk[0..<got]) }
      if got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR) { closed = true }
      if got <= 0 { break }
    }
    var found: [BootReport] = []
    while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
      if let report = BootReport(line: Substring(decoding: buffer[..<end], as: UTF8.self)) {
        found.append(report)
      }
      buffer.removeSubrange(...end)
    }
    // Whoever says so much without an end of a line says nothing that we could read.
    if buffer.count > ByteStream.lineLimit { closed = true }
    return closed && found.isEmpty ? nil : found
  }

  /// Tells the process that it may outlive the tool.
  func confirm() throws { try ByteStream.write([1], to: descriptor) }

  /// Asks something of the first process of a host that takes requests on its line.
  func ask(_ request: HostRequest) throws { try ByteStream.send(request, to: descriptor) }
}
