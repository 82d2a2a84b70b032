// A full disk, and other programs in the same database.

import CSQLite
import ClusterModel
import Glibc
import Testing

@testable import SQLStorage
@testable import SQLiteStorage
@testable import Storage

@Suite("Trouble")
struct TroubleTests {
  @Test(
    "a full disk refuses a commit whole, and the store goes on when there is room again",
    .enabled(if: geteuid() == 0, "a small disk can be mounted by root only"))
  func fullDisk() async throws {
    let disk = try SmallDisk(size: "4m")
    let store = try await newStore(in: disk.folder)
    try write([UInt8](repeating: 0, count: 2 << 20), to: disk.folder.path + "/ballast")

    var accepted: [Job] = []
    var refusal: StorageError?
    var next = 1
    while refusal == nil, next < 100_000 {
      let jobs = (next..<next + 50).map { sampleJob($0) }
      do {
        try await store.commit(jobs.map { .jobsSubmitted([$0]) })
        accepted += jobs
      } catch { refusal = error as? StorageError }
      next += 50
    }
    guard case .full(let text)? = refusal else {
      Issue.record("\(String(describing: refusal)) does not say that the disk is full")
      return
    }
    #expect(text.contains("free some space") || text.contains("can't be written"))
    #expect(try await store.load().jobs.map(described) == accepted.map(described))

    unlink(disk.folder.path + "/ballast")
    let job = sampleJob(next)
    try await store.commit([.jobsSubmitted([job])])
    let all = accepted + [job]
    #expect(try await store.load().jobs.map(described) == all.map(described))
    #expect(try await reloaded(store, in: disk.folder).jobs.map(described) == all.map(described))
  }

  @Test(
    "an array that the disk has no room to write out waits as it was accepted",
    .enabled(if: geteuid() == 0, "a small disk can be mounted by root only"))
  func fullDiskForArray() async throws {
    let disk = try SmallDisk(size: "5m")
    let store = try await newStore(in: disk.folder)
    let jobs = sampleArray(of: 20_000, from: 1)
    try await store.commit([.jobsSubmitted(jobs)])
    #expect(try await store.load().jobs.count == jobs.count)
    let cluster = try await reloaded(store, in: disk.folder)
    #expect(cluster.jobs.map(\.id) == jobs.map(\.id))
    #expect(try rows("SELECT count(*) FROM liburna_arrays", in: disk.folder.database) == ["1"])
  }

  @Test(
    "a disk without room for a new database is reported, and no half of one is left",
    .enabled(if: geteuid() == 0, "a small disk can be mounted by root only"))
  func noRoomForNewDatabase() async throws {
    let disk = try SmallDisk(size: "64k")
    let error = await #expect(throws: StorageError.self) { try await newStore(in: disk.folder) }
    guard case .full? = error else {
      Issue.record("\(String(describing: error)) does not say that the disk is full")
      return
    }
    #expect(disk.folder.contents == ["oar.db.lock"])
  }

  @Test("a commit waits for another program that writes, and a reader does not hold it up")
  func otherPrograms() async throws {
    let folder = try TemporaryFolder()
    let store = try await newStore(in: folder)
    let reader = try SQLiteConnection(path: folder.database, flags: SQLITE_OPEN_READWRITE)
    try reader.execute("BEGIN; SELECT count(*) FROM jobs")
    try await store.commit([.jobsSubmitted([sampleJob(1)])])

    let writer = try SQLiteConnection(path: folder.database, flags: SQLITE_OPEN_READWRITE)
    try writer.execute("BEGIN IMMEDIATE; UPDATE queues SET priority = 7 WHERE queue_name = 'admin'")
    let commit = Task { try await store.commit([.jobsSubmitted([sampleJob(2)])]) }
    #expect(try rows("SELECT count(*) FROM jobs", in: folder.database) == ["1"])
    try writer.execute("COMMIT")
    try await commit.value

    try reader.execute("COMMIT")
    let cluster = try await reloaded(store, in: folder)
    #expect(cluster.jobs.map(\.id) == [1, 2])
    #expect(cluster.queues.first?.priority == 7)
  }

  @Test("SQLite is called on a thread of the store's own")
  func ownThread() async throws {
    let folder = try TemporaryFolder()
    let store = try await newStore(in: folder)
    let name = await store.threadName()
    #expect(name == "storage\n")
    await store.close()
  }

  @Test("a closed store says so")
  func closed() async throws {
    let folder = try TemporaryFolder()
    let store = try await newStore(in: folder)
    await store.close()
    await store.close()
    let error = await #expect(throws: StorageError.self) { try await store.load() }
    #expect(error?.description.contains("is closed") == true)
  }
}

extension DatabaseStorage {
  /// The name of the thread that this actor runs on.
  fileprivate func threadName() -> String {
    (try? String(decoding: bytes(of: "/proc/thread-self/comm"), as: UTF8.self)) ?? ""
  }
}

/// A folder on a disk of its own that is soon full.
private final class SmallDisk: Sendable {
  let folder: TemporaryFolder

  init(size: String) throws {
    folder = try TemporaryFolder()
    try #require(mount("tmpfs", folder.path, "tmpfs", 0, "size=\(size)") == 0)
  }

  deinit { umount2(folder.path, Int32(MNT_DETACH)) }
}
