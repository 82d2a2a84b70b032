// What the lender knows of one host.

import KubernetesClient
import Wire

struct LentHost {
  var record: NodeRecord
  /// The epoch that is on the disk; nil while none is.
  var writtenEpoch: Int64?
  /// The wish that is on the disk.
  var writtenWish: BatchDemand.Order?
  var demand = BatchDemand()
  var agent = AgentView(isConnected: false)
  /// Processes of pods that its agent has ended since it began.
  var killed = 0

  /// A write to its node is under way.
  var isMarking = false
  /// Not before this a further one is tried.
  var nextMark = Duration.zero
  var failedMarks = 0
  /// What is being done about pods, by uid.
  var goodbyes: [String: Goodbye] = [:]
  /// The last order that its agent was sent, and when.
  var order: (order: LendingOrder, at: Duration)?

  /// Since when jobs wait for it.
  var wantedSince: Duration?
  /// What was told of it: whether jobs may start, and the phase.
  var toldClear = false
  var toldPhase: Phase?
  /// Since when it is in this phase, or since when it is wanted, whatever is later.
  var phaseSince = Duration.zero

  init(_ record: NodeRecord) { self.record = record }

  /// Nothing is done for an intent that is not on the disk.
  var isWritten: Bool { writtenEpoch == record.epoch && writtenWish == demand.order }
}

/// What was done about a pod that has to go.
struct Goodbye {
  var isUnderWay = false
  /// Not before this it is tried again.
  var next = Duration.zero
  /// It was told, not only asked.
  var isTold = false
  /// Why it stays; empty if nothing is known against its going.
  var obstacle = ""
}
