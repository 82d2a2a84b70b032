// Words to an `oarsub` of OAR 2 that waits, over real sockets.

import Glibc
import Testing
import Wire

@testable import Controller

/// A client that listens, as OAR 2's `oarsub` does.
private final class PlayedListener {
  let port: Int
  private let descriptor: Int32

  init() throws {
    let descriptor = try Sockets.listen(port: 0)
    self.descriptor = descriptor
    var address = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(descriptor, $0, &length)
      }
    }
    try #require(code == 0)
    port = Int(UInt16(bigEndian: address.sin6_port))
  }

  deinit { close(descriptor) }

  var client: WaitingClient {
    get throws { try #require(WaitingClient(info: "localhost:\(port)")) }
  }

  /// What the next connections bring; each is read to its end.
  func lines(_ count: Int) -> [String] {
    (0..<count).map { _ in
      let connection = accept(descriptor, nil, nil)
      defer { close(connection) }
      var text = ""
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = read(connection, &buffer, buffer.count)
        if count <= 0 { return text }
        text += String(decoding: buffer.prefix(count), as: UTF8.self)
      }
    }
  }
}

@Suite("Words to waiting clients") struct ClientWordTests {
  @Test("info_type names a client only if somebody listens there")
  func addresses() {
    let client = WaitingClient(info: "frontend:42065")
    #expect(client?.host == "frontend" && client?.port == 42065)
    for text in ["frontend:", "frontend", ":1234", "frontend:0", "frontend:70000", "a b:1", "f:-1"]
    {
      #expect(WaitingClient(info: text) == nil, "\(text)")
    }
  }

  @Test("each word comes over a connection of its own, in order, as one line")
  func order() throws {
    let listener = try PlayedListener()
    let words: [ClientWord] = [
      .text("This reservation could\nrun at 2026-11-20 13:13:46"), .badJob, .goodReservation,
      .prediction(now: "N", start: "S", message: "R=1"),
    ]
    #expect(ClientWords.send([ClientDelivery(client: try listener.client, words: words)]) == [true])
    #expect(
      listener.lines(4) == [
        "This reservation could run at 2026-11-20 13:13:46\n", "BAD JOB\n", "GOOD RESERVATION\n",
        "[N] Start prediction: S (R=1)\n",
      ])
  }

  @Test("a client that is gone, or has no address, is told apart from the others")
  func gone() throws {
    let listener = try PlayedListener()
    let gone = try PlayedListener().client
    let nowhere = try #require(WaitingClient(info: "no-such-host.invalid:1"))
    let arrived = ClientWords.send(
      [gone, nowhere, try listener.client].map {
        ClientDelivery(client: $0, words: [.goodJob])
      })
    #expect(arrived == [false, false, true])
    #expect(listener.lines(1) == ["GOOD JOB\n"])
  }

  @Test("a client that does not answer holds up nobody for longer than the time given")
  func silent() throws {
    // An address that is kept for documents: nothing is there, and nothing says so.
    let silent = try #require(WaitingClient(info: "192.0.2.1:9"))
    let began = EventLoop.monotonicNanoseconds
    #expect(
      ClientWords.send([ClientDelivery(client: silent, words: [.goodJob])], within: 0.2) == [false])
    #expect(EventLoop.monotonicNanoseconds - began < 2_000_000_000)
  }
}
