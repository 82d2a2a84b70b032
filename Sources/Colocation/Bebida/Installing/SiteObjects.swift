// What an installation consists of in Kubernetes: a namespace with an account and its token, and a role with the
// binding that gives it to the account.

import Encoding
import KubernetesClient

/// Who an object belongs to: all that is installed bears this label, and nothing else is changed or removed.
enum Ownership {
  static let label = "app.kubernetes.io/managed-by"
  static let value = "bebida"

  static func isOurs(_ object: some KubernetesObject) -> Bool {
    object.metadata.labels[label] == value
  }

  static func metadata(_ name: String, in namespace: String = "") -> Metadata {
    var metadata = Metadata(name: name, namespace: namespace)
    metadata.labels[label] = value
    return metadata
  }
}

/// What has to be done so that an object is what it should be.
enum ObjectFit {
  case same
  case other
  /// What is wrong of it can't be changed: it has to be made anew.
  case unchangeable
}

/// An object that is made, and kept as it should be.
protocol KeptObject: KubernetesObject {
  /// What it says beside its metadata.
  var content: [JSONMember] { get }
  /// How one that is there fits, its metadata left aside.
  func fit(_ there: Self) -> ObjectFit
}

extension KeptObject {
  /// The object as the API takes it.
  var body: JSONValue {
    func texts(_ texts: [String: String]) -> JSONValue? {
      guard !texts.isEmpty else { return nil }
      return .object(
        texts.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) })
    }
    let kind = Self.kinds[0]
    return .object(
      [
        JSONMember("apiVersion", .string(kind.apiVersion)), JSONMember("kind", .string(kind.kind)),
        JSONMember(
          "metadata",
          .fields([
            "name": .string(metadata.name),
            "namespace": metadata.namespace.isEmpty ? nil : .string(metadata.namespace),
            "labels": texts(metadata.labels), "annotations": texts(metadata.annotations),
          ])),
      ] + content)
  }

  /// As messages and kubectl call it: `clusterrole bebida`.
  var title: String { Self.title(metadata.name, in: metadata.namespace) }

  static func title(_ name: String, in namespace: String) -> String {
    "\(kinds[0].kind.lowercased()) \(namespace.isEmpty ? "" : namespace + "/")\(name)"
  }
}

extension Namespace: KeptObject {
  var content: [JSONMember] { [] }
  func fit(_ there: Namespace) -> ObjectFit { .same }
}

extension ServiceAccount: KeptObject {
  var content: [JSONMember] { [] }
  func fit(_ there: ServiceAccount) -> ObjectFit { .same }
}

extension AccountToken: KeptObject {
  var content: [JSONMember] { [JSONMember("type", .string(type))] }

  func fit(_ there: AccountToken) -> ObjectFit {
    let isSame =
      there.type == type
      && there.metadata.annotations[Self.accountKey] == metadata.annotations[Self.accountKey]
    return isSame ? .same : .unchangeable
  }
}

extension ClusterRole: KeptObject {
  var content: [JSONMember] { [JSONMember("rules", .array(rules.map(\.json)))] }
  func fit(_ there: ClusterRole) -> ObjectFit { there.rules == rules ? .same : .other }
}

extension ClusterRoleBinding: KeptObject {
  var content: [JSONMember] {
    [
      JSONMember("roleRef", role.json), JSONMember("subjects", .array(subjects.map(\.json))),
    ]
  }

  func fit(_ there: ClusterRoleBinding) -> ObjectFit {
    guard (there.role.kind, there.role.name) == (role.kind, role.name) else { return .unchangeable }
    return there.subjects == subjects ? .same : .other
  }
}

/// The objects of one installation, told apart from others of the cluster by its namespace.
struct SiteObjects {
  static let account = "bebida"
  static let standardNamespace = "bebida"

  let namespace: Namespace
  let account: ServiceAccount
  let token: AccountToken
  let role: ClusterRole
  let binding: ClusterRoleBinding

  init(namespace name: String) {
    // Two installations must not take each other's role away.
    let global = name == Self.standardNamespace ? "bebida" : "bebida-\(name)"
    namespace = Namespace(Ownership.metadata(name))
    account = ServiceAccount(Ownership.metadata(Self.account, in: name))
    token = AccountToken(Ownership.metadata("bebida-token", in: name), account: Self.account)
    role = ClusterRole(Ownership.metadata(global), rules: LendingRights.rules)
    binding = ClusterRoleBinding(
      Ownership.metadata(global), role: RoleParty(kind: "ClusterRole", name: global),
      subjects: [RoleParty(kind: "ServiceAccount", name: Self.account, namespace: name)])
  }
}
