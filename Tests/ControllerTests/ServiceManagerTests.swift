// The server tells who started it that it is ready.

import Glibc
import Testing

@testable import Controller

@Suite("The service manager")
struct ServiceManagerTests {
  /// A socket as a service manager has it, and what comes through it.
  private static func heard(at name: String, _ body: (ServiceManager) -> Void) throws -> [String] {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(name.utf8)
    if name.hasPrefix("@") { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let descriptor = socket(
      AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    defer { close(descriptor) }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
    }
    try #require(bound == 0)
    body(ServiceManager(socketName: name))
    var lines: [String] = []
    var buffer = [UInt8](repeating: 0, count: 256)
    while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 {
      lines.append(String(decoding: buffer[..<count], as: UTF8.self))
    }
    return lines
  }

  @Test("it hears at a path and at an abstract name that the server is ready, and that it stops")
  func lines() throws {
    let path = "/tmp/liburna-manager-\(getpid())"
    defer { unlink(path) }
    for name in [path, "@liburna-manager-\(getpid())"] {
      let lines = try Self.heard(at: name) {
        $0.tellReady()
        $0.tellStopping()
      }
      #expect(lines == ["READY=1", "STOPPING=1"])
    }
  }

  @Test("nobody, or a name that can't be, is told nothing")
  func nobody() {
    for name in [nil, "", "relative", "/" + String(repeating: "x", count: 200), "/tmp/none"] {
      ServiceManager(socketName: name).tellReady()
    }
  }
}
