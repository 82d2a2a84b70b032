// Group commit: changes of many events in one transaction, and what follows once they are durable.

import ClusterModel
import Storage

/// Changes on their way to the store, in order, and what to do then.
struct PendingCommit {
  var changes: [Change]
  /// Called when the changes are durable.
  var whenDurable: () -> Void
  /// Takes the changes back when they can't be written; `nil` for changes that must not be lost: they are
  /// tried again until they are durable.
  var whenRefused: ((StorageError) -> Void)?
  /// Called once when changes that must not be lost have to wait for room.
  var whenDelayed: ((StorageError) -> Void)?

  /// Whether some of it is about what admins change in the database as well.
  var isAboutSite: Bool { changes.contains { $0.isAboutSite } }
}

/// Collects changes while a transaction is being written, and writes them with the next.
final class Committer {
  /// Bounds the length of one transaction.
  private static let changesPerCommit = 20_000

  private let storage: any Storage
  private let log: ServerLog
  private var queue: [PendingCommit] = []
  private var writing: [PendingCommit] = []
  private(set) var isWriting = false
  /// After a transaction failed for another reason than space: so many are tried alone, to find the culprit.
  private var alone = 0
  /// How many transactions were written.
  private(set) var count = 0
  /// Why the store takes nothing now; `nil` if it takes what it is given.
  private(set) var trouble: StorageError?

  init(storage: any Storage, log: ServerLog) {
    self.storage = storage
    self.log = log
  }

  var hasWork: Bool { !queue.isEmpty }

  func add(_ commit: PendingCommit) {
    queue.append(commit)
    if commit.isAboutSite { siteCommits += 1 }
  }

  /// How many commits about what admins change as well were added.
  private(set) var siteCommits = 0

  /// Whether one of them is not written yet: then the store says less than the server knows.
  var hasSiteCommits: Bool { (writing + queue).contains { $0.isAboutSite } }

  /// Writes what is queued in one transaction. Call it only while none is being written.
  ///
  /// - Returns: whether to go on at once; `false` when the store has no room.
  func writeBatch(isolation: isolated (any Actor)? = #isolation) async -> Bool {
    guard !isWriting, !queue.isEmpty else { return true }
    isWriting = true
    let batch = takeBatch()
    writing = batch
    defer { writing = [] }
    do {
      try await storage.commit(batch.flatMap(\.changes))
      isWriting = false
      count += 1
      trouble = nil
      for commit in batch { commit.whenDurable() }
      return true
    } catch {
      isWriting = false
      return await fail(batch, (error as? StorageError) ?? .failed("\(error)"))
    }
  }

  private func takeBatch() -> [PendingCommit] {
    var total = 0
    var length = 0
    while length < queue.count, length == 0 || (alone == 0 && total < Self.changesPerCommit) {
      total += queue[length].changes.count
      length += 1
    }
    alone = max(0, alone - 1)
    let batch = Array(queue[..<length])
    queue.removeFirst(length)
    return batch
  }

  /// Without room, what may be refused is and the rest waits. Anything else may be the fault of one change:
  /// it is found and set aside, so that it does not stop the others for ever.
  private func fail(
    _ batch: [PendingCommit], _ error: StorageError, isolation: isolated (any Actor)? = #isolation
  ) async -> Bool {
    if case .full = error {
      delay(batch, error)
      return false
    }
    if batch.count > 1 {
      queue.insert(contentsOf: batch, at: 0)
      alone = batch.count
      return true
    }
    guard let commit = batch.first else { return true }
    if let whenRefused = commit.whenRefused {
      whenRefused(error)
      return true
    }
    return await setAside(commit, error)
  }

  private func delay(_ batch: [PendingCommit], _ error: StorageError) {
    trouble = error
    var kept = batch.filter { $0.whenRefused == nil }
    for index in kept.indices {
      kept[index].whenDelayed?(error)
      kept[index].whenDelayed = nil
    }
    queue.insert(contentsOf: kept, at: 0)
    for commit in batch { commit.whenRefused?(error) }
  }

  /// Goes on without a change that the store does not take, if it takes others: a note of it in the event
  /// log is the proof. A store that takes nothing (locked, say) is waited for.
  private func setAside(
    _ commit: PendingCommit, _ error: StorageError, isolation: isolated (any Actor)? = #isolation
  ) async -> Bool {
    let text = "the store refuses \(commit.changes.map(\.name).joined(separator: ", ")): \(error)"
    let note = JobEvent("CHANGE_REFUSED", job: 0, at: Controller.now, String(text.prefix(255)))
    isWriting = true
    do {
      try await storage.commit([.event(note)])
      isWriting = false
      log.say(text)
      commit.whenDurable()
      return true
    } catch {
      isWriting = false
      delay([commit], (error as? StorageError) ?? .failed("\(error)"))
      return false
    }
  }
}

extension Change {
  /// Whether it is about resources, queues, or wishes that others leave in rows.
  fileprivate var isAboutSite: Bool {
    switch self {
    case .resourceAdded, .resourceRemoved, .resourceChanged, .propertyAdded, .propertyRemoved,
      .propertyRenamed, .queueSet, .queueRemoved, .walltimeChange, .eventsChecked, .stateWished,
      .wishesDone:
      true
    default: false
    }
  }

  /// The kind of the change without its values, for the log.
  fileprivate var name: String {
    let text = "\(self)"
    return String(text.prefix { $0 != "(" })
  }
}
