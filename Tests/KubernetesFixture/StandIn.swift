// A stand-in for a server that misbehaves: each connection is handled by a closure that reads requests
// and writes what it likes, at any pace, on a thread of its own. HTTP/1.1 without TLS.

import Dispatch
import Glibc
import Synchronization

package final class StandIn: Sendable {
  /// A request as it came.
  package struct Asked: Sendable {
    package var method: String
    /// Path and query.
    package var target: String
    package var headers: [String: String]
    package var body: String
  }

  /// One connection.
  package final class Connection: Sendable {
    fileprivate let socket: Int32

    fileprivate init(_ socket: Int32) { self.socket = socket }

    /// Writes bytes as they are.
    package func send(_ text: String) {
      var rest = Array(text.utf8)[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes {
          Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }

    /// Writes a whole answer.
    package func answer(_ status: Int, _ body: String, headers: [String] = []) {
      let lines =
        [
          "HTTP/1.1 \(status) X", "Content-Type: application/json",
          "Content-Length: \(body.utf8.count)",
        ]
        + headers
      send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    /// Begins an answer that goes on.
    package func beginStream() {
      send(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    }

    package func piece(_ text: String) {
      send(String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n")
    }

    package func endStream() { send("0\r\n\r\n") }

    /// Waits until the other end closes.
    package func awaitEnd() {
      var chunk = [UInt8](repeating: 0, count: 4096)
      while recv(socket, &chunk, chunk.count, 0) > 0 {}
    }

    /// Reads one request; nil at the end.
    fileprivate func next() -> Asked? {
      var bytes: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 4096)
      let mark = Array("\r\n\r\n".utf8)
      var head: Range<Int>?
      while true {
        if head == nil, bytes.count >= 4 {
          head = (0...bytes.count - 4).first { Array(bytes[$0..<$0 + 4]) == mark }.map { 0..<$0 }
        }
        if let head, let asked = Self.asked(bytes, head.upperBound) { return asked }
        let count = recv(socket, &chunk, chunk.count, 0)
        guard count > 0 else { return nil }
        bytes += chunk[..<count]
      }
    }

    private static func asked(_ bytes: [UInt8], _ end: Int) -> Asked? {
      let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
      let words = (lines.first ?? "").split(separator: " ").map(String.init)
      guard words.count >= 2 else { return nil }
      var headers: [String: String] = [:]
      for line in lines.dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { continue }
        headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
      }
      let size = headers["content-length"].flatMap { Int($0) } ?? 0
      guard bytes.count >= end + 4 + size else { return nil }
      let body = String(decoding: bytes[(end + 4)..<(end + 4 + size)], as: UTF8.self)
      return Asked(method: words[0], target: words[1], headers: headers, body: body)
    }
  }

  package let port: Int
  private let socket: Int32
  private let open = Mutex<Set<Int32>>([])
  private let log = Mutex<[Asked]>([])
  private let connections = Atomic<Int>(0)

  package var url: String { "http://127.0.0.1:\(port)" }
  /// All that was asked so far.
  package var asked: [Asked] { log.withLock { $0 } }
  /// How many connections were made.
  package var connectionCount: Int { connections.load(ordering: .relaxed) }

  /// - Parameter handle: called for every request, with its number from 1; false to close the connection.
  package init(_ handle: @escaping @Sendable (Asked, Int, Connection) -> Bool) throws {
    (socket, port) = try listeningSocket()
    let listening = socket
    DispatchQueue(label: "stand-in").async { [weak self] in
      while true {
        let accepted = accept(listening, nil, nil)
        guard accepted >= 0 else { return }
        guard let self else {
          close(accepted)
          return
        }
        self.begin(accepted, handle)
      }
    }
  }

  private func begin(
    _ accepted: Int32, _ handle: @escaping @Sendable (Asked, Int, Connection) -> Bool
  ) {
    connections.add(1, ordering: .relaxed)
    open.withLock { _ = $0.insert(accepted) }
    DispatchQueue(label: "stand-in connection").async { [self] in
      let connection = Connection(accepted)
      while let asked = connection.next() {
        let number = log.withLock { log in
          log.append(asked)
          return log.count
        }
        guard handle(asked, number, connection) else { break }
      }
      open.withLock { _ = $0.remove(accepted) }
      close(accepted)
    }
  }

  /// Closes everything.
  package func stop() {
    shutdown(socket, Int32(SHUT_RDWR))
    close(socket)
    open.withLock { for descriptor in $0 { shutdown(descriptor, Int32(SHUT_RDWR)) } }
  }
}
