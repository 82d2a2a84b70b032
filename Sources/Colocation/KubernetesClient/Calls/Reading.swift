// Reading objects: one by its name, all that are selected, page by page.

import Encoding

/// Which objects of a kind are meant.
public struct Selection: Sendable, Equatable {
  /// nil: all of them.
  public var namespace: String?
  /// As the API takes it, such as `role=lent,zone!=b`.
  public var labels: String?
  /// As the API takes it, such as `spec.nodeName=node-1`.
  public var fields: String?

  public init(namespace: String? = nil, labels: String? = nil, fields: String? = nil) {
    (self.namespace, self.labels, self.fields) = (namespace, labels, fields)
  }

  public static let all = Selection()
  /// The pods that are on a node.
  public static func on(node: String) -> Selection { Selection(fields: "spec.nodeName=\(node)") }

  var query: [(name: String, value: String)] {
    [("labelSelector", labels), ("fieldSelector", fields)].compactMap { name, value in
      value.map { (name, $0) }
    }
  }
}

/// An object that can't be understood: it harms no other.
public struct SetAside: Sendable, Equatable {
  /// As far as it is known, with its namespace: `default/web-1`.
  public var name: String
  public var reason: String
}

public struct ObjectList<Object: KubernetesObject>: Sendable {
  public var items: [Object] = []
  public var setAside: [SetAside] = []
  /// Of the list as a whole: from here on a watch tells what changes.
  public var version = ""
}

extension KubernetesClient {
  /// How often a list is begun anew because the server no longer knew where it was.
  private static let listRestarts = 3

  /// One object.
  ///
  /// - Throws: ``KubernetesError``; with a status 404 if it is not there.
  public func get<Object: KubernetesObject>(
    _ type: Object.Type, _ name: String, in namespace: String? = nil
  ) async throws -> Object {
    let path = Request.path(
      try await kind(of: type), namespace: namespace ?? access.namespace, name: name)
    let request = Request("GET", path, .harmless)
    return try object(type, try await send(request), request)
  }

  /// One object; nil if it is not there.
  public func find<Object: KubernetesObject>(
    _ type: Object.Type, _ name: String, in namespace: String? = nil
  ) async throws -> Object? {
    do {
      return try await get(type, name, in: namespace)
    } catch let error as KubernetesError where error.isNotFound {
      return nil
    }
  }

  /// All objects that are selected.
  public func list<Object: KubernetesObject>(
    _ type: Object.Type, _ selection: Selection = .all
  ) async throws -> ObjectList<Object> {
    let path = Request.path(try await kind(of: type), namespace: selection.namespace)
    var (restarts, size) = (0, settings.pageSize)
    while true {
      do {
        return try await pages(type, path, selection, size)
      } catch let error as KubernetesError where error.isExpired && restarts < Self.listRestarts {
        // The next page was asked for too late: the server forgets old states.
        restarts += 1
      } catch KubernetesError.tooLong where size > 1 {
        size = max(1, size / 8)
      }
    }
  }

  private func pages<Object: KubernetesObject>(
    _ type: Object.Type, _ path: String, _ selection: Selection, _ size: Int
  ) async throws -> ObjectList<Object> {
    var list = ObjectList<Object>()
    var next: String?
    repeat {
      var request = Request("GET", path, .harmless)
      request.query = selection.query + [("limit", String(size))]
      if let next { request.query.append(("continue", next)) }
      let answer = try await send(request)
      next = try add(answer.body, to: &list, request)
      guard list.items.count + list.setAside.count <= settings.listLimit else {
        throw KubernetesError.tooLong("\(request) (objects)", limit: settings.listLimit)
      }
    } while next != nil
    return list
  }

  /// Adds a page; gives what to ask for the next one with.
  private func add<Object: KubernetesObject>(
    _ body: [UInt8], to list: inout ObjectList<Object>, _ request: Request
  ) throws -> String? {
    var reader = JSONReader(body)
    var next: String?
    do throws(ReadingError) {
      try reader.fields { reader, name throws(ReadingError) in
        switch name {
        case "metadata":
          try reader.fields { reader, name throws(ReadingError) in
            switch name {
            case "resourceVersion": list.version = try reader.text()
            case "continue":
              let text = try reader.text()
              next = text.isEmpty ? nil : text
            default: return false
            }
            return true
          }
        case "items":
          try reader.list { reader, _ throws(ReadingError) in try Self.add(&reader, to: &list) }
        default: return false
        }
        return true
      }
      try reader.end()
    } catch {
      throw KubernetesError.unreadable(request.description, error.text)
    }
    return next
  }

  private static func add<Object: KubernetesObject>(
    _ reader: inout JSONReader, to list: inout ObjectList<Object>
  ) throws(ReadingError) {
    var whole = reader
    do throws(ReadingError) {
      list.items.append(try Object(from: &reader))
    } catch {
      guard error.kind == .value else { throw error }
      list.setAside.append(SetAside(name: nameOfObject(&whole), reason: error.text))
      reader = whole
    }
  }

  /// The name of an object that could not be read; ends behind it.
  static func nameOfObject(_ reader: inout JSONReader) -> String {
    var bare = reader
    let metadata = (try? BareObject(from: &bare))?.metadata
    try? reader.skip()
    guard let metadata, !metadata.name.isEmpty else { return "?" }
    return key(metadata)
  }

  /// What tells objects of a kind apart: `namespace/name`, or the name alone.
  static func key(_ metadata: Metadata) -> String {
    metadata.namespace.isEmpty ? metadata.name : "\(metadata.namespace)/\(metadata.name)"
  }

  /// The object that an answer is.
  func object<Object: KubernetesObject>(
    _ type: Object.Type, _ answer: HTTPAnswer, _ request: Request
  ) throws -> Object {
    var reader = JSONReader(answer.body)
    do throws(ReadingError) {
      let object = try Object(from: &reader)
      try reader.end()
      return object
    } catch {
      throw KubernetesError.unreadable(request.description, error.text)
    }
  }
}

extension ReadingError {
  /// The problem and where it is.
  var text: String { place.isEmpty ? problem : "\(place): \(problem)" }
}
