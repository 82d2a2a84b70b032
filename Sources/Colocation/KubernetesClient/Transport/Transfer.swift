// A call under way: what the pool's thread and the one who waits have in common.

import CCurl
import Synchronization

/// Takes what a transfer brings; called on the pool's thread.
protocol TransferSink: AnyObject, Sendable {
  /// False to end the transfer here: that was too much.
  func take(status: Int, _ bytes: UnsafeRawBufferPointer) -> Bool
  /// The last thing it hears, once.
  func end(_ result: Result<TransferEnd, TransportFailure>)
}

struct TransferEnd: Sendable {
  var status: Int
  var retryAfter: Int?
  var version: Int
}

final class Transfer: @unchecked Sendable {
  let call: HTTPCall
  let sink: any TransferSink
  private let cancelled = Atomic<Bool>(false)

  // The pool's thread alone touches these.
  var handle: UnsafeMutableRawPointer?
  /// Nanoseconds of the monotonic clock when the last byte came, or when it began.
  var lastByte: UInt64 = 0

  init(_ call: HTTPCall, to sink: any TransferSink) {
    (self.call, self.sink) = (call, sink)
  }

  var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
  func markCancelled() { cancelled.store(true, ordering: .releasing) }
}

/// Collects an answer that comes whole.
final class WholeAnswer: TransferSink {
  private struct State {
    var body: [UInt8] = []
    var continuation: CheckedContinuation<HTTPAnswer, any Error>?
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  func await(_ continuation: CheckedContinuation<HTTPAnswer, any Error>) {
    state.withLock { $0.continuation = continuation }
  }

  func take(status: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    state.withLock { state in
      guard state.body.count + bytes.count <= limit else { return false }
      state.body.append(contentsOf: bytes)
      return true
    }
  }

  func end(_ result: Result<TransferEnd, TransportFailure>) {
    let (body, continuation) = state.withLock { state in
      defer { state = State() }
      return (state.body, state.continuation)
    }
    switch result {
    case .success(let end):
      let answer = HTTPAnswer(
        status: end.status, body: body, retryAfter: end.retryAfter, version: end.version)
      continuation?.resume(returning: answer)
    case .failure(let failure): continuation?.resume(throwing: failure)
    }
  }
}
