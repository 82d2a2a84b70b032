// Changing objects: created, patched, deleted. Nothing is replaced as a whole: fields that are not known
// here stay as they are.

import Encoding

/// What to change in an object.
public enum Patch: Sendable {
  /// Fields as they shall be; null removes one; lists are replaced (RFC 7386).
  case merge(JSONValue)
  /// The same, with lists whose items have keys merged.
  case strategic(JSONValue)
  /// Steps (RFC 6902).
  case json([Step])
  /// Fields that are to be ours (server-side apply); with force even if they are others'.
  case apply(JSONValue, isForced: Bool = false)

  public struct Step: Sendable, Equatable {
    /// `add`, `replace`, `remove` or `test`.
    public var operation: String
    /// Such as `/spec/taints`.
    public var path: String
    public var value: JSONValue?

    public init(_ operation: String, _ path: String, _ value: JSONValue? = nil) {
      (self.operation, self.path, self.value) = (operation, path, value)
    }
  }

  var contentType: String {
    switch self {
    case .merge: "application/merge-patch+json"
    case .strategic: "application/strategic-merge-patch+json"
    case .json: "application/json-patch+json"
    case .apply: "application/apply-patch+yaml"
    }
  }

  /// The patch as text; with a version it holds for that state of the object only.
  func body(ifVersion version: String?) -> String {
    switch self {
    case .merge(let value), .strategic(let value), .apply(let value, _):
      return (version.map { value.setting("metadata", "resourceVersion", .string($0)) } ?? value)
        .text
    case .json(let steps):
      // A version that is not the object's is a conflict; a test that fails would be no such thing.
      let guardian = version.map { [Step("add", "/metadata/resourceVersion", .string($0))] } ?? []
      return JSONValue.array(
        (guardian + steps).map {
          .fields(["op": .string($0.operation), "path": .string($0.path), "value": $0.value])
        }
      ).text
    }
  }
}

/// What a deletion came to.
public enum DeletionOutcome: Sendable, Equatable {
  /// It goes, or is gone.
  case accepted
  /// It was not there.
  case gone
  /// There is another one of that name.
  case replaced
}

extension KubernetesClient {
  /// Creates an object.
  ///
  /// - Parameter body: the object as JSON; apiVersion and kind are added.
  /// - Throws: ``KubernetesError``; its status `exists` if there is one of that name.
  @discardableResult
  public func create<Object: KubernetesObject>(
    _ type: Object.Type, _ body: JSONValue, in namespace: String? = nil
  ) async throws -> Object {
    let kind = try await kind(of: type)
    var request = Request(
      "POST", Request.path(kind, namespace: namespace ?? access.namespace), .harmful)
    request.query = writing
    request.body = Array(
      body.setting("apiVersion", .string(kind.apiVersion)).setting("kind", .string(kind.kind))
        .text.utf8)
    return try object(type, try await send(request), request)
  }

  /// Changes an object.
  ///
  /// - Parameters:
  ///   - version: the state of the object that the patch is meant for; another is a conflict.
  ///   - part: such as `status`.
  /// - Throws: ``KubernetesError``; its status `isConflict` if the object is in another state. After a lost
  ///   answer a conditional patch may find its own work done, and say conflict: read again.
  @discardableResult
  public func patch<Object: KubernetesObject>(
    _ type: Object.Type, _ name: String, in namespace: String? = nil, _ patch: Patch,
    ifVersion version: String? = nil, part: String? = nil
  ) async throws -> Object {
    let kind = try await kind(of: type)
    // Steps may add to a list each time they are taken; with a version they can't.
    var repetition = Request.Repetition.harmless
    if case .json = patch, version == nil { repetition = .harmful }
    var request = Request(
      "PATCH",
      Request.path(kind, namespace: namespace ?? access.namespace, name: name, part: part),
      repetition)
    request.query = writing
    if case .apply(_, isForced: true) = patch { request.query.append(("force", "true")) }
    request.contentType = patch.contentType
    request.body = Array(patch.body(ifVersion: version).utf8)
    return try object(type, try await send(request), request)
  }

  /// Deletes an object.
  ///
  /// - Parameters:
  ///   - grace: seconds that it is given to end; nil for its own. 0 takes it away at once, and what runs
  ///     may go on.
  ///   - uid: only this one, and no other of its name.
  @discardableResult
  public func delete<Object: KubernetesObject>(
    _ type: Object.Type, _ name: String, in namespace: String? = nil, grace: Int? = nil,
    ifUID uid: String? = nil
  ) async throws -> DeletionOutcome {
    let kind = try await kind(of: type)
    var request = Request(
      "DELETE", Request.path(kind, namespace: namespace ?? access.namespace, name: name), .harmless)
    request.body = Array(deletion(grace: grace, uid: uid, isWhole: true).text.utf8)
    do {
      _ = try await send(request)
      return .accepted
    } catch let error as KubernetesError where error.isNotFound {
      return .gone
    } catch let error as KubernetesError where error.isConflict && uid != nil {
      return .replaced
    }
  }

  /// What goes with all that is created or changed.
  private var writing: [(name: String, value: String)] {
    [("fieldManager", settings.fieldManager)] + (settings.isTrial ? [("dryRun", "All")] : [])
  }

  /// The options of a deletion, by themselves or within an eviction.
  func deletion(grace: Int?, uid: String?, isWhole: Bool) -> JSONValue {
    .fields([
      "apiVersion": isWhole ? .string("v1") : nil, "kind": isWhole ? .string("DeleteOptions") : nil,
      "gracePeriodSeconds": grace.map { .number(String($0)) },
      "preconditions": uid.map { .fields(["uid": .string($0)]) },
      "dryRun": settings.isTrial ? .array([.string("All")]) : nil,
    ])
  }

  /// Tells the world about something. Events are kept by the server for an hour or so.
  public func record(_ event: Event) async throws {
    // About objects without a namespace, 1.20 takes no event of the newer kind that `kubectl describe` shows.
    let kind = event.about.namespace.isEmpty ? Event.core : try await kind(of: Event.self)
    var request = Request(
      "POST", Request.path(kind, namespace: event.metadata.namespace), .harmless)
    request.query = writing
    request.body = Array(event.body(as: kind).text.utf8)
    do {
      _ = try await send(request)
    } catch let error as KubernetesError where error.exists {
      // The first attempt was heard after all.
    }
  }

  /// Creates a lease, or writes one down that was read before and changed: a conflict if it was changed
  /// by somebody else too.
  @discardableResult
  public func write(_ lease: Lease) async throws -> Lease {
    let name = lease.metadata.name
    guard !lease.metadata.version.isEmpty else {
      let body = JSONValue.fields([
        "metadata": .fields(["name": .string(name)]), "spec": lease.spec,
      ])
      return try await create(Lease.self, body, in: lease.metadata.namespace)
    }
    return try await patch(
      Lease.self, name, in: lease.metadata.namespace, .merge(.fields(["spec": lease.spec])),
      ifVersion: lease.metadata.version)
  }
}

extension JSONValue {
  /// The object with a member set.
  func setting(_ name: String, _ value: JSONValue) -> JSONValue {
    guard case .object(var members) = self else { return .fields([name: value]) }
    if let place = members.lastIndex(where: { $0.name == name }) {
      members[place].value = value
    } else {
      members.insert(JSONMember(name, value), at: 0)
    }
    return .object(members)
  }

  /// The object with a member of a member set.
  func setting(_ outer: String, _ inner: String, _ value: JSONValue) -> JSONValue {
    setting(outer, (self[outer] ?? .object([])).setting(inner, value))
  }
}
