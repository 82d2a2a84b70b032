// Hears what a database says of changes that others make, on a connection and a thread of its own: a question
// that takes long holds nothing up, and nothing is asked again and again.

import CPostgreSQL
import Glibc
import SQLStorage
import Storage

/// Listens until it is stopped; a connection that was lost is made again.
final class ChangeListener: Sendable {
  /// The pauses between two attempts to connect.
  private static let shortestPause = Duration.milliseconds(100)
  private static let longestPause = Duration.seconds(5)

  private let settings: PostgreSQLSettings
  private let words: AsyncStream<ForeignChange>.Continuation
  /// A socket that is readable once the thread is to end, and its other end.
  private let (stopping, stop): (Int32, Int32)

  /// Starts to listen.
  ///
  /// - Returns: `nil` if the system has no thread or descriptor left.
  static func start(
    _ settings: PostgreSQLSettings
  ) -> (listener: ChangeListener, words: AsyncStream<ForeignChange>)? {
    // Whoever hears them only notes them down: they do not pile up.
    let (stream, words) = AsyncStream<ForeignChange>.makeStream()
    var pair: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &pair) == 0 else { return nil }
    let listener = ChangeListener(settings, words, stopping: pair[0], stop: pair[1])
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(listener)
    let code = pthread_create(
      &thread, nil,
      { context in
        context.map { Unmanaged<ChangeListener>.fromOpaque($0).takeRetainedValue().run() }
        return nil
      }, argument.toOpaque())
    guard code == 0 else {
      argument.release()
      return nil
    }
    pthread_detach(thread)
    return (listener, stream)
  }

  private init(
    _ settings: PostgreSQLSettings, _ words: AsyncStream<ForeignChange>.Continuation,
    stopping: Int32, stop: Int32
  ) {
    self.settings = settings
    self.words = words
    self.stopping = stopping
    self.stop = stop
  }

  deinit {
    close(stopping)
    close(stop)
  }

  /// Ends the thread; at once, unless it is connecting.
  func end() { _ = write(stop, "\n", 1) }

  // MARK: On the thread

  private func run() {
    var pause = Self.shortestPause
    var isLost = false
    repeat {
      do {
        let handle = try begin()
        defer { PQfinish(handle) }
        pause = Self.shortestPause
        isLost = false
        words.yield(.listening)
        try hear(handle)
        break
      } catch {
        if !isLost { words.yield(.lost("\(error.text)")) }
        isLost = true
      }
      pause = min(pause * 2, Self.longestPause)
    } while wait(stopping, Int16(POLLIN), until: .now + pause) == 0
    words.finish()
  }

  private func begin() throws(StorageFailure) -> OpaquePointer {
    let handle: OpaquePointer
    do {
      handle = try Session.connect(settings, until: .now + settings.patience)
    } catch {
      throw error.failure
    }
    let result = PQexec(handle, "LISTEN \(ChangeTriggers.channel)")
    defer { PQclear(result) }
    guard PQresultStatus(result) == PGRES_COMMAND_OK else {
      defer { PQfinish(handle) }
      throw lost(handle)
    }
    return handle
  }

  /// Passes on what is told until the thread is to end.
  private func hear(_ handle: OpaquePointer) throws(StorageFailure) {
    while true {
      var tables: Set<String> = []
      while let notification = PQnotifies(handle) {
        tables.insert(String(cString: notification.pointee.extra))
        PQfreemem(notification)
      }
      if !tables.isEmpty { words.yield(.written(tables)) }
      var requests = [
        pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0),
        pollfd(fd: stopping, events: Int16(POLLIN), revents: 0),
      ]
      if poll(&requests, 2, -1) < 0, errno != EINTR { throw lost(handle) }
      if requests[1].revents != 0 { return }
      guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else {
        throw lost(handle)
      }
    }
  }

  private func lost(_ handle: OpaquePointer) -> StorageFailure {
    .lost(StorageFailure.firstLine(String(cString: PQerrorMessage(handle))), settings)
  }
}
