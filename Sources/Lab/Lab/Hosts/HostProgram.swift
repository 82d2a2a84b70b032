// The program `liburna-host`: the lab's part inside hosts that are containers or machines. It is one
// static file, because it runs in whatever root file system a host has.

import Glibc

public enum HostProgram {
  static let name = "liburna-host"

  private static let usage = """
    usage: liburna-host init [--listen SOCKET | --line DEVICE | --stdio]
           liburna-host follow
           liburna-host probe PORT
           liburna-host guest
           liburna-host run USER login|plain [WORDS...]
    The lab's own program in hosts; nothing to be called by hand.

    """

  /// Runs the program and gives its exit code.
  public static func run(_ arguments: [String]) -> Int32 {
    let words = Array(arguments.dropFirst())
    switch arguments.first {
    case "init":
      if let line = HostLine(words) { return GuestBoot.run(line) }
    case "lab":
      // What it does for the lab on a machine.
      if let code = Lab.runHidden(words) { return code }
    case "follow" where words.isEmpty: return CommandFollower.run()
    case "probe" where words.count == 1:
      if let port = UInt16(words[0]) { return Probe.accepts(port, at: [127, 0, 0, 1]) ? 0 : 1 }
    case "guest" where words.isEmpty: return GuestService.run()
    case "run": return GuestCommand.run(words)
    // As /init, a kernel calls it.
    case nil where getpid() == 1: return GuestInit.run()
    default: break
    }
    _ = write(STDERR_FILENO, usage, usage.utf8.count)
    return 2
  }

  // MARK: - Where it is

  /// The static program that belongs to the tool at `executable`: beside it, or, where that one is
  /// built for debugging, in the release directory beside its own.
  static func find(besides executable: String) throws -> String {
    let directory = executable[..<(executable.lastIndex(of: "/") ?? executable.startIndex)]
    let above = directory[..<(directory.lastIndex(of: "/") ?? directory.startIndex)]
    let places = ["\(directory)/\(name)", "\(above)/release/\(name)"]
    if let found = places.first(where: isStatic) { return found }
    let found = places.first(where: Files.exists)
    throw LabError(
      (found.map { "\($0) needs libraries that hosts lack" } ?? "\(places[0]) is missing")
        + "; make it with: swift build -c release --product \(name)")
  }

  /// Whether a file is a program that needs no loader (an ELF file without a PT_INTERP header).
  static func isStatic(_ path: String) -> Bool {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    var head = [UInt8](repeating: 0, count: 4096)
    let got = read(file, &head, head.count)
    guard got >= 64, head.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else { return false }
    func number(_ place: Int, _ size: Int) -> Int {
      (0..<size).reversed().reduce(0) { $0 << 8 | Int(head[place + $1]) }
    }
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2))
    guard size >= 4, count > 0, table >= 64, table < got, table + size * count <= got else {
      return false
    }
    let interpreter = 3
    return (0..<count).allSatisfy { number(table + $0 * size, 4) != interpreter }
  }
}
