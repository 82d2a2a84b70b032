// Small calls of the lab: paths below a root, output of commands, questions to sockets.

import Glibc
import Testing

@testable import Lab

@Suite("small calls")
struct SystemTests {
  /// A directory of our own, which is gone afterwards.
  private static func inDirectory(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/liburna-calls-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer { try? Files.removeTree(path) }
    try body(path)
  }

  @Test("a file below an absolute link of a root is made in that root")
  func linksStay() throws {
    try Self.inDirectory { root in
      try Files.makeDirectories(root + "/run")
      try Files.makeDirectories(root + "/var")
      #expect(symlink("/run", root + "/var/run") == 0)
      #expect(symlink("../../../..", root + "/var/up") == 0)
      #expect(symlink("/var/loop", root + "/var/loop") == 0)
      #expect(Files.place(of: "/var/run/a/b", below: root) == root + "/run/a/b")
      #expect(Files.place(of: "/var/up/etc", below: root) == root + "/etc")
      #expect(Files.place(of: "/var/loop/a", below: root).hasPrefix(root + "/var/loop"))
      #expect(Files.place(of: "/var/run/a", below: "") == "/var/run/a")
      try Installer.install([.file("/var/run/liburna-calls/mark", "here")], below: root)
      #expect(Files.value(root + "/run/liburna-calls/mark") == "here")
      #expect(!Files.exists("/run/liburna-calls"))
    }
  }

  @Test("a command that writes more than is wanted ends all the same")
  func longOutput() throws {
    let launch = Launch(
      program: .path("/usr/bin/head"), arguments: ["head", "-c", "3000000", "/dev/zero"])
    let (code, text) = try launch.output(limit: 1000)
    #expect(code == 0)
    #expect(text.utf8.count == 1000)
  }

  @Test("a socket that takes no more connections is asked without waiting")
  func fullSocket() throws {
    try Self.inDirectory { directory in
      let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(listener) }
      var address = try #require(UnixAddress(directory + "/socket"))
      #expect(address.with { bind(listener, $0, $1) } == 0)
      #expect(listen(listener, 1) == 0)
      var open: [Int32] = []
      while case let connection = UnixAddress.connect(directory + "/socket"), connection >= 0 {
        open.append(connection)
        guard open.count < 100 else { break }
      }
      #expect(open.count < 100)
      #expect(!Probe.accepts(socket: directory + "/socket"))
      for connection in open { close(connection) }
    }
  }

  @Test("a package may be named with its version, and with nothing for a shell")
  func packageVersions() throws {
    try Packages.check(["munge=0.5.15-2", "libstdc++6", "slurmd=1:22.05.8~a+b"])
    for name in ["munge=", "munge=1;reboot", "=1", "-o=x"] {
      #expect(throws: LabError.self) { try Packages.check([name]) }
    }
  }

  @Test("a build that writes a line without an end takes no more than a little memory")
  func endlessLine() throws {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    var reader = LineReader(descriptor: ends[0])
    var lines = 0
    for _ in 0..<10 {
      let part = [UInt8](repeating: UInt8(ascii: "x"), count: 5000)
      #expect(write(ends[1], part, part.count) == part.count)
      reader.read { _ in lines += 1 }
    }
    #expect(lines == 10)
  }
}
