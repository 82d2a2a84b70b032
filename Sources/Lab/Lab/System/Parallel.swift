// Work that mostly waits, done for several things at once, on threads that live only so long.

import Glibc
import Synchronization

enum Parallel {
  /// Does the work for each item, at most `width` at once, and waits for all of it.
  ///
  /// - Throws: the first failure, by the order of items, once all work has ended.
  static func each<Item: Sendable>(
    _ items: [Item], width: Int, _ work: @escaping @Sendable (Item) throws -> Void
  ) throws {
    guard items.count > 1, width > 1 else { return try items.forEach(work) }
    let next = Atomic<Int>(0)
    let failures = Mutex<[Int: any Error]>([:])
    withoutActuallyEscaping(work) { work in
      run(min(width, items.count)) {
        while case let place = next.add(1, ordering: .relaxed).oldValue, place < items.count {
          do {
            try work(items[place])
          } catch {
            failures.withLock { $0[place] = error }
          }
        }
      }
    }
    let first = failures.withLock { all in all.min { $0.key < $1.key }?.value }
    if let first { throw first }
  }

  private final class Work {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  private static func run(_ count: Int, _ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
      let work = Work(body)
      var threads: [pthread_t] = []
      for _ in 1..<count {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(work)
        let code = pthread_create(
          &thread, nil,
          { context in
            context.map { Unmanaged<Work>.fromOpaque($0).takeRetainedValue().body() }
            return nil
          }, context.toOpaque())
        // With fewer threads it takes longer.
        if code == 0 { threads.append(thread) } else { context.release() }
      }
      body()
      for thread in threads { pthread_join(thread, nil) }
    }
  }
}
