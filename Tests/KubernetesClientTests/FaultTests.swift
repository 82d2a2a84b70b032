// Servers and networks that misbehave, as a stand-in does it: what is asked again, what is not, and that
// every wait ends.

import Encoding
import KubernetesFixture
import Testing

@testable import KubernetesClient

@Suite("Trouble with servers")
struct FaultTests {
  private static let node = #"{"metadata":{"name":"n1","uid":"u","resourceVersion":"5"}}"#
  private static let list = #"{"metadata":{"resourceVersion":"5"},"items":[\#(node)]}"#

  private static func status(_ code: Int, _ reason: String, _ more: String = "") -> String {
    #"{"kind":"Status","code":\#(code),"reason":"\#(reason)","message":"because"\#(more)}"#
  }

  @Test("a read is asked again after 500 and 503, and what comes then counts")
  func transient() async throws {
    let server = try StandIn { _, number, connection in
      switch number {
      case 1: connection.answer(500, "boom")
      case 2: connection.answer(503, Self.status(503, "ServiceUnavailable"))
      default: connection.answer(200, Self.node)
      }
      return true
    }
    defer { server.stop() }
    #expect(try await server.client().get(Node.self, "n1").name == "n1")
    #expect(server.asked.count == 3 && server.connectionCount == 1)
  }

  @Test("attempts end, and the error tells what the server said")
  func bounded() async throws {
    let server = try StandIn { _, _, connection in
      connection.answer(500, "<html>\n proxy  error</html>")
      return true
    }
    defer { server.stop() }
    let client = try server.client()
    let error = await failure { _ = try await client.get(Node.self, "n1") }
    #expect(error?.description == "GET /api/v1/nodes/n1: 500: <html> proxy error</html>")
    #expect(server.asked.count == 4)
  }

  @Test("a creation is not asked again after 500 or a lost answer, but after 429")
  func harmful() async throws {
    let server = try StandIn { _, number, connection in
      switch number {
      case 1: connection.answer(500, "boom")
      case 2:
        connection.send("HTTP/1.1 201 X\r\nContent-Length: 1000\r\n\r\n{\"meta")
        return false
      case 3:
        connection.answer(429, Self.status(429, "TooManyRequests"), headers: ["Retry-After: 1"])
      default: connection.answer(201, Self.node)
      }
      return true
    }
    defer { server.stop() }
    let client = try server.client()
    let first = await failure { try await client.create(Node.self, Body.node("n1")) }
    #expect(first?.status?.code == 500 && server.asked.count == 1)
    let second = await failure { try await client.create(Node.self, Body.node("n1")) }
    guard case .lost = second else {
      Issue.record("\(String(describing: second))")
      return
    }
    #expect(server.asked.count == 2)
    let start = ContinuousClock.now
    #expect(try await client.create(Node.self, Body.node("n1")).name == "n1")
    #expect(.now - start >= .seconds(1))
  }

  @Test("a server that wants a long pause is not waited for")
  func longPause() async throws {
    let server = try StandIn { _, _, connection in
      connection.answer(429, Self.status(429, "TooManyRequests"), headers: ["Retry-After: 3600"])
      return true
    }
    defer { server.stop() }
    let client = try server.client()
    let error = await failure { _ = try await client.get(Node.self, "n1") }
    #expect(error?.status?.retryAfter == 3600 && server.asked.count == 1)
  }

