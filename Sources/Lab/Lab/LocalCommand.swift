// Programs of this machine that the commands of the lab start for the user, such as tmux.

import Glibc

public enum LocalCommand {
  /// The path of a program of this machine, or nil if there is none of the name.
  public static func find(_ name: String) -> String? {
    HostEntry.searchPath.map { $0 + "/" + name }.first { access($0, X_OK) == 0 }
  }

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
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0
    else { throw LabError.system("open", "a socket pair") }
    defer { close(ends[0]) }
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(input) }
    let child: Child
    do {
      defer { close(ends[1]) }
      child = try start(arguments, descriptors: [input, ends[1], ends[1]])
    }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while text.count < 1 << 20 {
      let got = read(ends[0], &chunk, chunk.count)
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { break }
      text.append(contentsOf: chunk[0..<got])
    }
    return (child.wait(), String(decoding: text, as: UTF8.self))
  }

  private static func start(_ arguments: [String], descriptors: [Int32]) throws -> Child {
    let name = arguments.first ?? ""
    return try Launch(
      program: name.contains("/") ? .path(name) : .search(name, in: HostEntry.searchPath),
      arguments: arguments, environment: environment, descriptors: descriptors
    ).start()
  }
}
