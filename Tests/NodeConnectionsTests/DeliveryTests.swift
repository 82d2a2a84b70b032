// How the agent's program comes to a host that lacks it: over a real sshd, which needs no network here.

import Glibc
import Testing
import Wire

@testable import NodeConnections

/// A host with a real sshd, in a mount namespace of its own for each connection, and nothing of ours.
private final class SSHHost {
  let root: String

  init() throws {
    root = "/tmp/liburna-delivery-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    for folder in ["", "/lib", "/run", "/run/sshd", "/bin"] { mkdir(root + folder, 0o755) }
    try run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", root + "/key")
    try run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", root + "/host")
    try run("cp", root + "/key.pub", root + "/authorized")
    // Stands for OAR's setuid program; the account here is root already.
    try write("bin/oardodo", "#!/bin/sh\necho \"$1\" >>\(root)/asked\nexec \"$@\"\n")
    try write(
      "sshd.conf",
      """
      HostKey \(root)/host
      AuthorizedKeysFile \(root)/authorized
      StrictModes no
      UsePAM no
      PermitRootLogin prohibit-password
      SetEnv PATH=\(root)/bin:/usr/bin:/bin

      """)
    try write(
      "sshd",
      """
      #!/bin/sh
      exec unshare --mount sh -c 'mount --bind \(root)/lib /var/lib && mount --bind \(root)/run /run &&
        exec /usr/sbin/sshd -i -f \(root)/sshd.conf 2>>\(root)/log'

      """)
  }

  deinit { _ = try? run("rm", "-rf", root) }

  var ssh: String {
    "ssh -F none -i \(root)/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
      + "-o LogLevel=ERROR -o BatchMode=yes -o ProxyCommand=\(root)/sshd -l root {host}"
  }

  var programs: String { root + "/lib/liburna-node/programs" }

  func write(_ name: String, _ text: String) throws {
    let path = "\(root)/\(name)"
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o755)
    try #require(file >= 0)
    defer { close(file) }
    var text = text
    let count = text.withUTF8 { Glibc.write(file, $0.baseAddress, $0.count) }
    try #require(count == text.utf8.count)
  }

  @discardableResult
  func run(_ words: String...) throws -> String {
    let process = try AgentProcess.start(words).get()
    close(process.input)
    defer { close(process.output) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while case let count = read(process.output, &chunk, chunk.count), count > 0 {
      text += chunk[..<count]
    }
    var status: Int32 = -1
    waitpid(process.pid, &status, 0)
    try #require(status == 0, "\(words)")
    return String(decoding: text, as: UTF8.self)
  }
}

@Suite("the agent's program comes to its host", .enabled(if: getuid() == 0, "needs root"))
struct DeliveryTests {
  /// Built beside the tests.
  private static let program: String = {
    let tests = CommandLine.arguments[0]
    let slash = tests.lastIndex(of: "/") ?? tests.startIndex
    return tests[..<slash] + "/liburna-node"
  }()

  /// Connects once: `nil` for a greeting, else what went wrong.
  private func connect(_ delivery: ProgramDelivery) -> String? {
    let loop = EventLoop()
    var settings = ConnectionSettings()
    settings.delivery = delivery
    var problem: String? = "nothing was heard"
    let connections = NodeConnections(loop: loop, template: delivery.start, settings: settings) {
      switch $1 {
      case .connected: problem = nil
      case .disconnected(let text): problem = text
      default: return
      }
      loop.stop()
    }
    connections.setHosts(["node1"])
    loop.after(60) { loop.stop() }
    loop.run()
    connections.endAll()
    return problem
  }

  @Test("a host without the program gets it once, and is connected") func delivered() throws {
    let host = try SSHHost()
    let delivery = try ProgramDelivery(file: Self.program, ssh: host.ssh)
    #expect(connect(delivery) == nil)
    let hash = try host.run("sha256sum", Self.program).prefix { $0 != " " }
    let path = "\(host.programs)/liburna-node-\(hash)"
    var first = stat()
    #expect(stat(path, &first) == 0)
    #expect(first.st_uid == 0 && first.st_mode & 0o7777 == 0o755)
    #expect(connect(delivery) == nil)
    var second = stat()
    #expect(stat(path, &second) == 0 && second.st_ino == first.st_ino)
    // Brought by the first connection, run by both.
    #expect(
      try host.run("cat", host.root + "/asked")
        == "/bin/sh\n/var/lib/liburna-node/programs/liburna-node-\(hash)\n/var/lib/liburna-node/programs/liburna-node-\(hash)\n"
    )
  }

  @Test("another version takes the place of the former one") func newVersion() throws {
    let host = try SSHHost()
    let delivery = try ProgramDelivery(file: Self.program, ssh: host.ssh)
    #expect(connect(delivery) == nil)
    let other = host.root + "/other"
    try host.run("cp", Self.program, other)
    // The same program in another file.
    try host.run("truncate", "-s", "+1", other)
    #expect(connect(try ProgramDelivery(file: other, ssh: host.ssh)) == nil)
    #expect(try host.run("ls", "-A", host.programs).split(separator: "\n").count == 1)
  }

  @Test("a program that was cut short on its way is never run") func torn() throws {
    let host = try SSHHost()
    let file = host.root + "/program"
    try host.run("cp", Self.program, file)
    let delivery = try ProgramDelivery(file: file, ssh: host.ssh)
    try host.run("truncate", "-s", "1000000", file)
    let problem = connect(delivery)
    #expect(problem?.hasPrefix("the agent's program could not be brought there") == true)
    #expect(try host.run("ls", "-A", host.programs) == "")
  }

  @Test("a host that can't be reached says why") func unreachable() throws {
    let host = try SSHHost()
    try host.run("rm", host.root + "/authorized")
    let problem = connect(try ProgramDelivery(file: Self.program, ssh: host.ssh))
    #expect(problem == "no greeting: it ended with exit code 255")
  }

  @Test("a program that is not there is refused at once") func missing() {
    #expect(throws: CommandTemplate.Failure.self) {
      try ProgramDelivery(file: "/nonexistent/liburna-node", ssh: "ssh {host}")
    }
  }
}
