// The words with which a metascheduler calls the scheduler of a queue: `kamelot QUEUE EPOCH DATE`.

import ClusterModel
import Glibc

/// A call, read and checked.
struct QueueCall: Hashable {
  /// The option that lets the pass run in the process that was called, so that its own end is seen.
  static let unguarded = "--unguarded"
  /// More is no name of a queue: OAR's column holds so many characters.
  private static let nameLimit = 100

  var queue: String
  /// The metascheduler's clock.
  var now: Instant
  var isGuarded = true

  /// - Parameter words: what follows the program's name; without a second operand it is the clock's time. The
  ///   third repeats the second as a date for people and is not looked at.
  /// - Throws: ``QueueCallError``.
  init(_ words: [String]) throws(QueueCallError) {
    var operands = words
    if operands.first == Self.unguarded {
      isGuarded = false
      operands.removeFirst()
    }
    guard let queue = operands.first, operands.count <= 3 else {
      throw QueueCallError("it takes QUEUE EPOCH DATE, not \(operands.count) words")
    }
    guard !queue.isEmpty, queue.count <= Self.nameLimit else {
      throw QueueCallError("\"\(queue.prefix(Self.nameLimit))\" is no name of a queue")
    }
    self.queue = queue
    guard operands.count > 1 else {
      now = time(nil)
      return
    }
    guard let now = Int(operands[1]), (1..<endOfTime).contains(now) else {
      throw QueueCallError(
        "the time must be seconds since 1970, from 1 to \(endOfTime - 1), not \"\(operands[1].prefix(40))\""
      )
    }
    self.now = now
  }
}

/// Why a call can't be understood.
struct QueueCallError: Error, CustomStringConvertible {
  let description: String

  init(_ problem: String) {
    description =
      "\(problem) (usage: kamelot QUEUE [EPOCH [DATE]], as OAR's metascheduler calls it; see kamelot --help)"
  }
}
