// Group commit over a store that fails when it is told to.

import ClusterModel
import Storage
import Testing

@testable import Controller

/// A store that fails when it is told to.
private actor FailingStore: Storage {
  private(set) var written: [[String]] = []
  var isFull = false
  var isLocked = false
  /// A change with this name is never written.
  let poison: String

  init(poison: String = "") { self.poison = poison }

  func lock(_ isLocked: Bool) { self.isLocked = isLocked }
  func fill(_ isFull: Bool) { self.isFull = isFull }

  func commit(_ changes: [Change]) throws {
    let names = changes.map { if case .propertyRemoved(let name) = $0 { name } else { "" } }
    if isLocked { throw StorageError.failed("locked") }
    if isFull { throw StorageError.full("no room") }
    if names.contains(poison) { throw StorageError.failed("poisoned") }
    written.append(names)
  }

  func load() -> StoredCluster { StoredCluster() }
  func jobs(matching filter: JobFilter, limit: Int) -> [JobRecord] { [] }
  func request(of job: JobID) -> JobRequest? { nil }
  func events(_ filter: EventFilter) -> [JobEvent] { [] }
  func pastUse(from begin: Instant, to end: Instant) -> [PastUse] { [] }
  func reserve(jobs: Int, moldables: Int) -> (job: JobID, moldable: MoldableID) { (1, 1) }
  func close() {}
}

@Suite("Group commit") @MainActor struct CommitterTests {
  private final class Diary {
    var lines: [String] = []
  }

  private func change(_ name: String) -> [Change] { [.propertyRemoved(name)] }

  @Test("what is queued is written in one transaction, in order") func grouped() async {
    let store = FailingStore()
    let committer = Committer(storage: store, log: ServerLog())
    let diary = Diary()
    for name in ["a", "b", "c"] {
      committer.add(
        PendingCommit(changes: change(name), whenDurable: { diary.lines.append(name) }))
    }
    #expect(await committer.writeBatch())
    #expect(await store.written == [["a", "b", "c"]])
    #expect(diary.lines == ["a", "b", "c"])
    #expect(committer.count == 1)
  }

  @Test("on a full disk submissions are refused, and what happened is written once there is room")
  func full() async {
    let store = FailingStore()
    let committer = Committer(storage: store, log: ServerLog())
    let diary = Diary()
    await store.fill(true)
    committer.add(
      PendingCommit(
        changes: change("submission"), whenDurable: { diary.lines.append("accepted") },
        whenRefused: { _ in diary.lines.append("refused") }))
    committer.add(
      PendingCommit(changes: change("end"), whenDurable: { diary.lines.append("ended") }))
    #expect(await committer.writeBatch() == false)
    #expect(diary.lines == ["refused"])
    await store.fill(false)
    #expect(await committer.writeBatch())
    #expect(diary.lines == ["refused", "ended"])
    #expect(await store.written == [["end"]])
  }

  @Test("a change that the store can't take stops no other") func poisoned() async {
    let store = FailingStore(poison: "b")
    let committer = Committer(storage: store, log: ServerLog())
    for name in ["a", "b", "c"] {
      committer.add(PendingCommit(changes: change(name), whenDurable: {}))
    }
    while committer.hasWork {
      #expect(await committer.writeBatch())
      #expect(committer.trouble == nil)
    }
    // Between them, the note in the event log of what was left out.
    #expect(await store.written == [["a"], [""], ["c"]])
  }

  @Test("a store that takes nothing for a while, whatever the reason, loses no change")
  func locked() async {
    let store = FailingStore()
    let committer = Committer(storage: store, log: ServerLog())
    let diary = Diary()
    await store.lock(true)
    for name in ["a", "b"] {
      committer.add(
        PendingCommit(
          changes: change(name), whenDurable: { diary.lines.append(name) },
          whenDelayed: { _ in diary.lines.append("\(name) waits") }))
    }
    while await committer.writeBatch() {}
    while await committer.writeBatch() {}
    #expect(diary.lines == ["a waits"])
    await store.lock(false)
    while committer.hasWork { #expect(await committer.writeBatch()) }
    #expect(diary.lines == ["a waits", "a", "b"])
    #expect(await store.written.flatMap { $0 } == ["a", "b"])
  }
}
