// One watch: from a state of the objects on, every change, line by line, until the server or the
// connection ends it.

import Encoding

/// A line of a watch.
enum WatchEvent<Object: KubernetesObject>: Sendable {
  case added(Object)
  case modified(Object)
  case deleted(Object)
  /// Nothing happened up to this version.
  case bookmark(String)
  case setAside(SetAside)
  case error(APIStatus)
}

/// For one reader.
struct Watch<Object: KubernetesObject> {
  private let client: KubernetesClient
  private let request: Request
  private let answer: OpenAnswer
  private let identity: Identity
  private var buffer: [UInt8] = []
  /// Where the next line begins, and how far an end of line was looked for.
  private var start = 0
  private var searched = 0

  init(
    _ client: KubernetesClient, _ selection: Selection, from version: String
  ) async throws {
    self.client = client
    let settings = client.settings
    var request = Request(
      "GET",
      Request.path(try await client.kind(of: Object.self), namespace: selection.namespace),
      .harmless)
    let length = settings.watchLength * Double.random(in: 1...1.5)
    request.query =
      selection.query + [
        ("watch", "true"), ("resourceVersion", version), ("allowWatchBookmarks", "true"),
        ("timeoutSeconds", String(max(1, Int(length)))),
      ]
    self.request = request
    identity = try await client.credentials.current()
    var call = client.call(request, identity)
    (call.timeout, call.idleTimeout) = (nil, settings.watchIdle)
    call.answerLimit = settings.watchBacklog
    answer = client.transport.open(call)
  }

  /// The next event; nil when the watch has ended as it should.
  ///
  /// - Throws: ``KubernetesError``, or `CancellationError`.
  mutating func next() async throws -> WatchEvent<Object>? {
    while true {
      if let line = try takeLine() { return try event(line) }
      switch await answer.next() {
      case .success(let piece):
        guard piece.status == 200 else { throw await refusal(piece) }
        buffer += piece.bytes
      case .failure(let ending):
        return try end(ending.result)
      }
    }
  }

  private func end(
    _ result: Result<TransferEnd, TransportFailure>
  ) throws -> WatchEvent<Object>? {
    switch result {
    case .success(let end):
      guard end.status == 200 else {
        throw KubernetesError.refused(request.description, APIStatus(code: end.status))
      }
      return nil
    case .failure(let failure): throw client.error(failure, request)
    }
  }

  /// What the server said in place of events.
  private func refusal(_ first: AnswerStream.Piece) async -> any Error {
    var body = first.bytes
    while case .success(let piece) = await answer.next() {
      body += piece.bytes
      if body.count > client.settings.eventLimit { break }
    }
    if first.status == 401 { _ = await client.credentials.refused(identity) }
    let answer = HTTPAnswer(status: first.status, body: body, retryAfter: nil, version: 0)
    return KubernetesError.refused(request.description, APIStatus(answer))
  }

  private mutating func takeLine() throws -> [UInt8]? {
    while true {
      guard let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
        // What was read goes, now and then.
        buffer.removeFirst(start)
        (start, searched) = (0, buffer.count)
        guard buffer.count <= client.settings.eventLimit else {
          throw KubernetesError.tooLong(request.description, limit: client.settings.eventLimit)
        }
        return nil
      }
      let line = buffer[start..<end]
      (start, searched) = (end + 1, end + 1)
      if !line.isEmpty { return Array(line) }
    }
  }

  private func event(_ line: [UInt8]) throws -> WatchEvent<Object> {
    var reader = JSONReader(line)
    do throws(ReadingError) {
      var type = ""
      var object: [UInt8] = []
      try reader.fields { reader, name throws(ReadingError) in
        switch name {
        case "type": type = try reader.text()
        case "object": object = try reader.raw()
        default: return false
        }
        return true
      }
      return try Self.event(type, object)
    } catch {
      throw KubernetesError.unreadable(request.description, error.text)
    }
  }

  private static func event(
    _ type: String, _ object: [UInt8]
  ) throws(ReadingError) -> WatchEvent<Object> {
    var reader = JSONReader(object)
    switch type {
    case "BOOKMARK": return .bookmark(try BareObject(from: &reader).metadata.version)
    case "ERROR": return .error(try APIStatus(from: &reader))
    case "ADDED", "MODIFIED", "DELETED": break
    default: throw ReadingError(.value, "unknown event \"\(type)\"", at: 0)
    }
    do throws(ReadingError) {
      let value = try Object(from: &reader)
      return type == "ADDED"
        ? .added(value) : type == "MODIFIED" ? .modified(value) : .deleted(value)
    } catch {
      guard error.kind == .value else { throw error }
      var whole = JSONReader(object)
      return .setAside(SetAside(name: KubernetesClient.nameOfObject(&whole), reason: error.text))
    }
  }
}
