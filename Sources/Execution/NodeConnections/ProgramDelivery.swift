// How the agent's program comes to hosts that do not have it: over the same ssh, once, to a place that is root's.
//
// The file's name there is its SHA-256, so a host that has the server's very file is connected without a
// question, and any other file is never run.

import CLinux
import Glibc
import Wire

/// The commands that start the agent on a host of OAR 2, and that bring its program there.
public struct ProgramDelivery: Sendable {
  /// Where programs are kept on hosts; root's.
  static let folder = "/var/lib/liburna-node/programs"
  /// The exit code by which a host says that it lacks the program.
  static let missingCode = 44
  /// Where OAR's `oardodo` may be, beside the account's own PATH.
  public static let oarFolders = "/usr/lib/oar/oardodo:/usr/local/lib/oar/oardodo"
  /// Seconds that bringing it there may take.
  static let limit = 300.0

  /// The file here.
  public let file: String
  /// Starts the agent.
  public let start: CommandTemplate
  /// Takes the program from its standard input.
  let deliver: CommandTemplate

  /// - Parameters:
  ///   - file: the program here, one static file.
  ///   - ssh: the command that runs another on a host, without the words after the host; `{host}` is the host.
  /// - Throws: `CommandTemplate.Failure` when the file can't be read or the command is empty.
  public init(file: String, ssh: String) throws(CommandTemplate.Failure) {
    self.file = file
    let hash = try Self.hash(of: file)
    let reach = try CommandTemplate(ssh)
    start = reach.adding(Self.startScript(hash))
    deliver = reach.adding(Self.deliverScript(hash))
  }

  /// Constant but for the hash. What comes from users is in no command line at all.
  private static func startScript(_ hash: String) -> String {
    """
    p=\(folder)/liburna-node-\(hash); [ -x "$p" ] || exit \(missingCode); \
    PATH="$PATH:\(oarFolders)"; exec oardodo "$p" agent
    """
  }

  private static func deliverScript(_ hash: String) -> String {
    """
    PATH="$PATH:\(oarFolders)"; exec oardodo /bin/sh -c 'set -e; umask 022; d=\(folder); \
    mkdir -p "$d"; t=$(mktemp "$d/.new.XXXXXX"); trap "rm -f $t" EXIT; cat >"$t"; \
    echo "\(hash)  $t" | sha256sum -c --status; chmod 755 "$t"; sync "$t"; \
    n="$d/liburna-node-\(hash)"; mv -f "$t" "$n"; \
    for f in "$d"/liburna-node-*; do [ "$f" = "$n" ] || rm -f "$f"; done'
    """
  }

  /// The SHA-256 of a file, as `sha256sum` tells it.
  private static func hash(of file: String) throws(CommandTemplate.Failure) -> String {
    guard access(file, R_OK) == 0 else {
      throw CommandTemplate.Failure(
        description: "\(file) can't be read: \(String(cString: strerror(errno)))")
    }
    guard case .success(let process) = AgentProcess.start(["sha256sum", "--", file]) else {
      throw CommandTemplate.Failure(description: "sha256sum can't be started")
    }
    close(process.input)
    let text = readAll(process.output)
    close(process.output)
    waitpid(process.pid, nil, 0)
    let hash = String(decoding: text.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
    guard hash.utf8.count == 64, hash.utf8.allSatisfy(isHexDigit) else {
      throw CommandTemplate.Failure(description: "sha256sum says nothing of \(file)")
    }
    return hash
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }

  private static func readAll(_ descriptor: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while bytes.count < 1 << 16 {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += chunk[..<count]
    }
    return bytes
  }

  /// Brings the program to a host; `done` is called on the loop with what went wrong, `nil` for nothing.
  func bring(
    to host: String, on loop: EventLoop, done: @escaping (_ problem: String?) -> Void
  ) {
    let words: [String]
    do {
      words = try deliver.words(host: host)
    } catch {
      return done(error.description)
    }
    let input = open(file, O_RDONLY | O_CLOEXEC)
    let output = open("/dev/null", O_WRONLY | O_CLOEXEC)
    defer { for descriptor in [input, output] where descriptor >= 0 { close(descriptor) } }
    guard input >= 0, output >= 0 else { return done("\(file) can't be read") }
    switch AgentProcess.spawn(words, input: input, output: output) {
    case .failure(let error): done("\(words[0]) can't be started: \(error)")
    case .success(let pid):
      loop.wait(for: pid, limit: Self.limit) { end in done(end.problem.map { "it \($0)" }) }
    }
  }
}
