// The event loop: one thread that is epoll, timers, inbox and Swift executor at once.
//
// An actor whose executor is the loop runs on its thread; descriptors and timers call back on the same
// thread, so that an actor's state needs no lock and no hop.

import CLinux
import Glibc
import Synchronization

/// What a descriptor is watched for, or is ready for.
public struct Readiness: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let read = Readiness(rawValue: EPOLLIN.rawValue)
  public static let write = Readiness(rawValue: EPOLLOUT.rawValue)
  /// The other end is gone, or an error is pending: a read or write will tell.
  public static let hangup = Readiness(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
}

/// A timer that was set.
public struct TimerToken: Hashable, Sendable {
  fileprivate let deadline: UInt64
  fileprivate let number: UInt64
}

/// One thread's loop. Everything but ``enqueue(_:)`` and ``post(_:)`` is for that thread, or for before it runs.
public final class EventLoop: SerialExecutor, @unchecked Sendable {
  private struct Inbox {
    var jobs: [UnownedJob] = []
    var closures: [@Sendable () -> Void] = []
    var isAwake = false
  }

  private let epoll: Int32
  private let wake: Int32
  private let inbox = Mutex(Inbox())
  private let threadID = Atomic<UInt>(0)

  private var handlers: [Int32: (Readiness) -> Void] = [:]
  private var timers: [(token: TimerToken, action: () -> Void)] = []
  private var timerCount: UInt64 = 0
  private var deferred: [() -> Void] = []
  private var isStopping = false

  public init() {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    wake = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    precondition(epoll >= 0 && wake >= 0, "no descriptors left for the event loop")
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: wake))
    epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event)
  }

  deinit {
    close(epoll)
    close(wake)
  }

  // MARK: Executor

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    deliver { $0.jobs.append(job) }
  }

  /// Runs `action` on the loop's thread; may be called from any thread.
  public func post(_ action: @escaping @Sendable () -> Void) {
    deliver { $0.closures.append(action) }
  }

  public func checkIsolated() {
    precondition(isCurrent, "not on the event loop's thread")
  }

  public func isIsolatingCurrentContext() -> Bool? { isCurrent }

  private var isCurrent: Bool { threadID.load(ordering: .relaxed) == UInt(pthread_self()) }

  private func deliver(_ add: (inout Inbox) -> Void) {
    let mustWake = inbox.withLock { inbox in
      add(&inbox)
      defer { inbox.isAwake = true }
      return !inbox.isAwake
    }
    if mustWake, !isCurrent { eventfd_write(wake, 1) }
  }

  // MARK: Descriptors

  /// Calls `handler` whenever `descriptor` is ready; replaces an earlier watch of it.
  public func watch(
    _ descriptor: Int32, for readiness: Readiness, _ handler: @escaping (Readiness) -> Void
  ) {
    let operation = handlers.updateValue(handler, forKey: descriptor) == nil
    control(operation ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, readiness)
  }

  /// Changes what a watched descriptor is watched for; nothing still reports hang-ups.
  public func rewatch(_ descriptor: Int32, for readiness: Readiness) {
    guard handlers[descriptor] != nil else { return }
    control(EPOLL_CTL_MOD, descriptor, readiness)
  }

  /// Stops watching; call it before the descriptor is closed.
  public func unwatch(_ descriptor: Int32) {
    guard handlers.removeValue(forKey: descriptor) != nil else { return }
    epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
  }

  private func control(_ operation: Int32, _ descriptor: Int32, _ readiness: Readiness) {
    var event = epoll_event(events: readiness.rawValue, data: epoll_data_t(fd: descriptor))
    epoll_ctl(epoll, operation, descriptor, &event)
  }

  // MARK: Time

  /// Nanoseconds of the monotonic clock.
  public static var monotonicNanoseconds: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Runs `action` once, `seconds` from now.
  @discardableResult
  public func after(_ seconds: Double, _ action: @escaping () -> Void) -> TimerToken {
    timerCount += 1
    let deadline = Self.monotonicNanoseconds + UInt64(max(0, seconds) * 1e9)
    let token = TimerToken(deadline: deadline, number: timerCount)
    let place = timers.lastIndex { $0.token.deadline <= deadline }.map { $0 + 1 } ?? 0
    timers.insert((token, action), at: place)
    return token
  }

  /// Forgets a timer, whether it has run or not.
  public func cancel(_ token: TimerToken) {
    // In order of deadlines: what is cancelled is near the place where its deadline belongs.
    var low = 0
    var high = timers.count
    while low < high {
      let middle = (low + high) / 2
      if timers[middle].token.deadline < token.deadline { low = middle + 1 } else { high = middle }
    }
    while low < timers.count, timers[low].token.deadline == token.deadline {
      if timers[low].token == token {
        timers.remove(at: low)
        return
      }
      low += 1
    }
  }

  /// Runs `action` after everything that is ready now was handled, before the loop sleeps.
  public func afterThisRound(_ action: @escaping () -> Void) {
    deferred.append(action)
  }

  // MARK: Running

  /// Runs until ``stop()``, on the calling thread.
  public func run() {
    threadID.store(UInt(pthread_self()), ordering: .relaxed)
    var events = [epoll_event](repeating: epoll_event(), count: 256)
    while !isStopping {
      let count = epoll_wait(epoll, &events, Int32(events.count), timeout())
      for index in 0..<max(0, Int(count)) {
        let event = events[index]
        if event.data.fd == wake {
          var value: eventfd_t = 0
          eventfd_read(wake, &value)
        } else {
          handlers[event.data.fd]?(Readiness(rawValue: event.events))
        }
      }
      runTimers()
      runInbox()
      runDeferred()
    }
  }

  /// Makes ``run()`` return after the present round.
  public func stop() { isStopping = true }

  private func timeout() -> Int32 {
    if !deferred.isEmpty || inbox.withLock({ $0.isAwake }) { return 0 }
    guard let next = timers.first?.token.deadline else { return -1 }
    let now = Self.monotonicNanoseconds
    return next <= now ? 0 : Int32(clamping: (next - now + 999_999) / 1_000_000)
  }

  private func runTimers() {
    guard !timers.isEmpty else { return }
    let now = Self.monotonicNanoseconds
    while let first = timers.first, first.token.deadline <= now {
      timers.removeFirst().action()
    }
  }

  private func runInbox() {
    let work = inbox.withLock { inbox in
      defer { inbox = Inbox() }
      return inbox
    }
    for closure in work.closures { closure() }
    for job in work.jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
  }

  private func runDeferred() {
    guard !deferred.isEmpty else { return }
    let actions = deferred
    deferred = []
    for action in actions { action() }
  }
}
