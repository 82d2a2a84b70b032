// What the tool asks of the first process of a host that is a container or a machine, and what comes
// back. Requests are messages; answers are lines, as are the reports of a boot.

import Compositions

/// A request on the line of a host.
enum HostRequest: Codable, Equatable {
  /// Become the host: the first request of all. Answered by a ``BootReport``, then confirmed by one
  /// byte; the line goes on to carry reports, and takes further requests.
  case boot(HostOrders)
  /// Which of these answer. Answered by ``HostAnswer/answers(_:)``.
  case probe([Readiness])
  /// Write /etc/hosts anew.
  case hosts(String)
  /// Open a terminal. Its master comes with the answer; only on sockets.
  case terminal
  /// Run a command. Three descriptors follow, its standard input, output and error, each with one
  /// byte; only on sockets. Answered at once, and again when the command has ended. Meanwhile each
  /// byte from the tool is a signal for the command; a line that is closed ends it.
  case run(HostCommand, HostTerminalUse)
}

/// What a command has to do with a terminal.
struct HostTerminalUse: Codable, Equatable {
  /// Whether its standard input is to become the terminal of its session.
  var controls = false
  /// Its TERM.
  var kind: String?
}

/// What a host is to become.
struct HostOrders: Codable, Equatable {
  var plan: HostPlan
  /// Whether the host's name has to be set.
  var setsName = false
  /// The text of /etc/hosts, or nil where somebody else takes care of it.
  var hosts: String?
  /// Written at every boot over what the host's disk has.
  var always: [PlannedItem] = []
  var overlays: [GuestOverlay] = []
  /// Whether the cgroup file systems, which containers see read-only, are made writable.
  var opensCgroups = false

  init(_ plan: HostPlan) { self.plan = plan }
}

/// An answer to a request.
enum HostAnswer: Equatable {
  case done
  /// One for each thing asked, in the same order.
  case answers([Bool])
  /// The kernel's error, or 0, and what was wrong.
  case refused(Int32, String)
  /// A command's exit code, 128 + n for a death by signal n.
  case exited(Int32)

  var line: String {
    switch self {
    case .done: "done"
    case .answers(let all): "answers " + all.map { $0 ? "1" : "0" }.joined()
    case .refused(let code, let why): "refused \(code) \(why.replacing("\n", with: " "))"
    case .exited(let code): "exited \(code)"
    }
  }

  init?(line: String) {
    let words = line.split(separator: " ", maxSplits: 2).map(String.init)
    let number = words.count > 1 ? Int32(words[1]) : nil
    switch (words.first, number) {
    case ("done", _): self = .done
    case ("answers", _): self = .answers(words.count > 1 ? words[1].map { $0 == "1" } : [])
    case ("refused", let code?): self = .refused(code, words.count > 2 ? words[2] : "no reason")
    case ("exited", let code?): self = .exited(code)
    default: return nil
    }
  }
}
