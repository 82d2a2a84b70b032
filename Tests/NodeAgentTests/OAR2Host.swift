// A host of OAR 2 for tests: OAR's account, its directory, and a server that takes its words.

import CLinux
import ClusterModel
import Glibc
import Testing
import Wire

@testable import NodeAgent

/// A server of OAR 2 as hosts see it: it takes a line and closes.
final class FakeAlmighty {
  private let listener: Int32
  let port: Int

  init() throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let code = withUnsafeMutablePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, size) == 0 && listen(listener, 8) == 0
          ? getsockname(listener, address, &size) : -1
      }
    }
    try #require(code == 0)
    port = Int(UInt16(bigEndian: place.sin_port))
  }

  deinit { close(listener) }

  /// The next line that somebody sends.
  func word() throws -> String {
    var event = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
    try #require(poll(&event, 1, AgentClient.patience) > 0, "nobody told the end of the job")
    let connection = accept(listener, nil, nil)
    defer { close(connection) }
    return String(
      decoding: try Descriptors.read(connection, upTo: 256, named: "a word"), as: UTF8.self)
  }
}

extension TestHost {
  static let oarUID: uid_t = 64002
  var oarDirectory: String { root + "/oar" }

  /// Makes OAR's account and its directory.
  func addOAR() throws {
    let passwd = Files.text(root + "/passwd") ?? ""
    unlink(root + "/passwd")
    try write(
      "passwd", "\(passwd)\noar:x:\(Self.oarUID):\(Self.oarUID):OAR:\(oarDirectory):/bin/sh\n")
    try Files.makeDirectories(oarDirectory, mode: 0o755)
    chown(oarDirectory, Self.oarUID, Self.oarUID)
  }

  func files(_ job: JobID, cpuset: String? = "/oar/alice_7") -> OAR2Files {
    OAR2Files(
      directory: oarDirectory, account: "oar", user: Self.user,
      environment: ["OAR_JOBID": "\(job)", "OAR_JOB_NAME": "it's mine"], nodeFile: ["node1"],
      resourceFile: [" type = 'default' "], cpuset: cpuset)
  }

  func withOAR(
    _ job: JobID, _ command: String?, port: Int = 1, prologue: String? = nil,
    epilogue: String? = nil
  ) -> AttemptSpecification {
    var specification = specification(job, command)
    specification.oar2 = OAR2Attempt(
      files: files(job), server: "localhost", port: port, challenge: "4711", prologue: prologue,
      epilogue: epilogue, hookLimit: 10)
    return specification
  }

  func oarNames(_ job: JobID) -> OAR2Names {
    OAR2Names(directory: oarDirectory, user: Self.user, job: job)
  }

  /// Sends a signal as OAR's account does, from a process of its own.
  func signalAsOAR(_ job: JobID, _ number: Int32) throws {
    let process = try #require(Files.text(oarNames(job).process).flatMap { pid_t($0) })
    let child = clinux_fork()
    if child == 0 {
      guard clinux_become(Self.oarUID, Self.oarUID, [], 0) == 0 else { _exit(2) }
      _exit(kill(process, number) == 0 ? 0 : 1)
    }
    var status: Int32 = -1
    waitpid(child, &status, 0)
    #expect(status == 0, "OAR's account may not send a signal to the job")
  }

  /// A script in OAR's directory.
  func script(_ name: String, _ text: String) throws -> String {
    let path = "\(oarDirectory)/\(name)"
    try Files.create(path, Array("#!/bin/sh\n\(text)\n".utf8), owner: 0)
    chmod(path, 0o755)
    return path
  }
}
