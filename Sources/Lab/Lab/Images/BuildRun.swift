// A script of a composition that makes something on the machine for the hosts to see. Its last line of
// output says in which directory that is; what it does is told on its standard error.

import CLinux
import Glibc

struct BuildRun {
  var script: String
  /// Where the script is put while it runs.
  var directory: String

  /// The most that it may take, in seconds: a large program may be compiled.
  static let patience = 1800
  private static let errorLines = 20

  init(script: String, in directory: String) {
    (self.script, self.directory) = (script, directory)
  }

  /// Runs it and gives the directory.
  func run(progress: (String) -> Void) throws -> String {
    let path = directory + "/build"
    let text = script.hasPrefix("#!") ? script : "#!/bin/sh -eu\n" + script
    try Files.write(text, to: path, mode: 0o700)
    defer { unlink(path) }
    let (output, said) = (try Self.pair(), try Self.pair())
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    let child: Child
    do {
      defer { for descriptor in [input, output[1], said[1]] { close(descriptor) } }
      // In a pid namespace of its own: all that it started ends with it, and it with us.
      child = try Launch(
        program: .path(path), arguments: [path], environment: ToolRun.environment + Self.cache,
        descriptors: [input, output[1], said[1]], makes: clinux_ns_pid, directory: "/",
        newSession: true, bound: true
      ).start()
    }
    defer { for descriptor in [output[0], said[0]] { close(descriptor) } }
    var lines = LineReader(descriptor: output[0])
    var errors = LineReader(descriptor: said[0])
    let deadline = Deadline(seconds: Self.patience)
    while !(lines.isClosed && errors.isClosed) {
      guard !deadline.isOver else {
        kill(child.pid, SIGKILL)
        _ = child.wait()
        throw LabError("a build of the composition was not done in \(Self.patience) s")
      }
      LineReader.wait(for: [lines, errors], deadline)
      lines.read { _ in }
      errors.read(progress)
    }
    let code = child.wait()
    guard code == 0 else {
      throw LabError(
        "a build of the composition ended with exit code \(code)",
        logTail: errors.last(Self.errorLines))
    }
    guard let found = lines.last(1).first, found.hasPrefix("/"), Files.isDirectory(found) else {
      throw LabError(
        "a build of the composition should end with the path of a directory, not with "
          + "\"\(lines.last(1).first ?? "")\"")
    }
    return found
  }

  /// Two connected ends; what is written to the second is read from the first.
  private static func pair() throws -> [Int32] {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw LabError.system("open", "a socket pair")
    }
    return ends
  }

  /// Where the machine's caches are, if somebody said so.
  private static var cache: [String] {
    ["LIBURNA_CACHE_DIR", "XDG_CACHE_HOME"].compactMap { name in
      getenv(name).map { name + "=" + String(cString: $0) }
    }
  }
}

/// Lines from a pipe, as they come.
struct LineReader {
  let descriptor: Int32
  private(set) var isClosed = false
  private var rest: [UInt8] = []
  private var lines: [String] = []
  /// The most lines that are remembered, and the most bytes of one.
  private static let memory = 200
  private static let longest = 4096

  init(descriptor: Int32) { self.descriptor = descriptor }

  /// Waits until there is something to read from one of them.
  static func wait(for readers: [LineReader], _ deadline: Deadline) {
    var waits = readers.map {
      pollfd(fd: $0.isClosed ? -1 : $0.descriptor, events: Int16(POLLIN), revents: 0)
    }
    _ = poll(&waits, nfds_t(waits.count), deadline.remaining)
  }

  /// Reads what is there, and tells each whole line.
  mutating func read(_ tell: (String) -> Void) {
    var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard !isClosed, poll(&wait, 1, 0) == 1 else { return }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let got = Glibc.read(descriptor, &chunk, chunk.count)
    if got > 0 { rest += chunk[0..<got] }
    if got <= 0 {
      isClosed = true
      if !rest.isEmpty { rest.append(UInt8(ascii: "\n")) }
    }
    while true {
      let end = rest.firstIndex(of: UInt8(ascii: "\n"))
      // A line without an end must not take all memory.
      guard end != nil || rest.count > Self.longest else { break }
      let line = String(
        decoding: rest[..<(end ?? rest.endIndex)].prefix(Self.longest), as: UTF8.self)
      rest.removeSubrange(..<(end.map { $0 + 1 } ?? rest.endIndex))
      lines.append(line)
      if lines.count > Self.memory { lines.removeFirst() }
      tell(line)
    }
  }

  /// The last lines, oldest first.
  func last(_ count: Int) -> [String] { lines.suffix(count) }
}
