// The thread on which libcurl moves all transfers of a client side by side, over connections that are
// kept and shared.

import CCurl
import Glibc
import Synchronization

final class ConnectionPool: @unchecked Sendable {
  private struct Inbox {
    var starts: [Transfer] = []
    var cancels: [Transfer] = []
    /// No more will come: the thread ends after the last transfer.
    var isRetired = false
    /// The thread ends now.
    var isClosed = false
    /// The thread has ended, and the pool of libcurl with it.
    var isOver = false
  }

  private let pool: OpaquePointer
  private let inbox = Mutex(Inbox())

  // The thread alone touches these.
  private var running: [UnsafeMutableRawPointer: Transfer] = [:]
  /// Those of the running that end when no byte comes for a time.
  private var watched: [UnsafeMutableRawPointer: Transfer] = [:]

  /// How long the thread sleeps at most, in seconds; it is woken for all that happens.
  private static let longestSleep = 600.0

  /// - Parameter connections: the most that are open at once.
  static func start(connections: Int) throws -> ConnectionPool {
    guard ccurl_load() == 0 else {
      throw KubernetesError.configuration(
        "libcurl is missing or too old; install it: apt-get install libcurl4")
    }
    guard let pool = ccurl_pool_new(connections) else {
      throw KubernetesError.configuration("there is no memory for connections")
    }
    let made = ConnectionPool(pool)
    var thread = pthread_t()
    let context = Unmanaged.passRetained(made)
    let code = pthread_create(
      &thread, nil,
      { context in
        context.map { Unmanaged<ConnectionPool>.fromOpaque($0).takeRetainedValue().run() }
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      context.release()
      ccurl_pool_free(pool)
      throw KubernetesError.configuration("the system has no thread left: \(errorText(code))")
    }
    pthread_detach(thread)
    return made
  }

  private init(_ pool: OpaquePointer) { self.pool = pool }

  // MARK: - From any thread

  func start(_ transfer: Transfer) {
    deliver({ $0.starts.append(transfer) }, orElse: { transfer.sink.end(.failure(.cancelled)) })
  }

  func cancel(_ transfer: Transfer) {
    transfer.markCancelled()
    deliver({ $0.cancels.append(transfer) }, orElse: {})
  }

  /// Lets the transfers under way end, and then the thread.
  func retire() { deliver({ $0.isRetired = true }, orElse: {}) }

  /// Ends all transfers and the thread.
  func close() { deliver({ $0.isClosed = true }, orElse: {}) }

  private func deliver(_ add: (inout Inbox) -> Void, orElse refuse: () -> Void) {
    let isTaken = inbox.withLock { inbox in
      if inbox.isOver { return false }
      add(&inbox)
      // Within the lock: the pool must be there still.
      ccurl_pool_wake(pool)
      return true
    }
    if !isTaken { refuse() }
  }

  // MARK: - The thread

  private func run() {
    // A connection that is gone is told by an error, not by a signal.
    var pipe = sigset_t()
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, nil)
    while carryOut() {
      ccurl_pool_run(pool)
      finish()
      endIdle()
      ccurl_pool_wait(pool, sleep())
    }
  }

  /// Does what was asked for; false when the thread is to end.
  private func carryOut() -> Bool {
    let work = inbox.withLock { inbox in
      let work = inbox
      inbox.starts = []
      inbox.cancels = []
      return work
    }
    for transfer in work.starts { begin(transfer) }
    for transfer in work.cancels { stop(transfer, .cancelled) }
    guard work.isClosed || (work.isRetired && running.isEmpty) else { return true }
    return !end(isForced: work.isClosed)
  }

  /// Ends the pool, unless there is work again.
  private func end(isForced: Bool) -> Bool {
    for transfer in running.values { stop(transfer, .cancelled) }
    let left: [Transfer]? = inbox.withLock { inbox in
      guard isForced || inbox.starts.isEmpty else { return nil }
      inbox.isOver = true
      return inbox.starts
    }
    guard let left else { return false }
    for transfer in left { transfer.sink.end(.failure(.cancelled)) }
    ccurl_pool_free(pool)
    return true
  }

  private func begin(_ transfer: Transfer) {
    guard !transfer.isCancelled else { return transfer.sink.end(.failure(.cancelled)) }
    transfer.lastByte = Self.now
    var error = [CChar](repeating: 0, count: 256)
    let handle = CallStrings(transfer).withCall { call in
      ccurl_start(pool, &call, &error)
    }
    guard let handle else { return transfer.sink.end(.failure(.other(Self.text(error)))) }
    transfer.handle = handle
    running[handle] = transfer
    if transfer.call.idleTimeout != nil { watched[handle] = transfer }
  }

  private func stop(_ transfer: Transfer, _ failure: TransportFailure) {
    guard let handle = transfer.handle, running.removeValue(forKey: handle) != nil else { return }
    watched[handle] = nil
    transfer.handle = nil
    ccurl_stop(pool, handle)
    transfer.sink.end(.failure(failure))
  }

  private func finish() {
    var end = ccurl_end()
    while ccurl_pool_ended(pool, &end) != 0 {
      guard let handle = end.transfer, let transfer = running.removeValue(forKey: handle) else {
        continue
      }
      watched[handle] = nil
      transfer.handle = nil
      transfer.sink.end(Self.result(of: &end, transfer.call))
    }
  }

  private func endIdle() {
    guard !watched.isEmpty else { return }
    let now = Self.now
    for transfer in watched.values {
      guard let limit = transfer.call.idleTimeout else { continue }
      if Double(now - transfer.lastByte) / 1e9 >= limit {
        stop(transfer, .timedOut("no byte came for \(Int(limit)) s"))
      }
    }
  }

  private func sleep() -> Int32 {
    let now = Self.now
    var seconds = Self.longestSleep
    for transfer in watched.values {
      guard let limit = transfer.call.idleTimeout else { continue }
      seconds = min(seconds, limit - Double(now - transfer.lastByte) / 1e9)
    }
    return Int32(max(0, seconds * 1000).rounded(.up))
  }

  static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  // MARK: - Ends

  private static func result(
    of end: inout ccurl_end, _ call: HTTPCall
  ) -> Result<TransferEnd, TransportFailure> {
    let text = withUnsafeBytes(of: &end.error) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    switch ccurl_failure(UInt32(end.kind)) {
    case CCURL_FINE:
      return .success(
        TransferEnd(
          status: end.status, retryAfter: end.retry_after > 0 ? end.retry_after : nil,
          version: Int(end.version)))
    case CCURL_NOT_CONNECTED: return .failure(.notConnected(text))
    case CCURL_NOT_TRUSTED: return .failure(.notTrusted(text))
    case CCURL_TIMED_OUT: return .failure(.timedOut(text))
    case CCURL_LOST: return .failure(.lost(text))
    case CCURL_STOPPED: return .failure(.tooLong(limit: call.answerLimit))
    default: return .failure(.other(text))
    }
  }

  private static func text(_ bytes: [CChar]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// The words of an error number.
func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
