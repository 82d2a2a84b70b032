// The agent's folders, without an agent.

import ClusterModel
import Glibc
import Testing
import Wire

@testable import NodeAgent

@Suite("the spool")
struct SpoolTests {
  @Test("an attempt whose folder can't be made throws, and leaves no record")
  func noFolder() throws {
    let folder = "/tmp/liburna-spool-\(getpid())"
    defer {
      for path in ["state/attempts", "state", "run/jobs", "run", ""] { rmdir("\(folder)/\(path)") }
    }
    let spool = try Spool(state: folder + "/state", run: folder + "/run")
    let attempts = folder + "/run/attempts"
    let id = AttemptID(job: 7, number: 1)
    // A file in the way: that holds for root as well.
    try #require(rmdir(attempts) == 0)
    let file = open(attempts, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try #require(file >= 0)
    close(file)
    #expect(throws: SystemError.self) { try spool.create(id) }
    #expect(spool.attempts().isEmpty)

    // Once there is room, the same attempt can be made, once.
    try #require(unlink(attempts) == 0)
    #expect(try spool.create(id))
    #expect(try !spool.create(id))
    #expect(spool.attempts() == [id])
    spool.remove(id)
    rmdir(attempts)
  }
}
