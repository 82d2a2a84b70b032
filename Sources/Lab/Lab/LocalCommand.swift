// Programs of this machine that the commands of the lab start for the user, such as tmux.

import Glibc

public enum LocalCommand {
  /// The path of a program of this machine, or nil if there is none of the name.
  public static func find(_ name: String) -> String? { ToolRun.find(name) }

  /// Our own environment; NAME=VALUE each.
  static var environment: [String] {
    let text = (try? Files.read("/proc/self/environ")) ?? []
    return text.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Runs a program with our standard files until it ends, and gives its exit code.
  public static func run(_ arguments: [String]) throws -> Int32 {
    let before = EndingSignals()
    defer { before.restore() }
    return SignalRelay.wait(for: try start(arguments, descriptors: [0, 1, 2]))
  }

  /// Runs a program without input and gives its exit code and what it wrote to standard output and
  /// error, at most 1 MiB.
  public static func output(_ arguments: [String]) throws -> (code: Int32, text: String) {
    try Child.output(limit: 1 << 20) { try start(arguments, descriptors: $0) }
  }

  private static func start(_ arguments: [String], descriptors: [Int32]) throws -> Child {
    let name = arguments.first ?? ""
    return try Launch(
      program: .path(name, in: HostEntry.searchPath), arguments: arguments,
      environment: environment, descriptors: descriptors
    ).start()
  }
}
