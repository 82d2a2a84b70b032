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
