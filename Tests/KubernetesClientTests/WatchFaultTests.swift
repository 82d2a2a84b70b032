// Watches in trouble: whatever happens, who follows objects has them right in the end.

import Encoding
import KubernetesFixture
import Synchronization
import Testing

@testable import KubernetesClient

@Suite("Watches in trouble")
struct WatchFaultTests {
  private static func node(_ name: String, _ version: Int, uid: String = "u") -> String {
    #"{"metadata":{"name":"\#(name)","uid":"\#(uid)","resourceVersion":"\#(version)"}}"#
  }
  private static func event(_ type: String, _ object: String) -> String {
    #"{"type":"\#(type)","object":\#(object)}"# + "\n"
  }
  private static func list(_ version: Int, _ nodes: String...) -> String {
    #"{"metadata":{"resourceVersion":"\#(version)"},"items":[\#(nodes.joined(separator: ","))]}"#
  }

  /// A change in a word.
  private static func word(_ change: Change<Node>) -> String {
    switch change {
    case .added(let node): "+\(node.name)"
    case .changed(let old, let new): "\(new.name):\(old.metadata.version)>\(new.metadata.version)"
    case .deleted(let node): "-\(node.name)"
    case .synchronized: "synchronized"
    case .interrupted: "interrupted"
    case .setAside(let aside): "?\(aside.name)"
    }
  }

  private func words(
    _ client: KubernetesClient, until last: String
  ) async -> [String] {
    var words: [String] = []
    for await change in client.follow(Node.self) {
      words.append(Self.word(change))
      if words.last == last { break }
    }
    return words
  }

  /// What a stand-in does with the n-th list and the n-th watch.
  private func server(
    list: @escaping @Sendable (Int) -> String,
    watch: @escaping @Sendable (Int, StandIn.Connection) -> Bool
  ) throws -> StandIn {
    let counts = Counts()
    return try StandIn { asked, _, connection in
      if asked.target.contains("watch=true") {
        return watch(counts.next("watch"), connection)
      }
      connection.answer(200, list(counts.next("list")))
      return true
    }
  }

  @Test(
    "410 leads to a new list, of which the differences are told, also another node of the same name"
  )
  func gone() async throws {
    let server = try server(
      list: { number in
        number == 1
          ? Self.list(5, Self.node("a", 1), Self.node("b", 2), Self.node("c", 3))
          : Self.list(9, Self.node("a", 1), Self.node("c", 8, uid: "other"), Self.node("d", 9))
      },
      watch: { number, connection in
        connection.beginStream()
        if number == 1 {
          connection.piece(Self.event("ERROR", #"{"code":410,"reason":"Expired"}"#))
        } else {
          connection.piece(Self.event("MODIFIED", Self.node("d", 10)))
        }
        connection.awaitEnd()
        return false
      })
    defer { server.stop() }
    let words = await words(try server.client(), until: "d:9>10")
    #expect(Set(words.prefix(3)) == ["+a", "+b", "+c"] && words[3] == "synchronized")
    let after = words.dropFirst(4)
    #expect(Set(after) == ["-b", "-c", "+c", "+d", "synchronized", "d:9>10"])
    #expect(words.filter { $0 == "interrupted" }.isEmpty)
  }

  @Test("a half-open watch is found by its silence and goes on where it was, on a new connection")
  func halfOpen() async throws {
    let server = try server(
      list: { _ in Self.list(5, Self.node("a", 1)) },
      watch: { number, connection in
        connection.beginStream()
        if number == 1 {
          connection.piece(Self.event("BOOKMARK", #"{"metadata":{"resourceVersion":"7"}}"#))
        } else {
          connection.piece(Self.event("ADDED", Self.node("b", 8)))
        }
        connection.awaitEnd()
        return false
      })
    defer { server.stop() }
    let words = await words(try server.client { $0.watchIdle = 1 }, until: "+b")
    #expect(words == ["+a", "synchronized", "interrupted", "synchronized", "+b"])
    let watches = server.asked.filter { $0.target.contains("watch=true") }
    #expect(watches[0].target.contains("resourceVersion=5"))
    #expect(watches[1].target.contains("resourceVersion=7"))
  }

  @Test("a watch that the server ends goes on without a word, and one cut off within a line too")
  func ended() async throws {
    let server = try server(
      list: { _ in Self.list(5) },
      watch: { number, connection in
        connection.beginStream()
        switch number {
        case 1:
          connection.piece(Self.event("ADDED", Self.node("a", 6)))
          connection.endStream()
          return true
        case 2:
          let line = Self.event("ADDED", Self.node("b", 7))
          connection.piece(String(line.prefix(20)))
          connection.piece(String(line.dropFirst(20)))
          connection.piece(String(line.prefix(30)))
          return false
        default:
          connection.piece(Self.event("DELETED", Self.node("a", 8)))
          connection.awaitEnd()
          return false
        }
      })
    defer { server.stop() }
    let words = await words(try server.client(), until: "-a")
    #expect(words == ["synchronized", "+a", "+b", "interrupted", "synchronized", "-a"])
  }

  @Test(
    "an event that can't be read is set aside, and an answer that is no watch is an interruption")
  func unreadable() async throws {
    let server = try server(
      list: { _ in Self.list(5, Self.node("a", 1)) },
      watch: { number, connection in
        if number == 1 {
          connection.answer(500, "boom")
          return true
        }
        connection.beginStream()
        if number == 2 {
          connection.piece(
            Self.event("MODIFIED", #"{"metadata":{"name":"a"},"spec":{"taints":1}}"#))
          connection.piece("no json\n")
        } else {
          connection.piece(Self.event("MODIFIED", Self.node("a", 9)))
        }
        connection.awaitEnd()
        return false
      })
    defer { server.stop() }
    let words = await words(try server.client(), until: "a:1>9")
    #expect(
      words == [
        "+a", "synchronized", "interrupted", "synchronized", "?a", "interrupted", "synchronized",
        "a:1>9",
      ])
  }

  @Test("what a slow reader does not take is bounded: it loses the watch, not the memory")
  func backlog() async throws {
    let server = try server(
      list: { _ in Self.list(5) },
      watch: { number, connection in
        connection.beginStream()
        if number == 1 {
          let line = Self.event("MODIFIED", Self.node("a", 6))
          connection.piece(String(repeating: line, count: 20_000))
        } else {
          connection.piece(Self.event("ADDED", Self.node("b", 7)))
        }
        connection.awaitEnd()
        return false
      })
    defer { server.stop() }
    let words = await words(try server.client { $0.watchBacklog = 200_000 }, until: "+b")
    #expect(words.contains("interrupted") && words.count < 20_000)
  }

  @Test("a follower that is cancelled ends, and its connection with it")
  func cancelled() async throws {
    let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
    let (ended, ending) = AsyncStream.makeStream(of: Void.self)
    let server = try server(
      list: { _ in Self.list(5) },
      watch: { _, connection in
        connection.beginStream()
        beginning.yield()
        connection.awaitEnd()
        ending.yield()
        return false
      })
    defer { server.stop() }
    let client = try server.client()
    let task = Task { for await _ in client.follow(Node.self) {} }
    // Its watch is there.
    for await _ in begun { break }
    task.cancel()
    await task.value
    for await _ in ended { break }
  }
}

/// Counts by name.
private final class Counts: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  func next(_ name: String) -> Int {
    counts.withLock { counts in
      counts[name, default: 0] += 1
      return counts[name, default: 0]
    }
  }
}
