// What this client may do, as the server sees it (SelfSubjectAccessReview).

import Encoding

/// Something that one may do or not.
public struct Permission: Sendable, Hashable, CustomStringConvertible {
  /// Such as `patch`.
  public var verb: String
  public var group: String
  /// As in paths, such as `nodes`.
  public var resource: String
  /// Such as `eviction`; empty for the whole.
  public var part: String
  /// Empty: all of them.
  public var namespace: String

  public init(
    _ verb: String, _ resource: String, part: String = "", group: String = "",
    namespace: String = ""
  ) {
    (self.verb, self.resource, self.part) = (verb, resource, part)
    (self.group, self.namespace) = (group, namespace)
  }

  public var description: String {
    let name = resource + (part.isEmpty ? "" : "/\(part)") + (group.isEmpty ? "" : ".\(group)")
    return "\(verb) \(name)" + (namespace.isEmpty ? "" : " in \(namespace)")
  }

  fileprivate var body: JSONValue {
    .fields([
      "apiVersion": .string("authorization.k8s.io/v1"), "kind": .string("SelfSubjectAccessReview"),
      "spec": .fields([
        "resourceAttributes": .fields([
          "verb": .string(verb), "group": .string(group), "resource": .string(resource),
          "subresource": part.isEmpty ? nil : .string(part),
          "namespace": namespace.isEmpty ? nil : .string(namespace),
        ])
      ]),
    ])
  }
}

extension KubernetesClient {
  /// Which of these may be done; asked side by side.
  public func allowed(_ permissions: [Permission]) async throws -> [Permission: Bool] {
    try await withThrowingTaskGroup(of: (Permission, Bool).self) { group in
      var answers: [Permission: Bool] = [:]
      var rest = permissions[...]
      for permission in rest.prefix(settings.width) {
        group.addTask { (permission, try await isAllowed(permission)) }
      }
      rest = rest.dropFirst(settings.width)
      while let (permission, isAllowed) = try await group.next() {
        answers[permission] = isAllowed
        if let next = rest.popFirst() {
          group.addTask { (next, try await self.isAllowed(next)) }
        }
      }
      return answers
    }
  }

  public func isAllowed(_ permission: Permission) async throws -> Bool {
    // It creates nothing that stays.
    var request = Request(
      "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", .harmless)
    request.body = Array(permission.body.text.utf8)
    let answer = try value(of: try await send(request), request)
    guard case .bool(let isAllowed)? = answer["status"]?["allowed"] else {
      throw KubernetesError.unreadable(request.description, "status.allowed is missing")
    }
    return isAllowed
  }
}
