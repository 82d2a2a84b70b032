// Large arrays on their way into rows, in copies of the file as a killed server leaves it; and the list of
// their commands.

import ClusterModel
import Testing

@testable import SQLStorage
@testable import SQLiteStorage
@testable import Storage

@Suite("Large arrays in a file")
struct ArrayFileTests {
  let folder: TemporaryFolder
  let store: DatabaseStorage

  init() async throws {
    folder = try TemporaryFolder()
    store = try await newStore(in: folder)
  }

  @Test("a server that is killed at any point of the writing loses no job and doubles none")
  func killedWhileWriting() async throws {
    let jobs = sampleArray(of: 800, from: 1)
    try await store.commit([.jobsSubmitted(jobs)])
    var sawUnfinished = false
    while true {
      let isLast = await store.isComplete()
      let copy = try TemporaryFolder()
      try folder.copyDatabase(to: copy)
      let survivor = try await newStore(in: copy)
      let left = try rows("SELECT count(*) FROM liburna_arrays", in: copy.database)
      sawUnfinished = sawUnfinished || left == ["1"]
      let cluster = try await survivor.load()
      #expect(cluster.jobs.map(described) == jobs.map(described))
      await survivor.close()
      #expect(try rows("SELECT count(*) FROM jobs", in: copy.database) == ["800"])
      #expect(try rows("SELECT count(*) FROM job_state_logs", in: copy.database) == ["800"])
      #expect(try rows("SELECT count(*) FROM liburna_arrays", in: copy.database) == ["0"])
      if isLast { break }
    }
    #expect(sawUnfinished)
    await store.close()
  }

  @Test("a damaged array is reported with its number")
  func damagedArray() async throws {
    try await store.commit([.jobsSubmitted(sampleArray(of: 3000, from: 1))])
    let copy = try TemporaryFolder()
    try folder.copyDatabase(to: copy)
    await store.close()
    _ = try rows("UPDATE liburna_array_requests SET commands = x'0102'", in: copy.database)
    let error = await #expect(throws: StorageError.self) { try await newStore(in: copy) }
    #expect(error?.description.contains("array 1") == true)
  }
}

@Suite("Lists of commands")
struct CommandListTests {
  @Test(
    "commands of any kind survive being kept together",
    arguments: [
      [""], ["a"], ["", "a", ""], ["abc", "abd", "ab"], ["é", "è"], ["x\u{0}y", "x\u{0}"],
      ["same", "same", "same"],
    ])
  func commandList(commands: [String]) throws {
    let list = CommandList(commands)
    #expect((0..<list.count).map { list[$0] } == commands)
    let decoded = try #require(CommandList(encoded: list.encoded))
    #expect((0..<decoded.count).map { decoded[$0] } == commands)
  }

  @Test("bytes that are no list of commands are refused", arguments: [0, 3, 8, 11])
  func brokenCommandList(count: Int) {
    let encoded = CommandList(["abc", "abd"]).encoded
    #expect(CommandList(encoded: Array(encoded.prefix(count))) == nil)
    #expect(CommandList(encoded: [UInt8](repeating: 0xff, count: 40)) == nil)
  }
}