  @Test("a lost connection is made anew for a read")
  func lost() async throws {
    let server = try StandIn { _, number, connection in
      if number == 1 {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"meta")
        return false
      }
      connection.answer(200, Self.node)
      return true
    }
    defer { server.stop() }
    #expect(try await server.client().get(Node.self, "n1").name == "n1")
    #expect(server.connectionCount == 2)
  }

  @Test("a slow server is given up in time, and the next request takes another connection")
  func slow() async throws {
    let server = try StandIn { _, number, connection in
      if number == 1 { connection.awaitEnd() } else { connection.answer(200, Self.node) }
      return number != 1
    }
    defer { server.stop() }
    let client = try server.client { $0.requestTimeout = 1 }
    #expect(try await client.get(Node.self, "n1").name == "n1")
    #expect(server.connectionCount == 2)
  }

  @Test("nobody listens: that is said at once, with the address")
  func refused() async throws {
    let server = try StandIn { _, _, _ in false }
    server.stop()
    let client = try server.client()
    let error = await failure { _ = try await client.get(Node.self, "n1") }
    #expect(
      error?.description.hasPrefix("\(server.url) can't be reached: ") == true,
      "\(String(describing: error))")
  }

  @Test("an answer that is cut off within its JSON, or is none, is told as such")
  func truncated() async throws {
    let server = try StandIn { _, number, connection in
      connection.answer(200, number == 1 ? String(Self.node.dropLast(3)) : "[1]")
      return true
    }
    defer { server.stop() }
    let client = try server.client()
    for _ in 0..<2 {
      let error = await failure { _ = try await client.get(Node.self, "n1") }
      guard case .unreadable = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    #expect(server.asked.count == 2)
  }

  @Test("an answer that is too long is not taken; a list is asked for in smaller pages then")
  func tooLong() async throws {
    let server = try StandIn { asked, _, connection in
      let isSmall = asked.target.contains("limit=62")
      connection.answer(200, isSmall ? Self.list : String(repeating: " ", count: 100_000))
      return true
    }
    defer { server.stop() }
    let client = try server.client { $0.answerLimit = 10_000 }
    let error = await failure { _ = try await client.get(Node.self, "n1") }
    #expect(error == .tooLong("GET /api/v1/nodes/n1", limit: 10_000))
    #expect(try await client.list(Node.self).items.map(\.name) == ["n1"])
  }

  @Test("an object that can't be read harms no other of its list")
  func setAside() async throws {
    let server = try StandIn { _, _, connection in
      connection.answer(
        200,
        #"{"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"bad"},"spec":{"taints":7}},\#(Self.node)]}"#
      )
      return true
    }
    defer { server.stop() }
    let list = try await server.client().list(Node.self)
    #expect(list.items.map(\.name) == ["n1"])
    #expect(
      list.setAside == [SetAside(name: "bad", reason: "spec.taints: it must be a list, not 7")])
  }

  @Test("a list whose next page has expired is begun anew")
  func expiredPage() async throws {
    let server = try StandIn { asked, number, connection in
      switch number {
      case 1:
        connection.answer(
          200, #"{"metadata":{"continue":"c","resourceVersion":"1"},"items":[\#(Self.node)]}"#)
      case 2: connection.answer(410, Self.status(410, "Expired"))
      default: connection.answer(200, Self.list)
      }
      return true
    }
    defer { server.stop() }
    #expect(try await server.client().list(Node.self).items.count == 1)
    #expect(server.asked.map { $0.target.contains("continue=c") } == [false, true, false])
  }

  @Test("after 401 a token file is read again, once")
  func unauthorized() async throws {
    let directory = try Directory()
    let path = try directory.write("token", "old")
    let server = try StandIn { asked, number, connection in
      if number == 1 { _ = try? directory.write("token", "new") }
      let isFresh = asked.headers["authorization"] == "Bearer new"
      connection.answer(
        isFresh && number < 3 ? 200 : 401, isFresh ? Self.node : Self.status(401, "Unauthorized"))
      return true
    }
    defer { server.stop() }
    let client = try server.client(token: .file(path))
    #expect(try await client.get(Node.self, "n1").name == "n1")
    #expect(
      server.asked.compactMap { $0.headers["authorization"] } == ["Bearer old", "Bearer new"])
    let error = await failure { _ = try await client.get(Node.self, "n1") }
    #expect(error?.status?.isUnauthorized == true && server.asked.count == 3)
    #expect("\(String(describing: error))".contains("Bearer") == false)
  }

  @Test("a redirection is not followed: a token is for its server alone")
  func redirected() async throws {
    let server = try StandIn { asked, _, connection in
      connection.answer(302, "", headers: ["Location: http://127.0.0.1:1/"])
      return true
    }
    defer { server.stop() }
    let client = try server.client(token: .secret(Secret("t")))
    let error = await failure { _ = try await client.get(Node.self, "n1") }
    #expect(error?.status?.code == 302 && server.asked.count == 1)
  }

  @Test("a proxy is asked in the server's place, and the path of the server's address is kept")
  func proxied() async throws {
    let proxy = try StandIn { _, _, connection in
      connection.answer(200, Self.node)
      return true
    }
    defer { proxy.stop() }
    var access = ClusterAccess(
      server: "http://far.invalid:8001/k8s/clusters/c-1", source: "the test")
    access.proxy = Secret(proxy.url)
    #expect(try await KubernetesClient(access).get(Node.self, "n1").name == "n1")
    #expect(
      proxy.asked.map(\.target) == ["http://far.invalid:8001/k8s/clusters/c-1/api/v1/nodes/n1"])
  }

  @Test("a cancelled request ends at once, and its connection with it")
  func cancelled() async throws {
    let (began, beginning) = AsyncStream.makeStream(of: Void.self)
    let server = try StandIn { _, _, connection in
      beginning.yield()
      connection.awaitEnd()
      return false
    }
    defer { server.stop() }
    let client = try server.client()
    let task = Task { try await client.get(Node.self, "n1") }
    for await _ in began { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }

  // MARK: - Eviction

  private static let core =
    #"{"resources":[{"name":"pods/eviction","group":"policy","version":"v1","kind":"Eviction"}]}"#

  @Test("what an eviction comes to is told by type")
  func evictions() async throws {
    let budget =
      #","details":{"causes":[{"reason":"DisruptionBudget","message":"needs 2"}],"retryAfterSeconds":10}"#
    let answers: [(Int, String)] = [
      (201, "{}"), (404, Self.status(404, "NotFound")), (409, Self.status(409, "Conflict")),
      (429, Self.status(429, "TooManyRequests", budget)),
      (
        500,
        #"{"message":"This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."}"#
      ),
      (
        403,
        Self.status(403, "Forbidden", #","details":{"causes":[{"reason":"NamespaceTerminating"}]}"#)
      ),
      (500, "other"),
    ]
    let server = try StandIn { asked, number, connection in
      switch asked.target {
      case "/version": connection.answer(200, #"{"gitVersion":"v1.36.0"}"#)
      case "/apis": connection.answer(200, #"{"groups":[]}"#)
      case "/api/v1": connection.answer(200, Self.core)
      default:
        let (code, body) = answers[Int(asked.target.filter(\.isNumber).dropFirst()) ?? 0]
        connection.answer(code, body)
      }
      return true
    }
    defer { server.stop() }
    let client = try server.client()
    func evict(_ number: Int) async throws -> EvictionOutcome {
      try await client.evict(pod: "p\(number)", in: "default", grace: 3, ifUID: "u")
    }
    #expect(try await evict(0) == .accepted)
    #expect(try await evict(1) == .gone)
    #expect(try await evict(2) == .replaced)
    #expect(try await evict(3) == .blocked("needs 2", retryAfter: 10))
    guard case .severalBudgets = try await evict(4) else {
      Issue.record("two budgets are not seen")
      return
    }
    #expect(try await evict(5) == .namespaceEnds)
    let error = await failure { _ = try await evict(6) }
    #expect(error?.status?.code == 500)
    let sent = server.asked.filter { $0.method == "POST" }
    #expect(sent.count == answers.count)
    #expect(
      sent[0].body
        == #"{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p0","namespace":"default"},"#
        + #""deleteOptions":{"gracePeriodSeconds":3,"preconditions":{"uid":"u"}}}"#)
  }

  @Test("a server without events.k8s.io is told events of the core")
  func oldEvents() async throws {
    let server = try StandIn { asked, _, connection in
      switch asked.target {
      case "/version": connection.answer(200, "{}")
      case "/apis":
        connection.answer(200, #"{"groups":[{"versions":[{"groupVersion":"policy/v1"}]}]}"#)
      case "/api/v1": connection.answer(200, Self.core)
      default: connection.answer(201, "{}")
      }
      return true
    }
    defer { server.stop() }
    let about = ObjectReference(kind: "Pod", name: "p1", namespace: "shop", uid: "u")
    try await server.client().record(
      Event(
        about: about, reason: "Reclaimed", note: "for job 5", action: "Drain",
        reporter: "liburna.io/bebida", instance: "server"))
    let asked = try #require(server.asked.last)
    #expect(asked.target.hasPrefix("/api/v1/namespaces/shop/events?"))
    #expect(asked.body.contains(#""involvedObject":{"apiVersion":"v1","kind":"Pod""#))
    #expect(
      asked.body.contains(#""message":"for job 5""#)
        && asked.body.contains(#""source":{"component""#))
  }
}
