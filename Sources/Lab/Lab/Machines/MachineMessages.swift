// What the tool asks of its program on a machine. A request is one word of hexadecimal digits, which
// no shell on the way can misread; what is too long for a word comes as a message on standard input.

import Compositions
import Encoding
import Glibc

/// A request to the program on a machine.
struct MachineRequest: Codable, Equatable {
  enum Task: Codable, Equatable {
    /// Become a host: a ``MachineOrder`` follows on standard input, reports come back.
    case launch
    /// Run a command in the host.
    case run(words: [String], user: String, login: Bool, terminal: Bool)
    /// Whether the host is up, and which of these answer.
    case survey([Readiness])
    /// What logs have beyond so many bytes.
    case logs([String: Int])
    /// Learn the lab's hosts anew: a ``MachineOrder`` follows.
    case names
    /// Let all processes of the host stand still, or go on.
    case pause(Bool)
    /// End the host; its disk stays.
    case endHost
    /// End everything of the lab on this machine.
    case end
  }

  var lab: String
  /// The lab's directory on the machine.
  var directory: String
  var host: String
  var task: Task

  /// The most digits of a request: the kernel takes 131,072 bytes as one word, and the login shell
  /// gets the whole command as one.
  static let limit = 120_000

  var word: String {
    get throws {
      let bytes = try CBOREncoder().encode(self)
      guard bytes.count * 2 <= Self.limit else {
        throw StartError(
          code: E2BIG,
          message: "a command of more than \(Self.limit / 2) bytes can't go to a machine")
      }
      return Hexadecimal.text(bytes)
    }
  }

  init(lab: String, directory: String, host: String, _ task: Task) {
    (self.lab, self.directory, self.host, self.task) = (lab, directory, host, task)
  }

  init(word: String) throws {
    guard let bytes = Hexadecimal.bytes(word) else { throw LabError("this is no request") }
    self = try CBORDecoder().decode(MachineRequest.self, from: bytes)
  }
}

/// What a machine is to become, or to know.
struct MachineOrder: Codable, Equatable {
  var plan: HostPlan
  /// What the lab's holder on the machine is to make.
  var holder: HostPlan
  /// The text of /etc/hosts.
  var hosts: String
  /// How the lab's hosts are reached by ssh, as a part of ssh_config.
  var ssh: String
}

/// What a machine says of its host.
struct MachineState: Codable, Equatable {
  var isUp = false
  /// For each thing asked, whether it answers.
  var answers: [Bool] = []
}

/// Messages on a stream: four bytes with their length, most significant first, then CBOR.
enum MachineStream {
  /// The most bytes of a message.
  static let limit = 64 << 20

  static func message(_ value: some Encodable) throws -> [UInt8] {
    let bytes = try CBOREncoder().encode(value)
    return (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (24 - 8 * $0)) } + bytes
  }

  static func read<Value: Decodable>(_ type: Value.Type, from descriptor: Int32) throws -> Value {
    let size = try bytes(4, from: descriptor).reduce(0) { $0 << 8 | Int($1) }
    guard size <= limit else { throw LabError("a message of \(size) bytes is too long") }
    return try CBORDecoder().decode(type, from: try bytes(size, from: descriptor))
  }

  private static func bytes(_ count: Int, from descriptor: Int32) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var chunk = [UInt8](repeating: 0, count: min(count - bytes.count, 65_536))
      let got = Glibc.read(descriptor, &chunk, chunk.count)
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { throw LabError("a message ended early") }
      bytes.append(contentsOf: chunk[0..<got])
    }
    return bytes
  }
}

/// Bytes as digits.
enum Hexadecimal {
  static func text(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  static func bytes(_ text: String) -> [UInt8]? {
    let values = text.utf8.map { digit -> UInt8? in
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
      default: nil
      }
    }
    guard values.count % 2 == 0, !values.contains(nil) else { return nil }
    let all = values.compactMap { $0 }
    return stride(from: 0, to: all.count, by: 2).map { all[$0] << 4 | all[$0 + 1] }
  }
}
