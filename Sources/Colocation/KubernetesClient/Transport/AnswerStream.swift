// An answer that is read while it comes. What waits to be read is bounded: a reader that is too slow
// loses the answer, not memory.

import Synchronization

final class AnswerStream: TransferSink {
  /// A piece of the answer, with the status of the whole.
  struct Piece: Sendable {
    var status: Int
    var bytes: [UInt8]
  }

  private struct State {
    var status = 0
    var waiting: [UInt8] = []
    var end: Result<TransferEnd, TransportFailure>?
    var reader: CheckedContinuation<Void, Never>?
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  func take(status: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    let (isFine, reader) = state.withLock { state in
      guard state.waiting.count + bytes.count <= limit else {
        return (false, CheckedContinuation<Void, Never>?.none)
      }
      state.status = status
      state.waiting.append(contentsOf: bytes)
      defer { state.reader = nil }
      return (true, state.reader)
    }
    reader?.resume()
    return isFine
  }

  func end(_ result: Result<TransferEnd, TransportFailure>) {
    let reader = state.withLock { state in
      state.end = result
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume()
  }

  /// What has come since the last call; waits if that is nothing. For one reader.
  ///
  /// - Returns: how it ended, once all was read.
  func next() async -> Result<Piece, Ending> {
    while true {
      if let ready = state.withLock({ Self.take(&$0) }) { return ready }
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if !state.waiting.isEmpty || state.end != nil { return true }
          state.reader = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    }
  }

  /// The end of an answer is no piece of it.
  struct Ending: Error {
    var result: Result<TransferEnd, TransportFailure>
  }

  private static func take(_ state: inout State) -> Result<Piece, Ending>? {
    if !state.waiting.isEmpty {
      defer { state.waiting = [] }
      return .success(Piece(status: state.status, bytes: state.waiting))
    }
    return state.end.map { .failure(Ending(result: $0)) }
  }
}
