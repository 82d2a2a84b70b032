// A database with rows as OAR 2's commands write them, and played ends of the two ports that a metascheduler
// speaks to: Almighty's and that of an `oarsub` that waits.

import ClusterModel
import Glibc
import SQLiteStorage
import Storage
import Testing

@testable import Controller

/// A port that takes what comes.
final class PlayedPort {
  let port: Int
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(descriptor, pointer, size)
        listen(descriptor, 64)
        getsockname(descriptor, pointer, &size)
      }
      return Int(UInt16(bigEndian: pointer.pointee.sin_port))
    }
  }

  deinit { close(descriptor) }

  /// The words that came until now, a connection each.
  func words() -> [String] {
    var words: [String] = []
    while true {
      let connection = accept(descriptor, nil, nil)
      if connection < 0 { return words }
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = read(connection, &bytes, bytes.count)
      close(connection)
      words.append(String(decoding: bytes[..<max(0, count)], as: UTF8.self))
    }
  }
}

/// The database and the ports.
final class MetaschedulerStage {
  let storage: any SharedStorage
  let other: OtherWriter
  let almighty: PlayedPort
  let oarsub: PlayedPort
  let directory: String
  let now = Int(time(nil))

  init() async throws {
    directory = try SharedStage.makeDirectory()
    storage = try await SQLiteStorage.open(path: directory + "/oar.sqlite", durability: .normal)
    other = try OtherWriter(directory + "/oar.sqlite")
    almighty = try PlayedPort()
    oarsub = try PlayedPort()
    try await writeResources(to: storage)
  }

  /// Makes a pass, some seconds from now.
  func pass(_ configuration: String = "", after seconds: Seconds = 0) async throws -> PassResult {
    let text = """
      SERVER_HOSTNAME=127.0.0.1
      SERVER_PORT=\(almighty.port)
      SCHEDULERS_PATH=\(directory)
      SCHEDULER_JOB_SECURITY_TIME=0
      LOG_LEVEL=1
      \(configuration)
      """
    let settings = try MetaschedulerSettings(Configuration(parsing: text)) { _ in nil }
    var pass = try await MetaschedulerPass(
      settings: settings, storage: storage, log: MetaschedulerLog(level: 0), clock: now + seconds)
    return try await pass.run()
  }

  /// Where the played `oarsub` listens, as OAR writes it.
  var client: String { "'127.0.0.1:\(oarsub.port)'" }

  /// The states that a job had, in order.
  func states(_ job: JobID) throws -> String {
    try other.read(
      "SELECT job_state FROM job_state_logs WHERE job_id = \(job) ORDER BY job_state_log_id")
  }

  /// The events of a job with their marks.
  func events(_ job: JobID) throws -> String {
    try other.read(
      "SELECT type || '=' || to_check FROM event_logs WHERE job_id = \(job) ORDER BY event_id")
  }

  /// A scheduler of OAR 2's, played by a script.
  func scheduler(_ name: String, _ script: String) throws {
    let path = directory + "/" + name
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o755)
    try #require(file >= 0)
    let text = Array("#!/bin/sh\n\(script)\n".utf8)
    #expect(write(file, text, text.count) == text.count)
    close(file)
    try other.write("UPDATE queues SET scheduler_policy = '\(name)' WHERE queue_name = 'default'")
  }

  func end() async { await storage.close() }
}
