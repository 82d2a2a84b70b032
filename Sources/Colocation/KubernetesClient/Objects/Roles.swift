// What may be done in the whole cluster (rbac.authorization.k8s.io/v1, in every release from 1.8 on), and who may.

import Encoding

/// Verbs that are allowed on resources.
public struct PolicyRule: Sendable, Hashable {
  /// An empty one is the core group.
  public var groups: [String] = []
  /// As in paths, such as `nodes` or `pods/eviction`.
  public var resources: [String] = []
  public var verbs: [String] = []
  /// Names of single objects, and paths that are no resources: rules of ours have none.
  public var names: [String] = []
  public var paths: [String] = []

  public init(groups: [String] = [""], resources: [String], verbs: [String]) {
    (self.groups, self.resources, self.verbs) = (groups, resources, verbs)
  }

  init(from reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      let text = { (reader: inout JSONReader) throws(ReadingError) in try reader.text() }
      switch name {
      case "apiGroups": groups = try reader.items(text)
      case "resources": resources = try reader.items(text)
      case "verbs": verbs = try reader.items(text)
      case "resourceNames": names = try reader.items(text)
      case "nonResourceURLs": paths = try reader.items(text)
      default: return false
      }
      return true
    }
  }

  public var json: JSONValue {
    func list(_ texts: [String]) -> JSONValue? {
      texts.isEmpty ? nil : .array(texts.map { .string($0) })
    }
    return .fields([
      "apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs),
      "resourceNames": list(names), "nonResourceURLs": list(paths),
    ])
  }
}

public struct ClusterRole: KubernetesObject {
  public static let kinds = [
    ObjectKind(
      group: "rbac.authorization.k8s.io", kind: "ClusterRole", plural: "clusterroles",
      isNamespaced: false)
  ]

  public var metadata: Metadata
  public var rules: [PolicyRule] = []

  public init(_ metadata: Metadata, rules: [PolicyRule]) {
    (self.metadata, self.rules) = (metadata, rules)
  }

  public init(from reader: inout JSONReader) throws(ReadingError) {
    metadata = Metadata()
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "metadata": metadata = try Metadata(from: &reader)
      case "rules":
        rules = try reader.items { reader throws(ReadingError) in try PolicyRule(from: &reader) }
      default: return false
      }
      return true
    }
  }
}

/// Somebody, or a role, as a binding names them.
public struct RoleParty: Sendable, Hashable {
  /// `User`, `Group`, `ServiceAccount`, `ClusterRole`.
  public var kind = ""
  public var name = ""
  /// Of a service account.
  public var namespace = ""

  public init(kind: String, name: String, namespace: String = "") {
    (self.kind, self.name, self.namespace) = (kind, name, namespace)
  }

  init(from reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "kind": kind = try reader.text()
      case "name": self.name = try reader.text()
      case "namespace": namespace = try reader.text()
      default: return false
      }
      return true
    }
  }

  public var json: JSONValue {
    .fields([
      // Accounts are of the core group.
      "apiGroup": kind == "ServiceAccount" ? nil : .string("rbac.authorization.k8s.io"),
      "kind": .string(kind), "name": .string(name),
      "namespace": namespace.isEmpty ? nil : .string(namespace),
    ])
  }
}

/// Lets somebody do what a role says.
public struct ClusterRoleBinding: KubernetesObject {
  public static let kinds = [
    ObjectKind(
      group: "rbac.authorization.k8s.io", kind: "ClusterRoleBinding",
      plural: "clusterrolebindings", isNamespaced: false)
  ]

  public var metadata: Metadata
  /// It can't be changed once the binding is made.
  public var role: RoleParty
  public var subjects: [RoleParty] = []

  public init(_ metadata: Metadata, role: RoleParty, subjects: [RoleParty]) {
    (self.metadata, self.role, self.subjects) = (metadata, role, subjects)
  }

  public init(from reader: inout JSONReader) throws(ReadingError) {
    metadata = Metadata()
    role = RoleParty(kind: "", name: "")
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "metadata": metadata = try Metadata(from: &reader)
      case "roleRef": role = try RoleParty(from: &reader)
      case "subjects":
        subjects = try reader.items { reader throws(ReadingError) in try RoleParty(from: &reader) }
      default: return false
      }
      return true
    }
  }
}
