// Calls over a pool of connections. A pool whose connection may be half open is replaced: new calls take
// a new connection, and those under way end as they can.

import Synchronization

final class Transport: Sendable {
  private let connections: Int
  private let current: Mutex<ConnectionPool>

  /// - Parameter connections: the most that are open at once.
  init(connections: Int) throws {
    self.connections = connections
    current = Mutex(try ConnectionPool.start(connections: connections))
  }

  deinit { current.withLock { $0.close() } }

  /// Asks, and waits for the whole answer.
  ///
  /// - Throws: ``TransportFailure``.
  func answer(_ call: HTTPCall) async throws -> HTTPAnswer {
    let pool = current.withLock { $0 }
    let sink = WholeAnswer(limit: call.answerLimit)
    let transfer = Transfer(call, to: sink)
    do {
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          sink.await(continuation)
          pool.start(transfer)
        }
      } onCancel: {
        pool.cancel(transfer)
      }
    } catch let failure as TransportFailure {
      if failure.casts { replace(pool) }
      throw failure
    }
  }

  /// Asks for an answer that is read while it comes.
  func open(_ call: HTTPCall) -> OpenAnswer {
    let pool = current.withLock { $0 }
    let stream = AnswerStream(limit: call.answerLimit)
    let transfer = Transfer(call, to: stream)
    pool.start(transfer)
    return OpenAnswer(transport: self, pool: pool, transfer: transfer, stream: stream)
  }

  /// Lets go of a pool with a connection that did not answer in time.
  fileprivate func replace(_ pool: ConnectionPool) {
    current.withLock { current in
      // Without a thread for another, this one has to do.
      guard current === pool, let fresh = try? ConnectionPool.start(connections: connections) else {
        return
      }
      current = fresh
      pool.retire()
    }
  }
}

/// An answer that goes on; it ends when nobody holds this any more.
final class OpenAnswer: Sendable {
  private let transport: Transport
  private let pool: ConnectionPool
  private let transfer: Transfer
  private let stream: AnswerStream

  fileprivate init(
    transport: Transport, pool: ConnectionPool, transfer: Transfer, stream: AnswerStream
  ) {
    (self.transport, self.pool) = (transport, pool)
    (self.transfer, self.stream) = (transfer, stream)
  }

  deinit { pool.cancel(transfer) }

  /// The next piece; for one reader.
  ///
  /// - Returns: how it ended, once all was read.
  func next() async -> Result<AnswerStream.Piece, AnswerStream.Ending> {
    let result = await withTaskCancellationHandler {
      await stream.next()
    } onCancel: {
      pool.cancel(transfer)
    }
    if case .failure(let ending) = result, case .failure(let failure) = ending.result,
      failure.casts
    {
      transport.replace(pool)
    }
    return result
  }
}
