// Answers kept for the next time they are asked for, shared by passes on any thread.

import Synchronization

/// Numbers that are not used again, from 1.
final class Counter: Sendable {
  private let last = Mutex(0)

  func next() -> Int {
    last.withLock {
      $0 += 1
      return $0
    }
  }
}

/// Results of a pure function by its argument.
final class Memo<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  /// At most so many results are kept; then it starts afresh.
  private let limit = 16_384
  private let known = Mutex<[Key: Value]>([:])

  /// The result for `key`, worked out by `make` the first time.
  func value(for key: Key, make: () -> Value) -> Value {
    if let value = known.withLock({ $0[key] }) { return value }
    let value = make()
    known.withLock { known in
      if known.count >= limit { known = [:] }
      known[key] = value
    }
    return value
  }
}
