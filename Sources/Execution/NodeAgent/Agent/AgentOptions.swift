// The command line of liburna-node.

import Glibc

/// What `liburna-node agent` is told.
struct AgentOptions: Equatable {
  static let usage = """
    Usage: liburna-node agent [--state DIR] [--run DIR] [--cgroup-root PATH] [--host NAME]
                                [--no-cpuset]

    Runs jobs on this host for the Liburna server, which speaks to it through standard input and output.

      --state DIR         where the records of attempts are kept (default: /var/lib/liburna-node)
      --run DIR           where their files are while they run (default: /run/liburna-node)
      --cgroup-root PATH  the cgroup below which those of jobs are made, as /proc/self/cgroup names it
                          (default: the top)
      --host NAME         the name to report (default: this host's)
      --no-cpuset         do not bind jobs to CPUs

    """

  var state = "/var/lib/liburna-node"
  var run = "/run/liburna-node"
  var groupRoot = ""
  var host = AgentOptions.hostName()
  var usesCPUs = true

  init() {}

  /// - Throws: the text for the user.
  init(_ words: [String]) throws(UsageError) {
    guard words.first == "agent" else { throw UsageError("the first word must be \"agent\"") }
    var rest = words.dropFirst()
    while let word = rest.popFirst() {
      if word == "--no-cpuset" {
        usesCPUs = false
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard ["--state", "--run", "--cgroup-root", "--host"].contains(name) else {
        throw UsageError("unknown option \(word)")
      }
      guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst(), !value.isEmpty else {
        throw UsageError("\(name) needs a value")
      }
      try set(name, value)
    }
  }

  private mutating func set(_ name: String, _ value: String) throws(UsageError) {
    guard name == "--host" || value.hasPrefix("/") else {
      throw UsageError("\(name) must begin with \"/\", not \"\(value)\"")
    }
    let path = value.count > 1 && value.hasSuffix("/") ? String(value.dropLast()) : value
    switch name {
    case "--state": state = path
    case "--run": run = path
    case "--cgroup-root": groupRoot = path
    default: host = value
    }
  }

  private static func hostName() -> String {
    var name = [UInt8](repeating: 0, count: 256)
    let code = name.withUnsafeMutableBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { buffer in
        buffer.baseAddress.map { gethostname($0, buffer.count - 1) } ?? -1
      }
    }
    return code == 0 ? String(decoding: name.prefix { $0 != 0 }, as: UTF8.self) : "localhost"
  }
}

/// A command line that can't be understood.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
