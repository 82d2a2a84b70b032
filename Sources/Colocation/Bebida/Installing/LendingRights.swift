// What whoever lends may do in Kubernetes: all that the lender asks for there and no more. The role that is installed
// and the look of `bebida check` are made from it.

import KubernetesClient

enum LendingRights {
  static let rules = [
    PolicyRule(resources: ["nodes"], verbs: ["get", "list", "watch", "patch"]),
    PolicyRule(resources: ["pods"], verbs: ["list", "watch", "delete"]),
    PolicyRule(resources: ["pods/eviction"], verbs: ["create"]),
    PolicyRule(resources: ["events"], verbs: ["create"]),
  ]

  /// The rules, verb by verb.
  static let permissions = rules.flatMap { rule in
    rule.groups.flatMap { group in
      rule.resources.flatMap { resource in
        rule.verbs.map { permission($0, resource, group) }
      }
    }
  }

  /// What nobody who lends should be able to do.
  static let excess = [
    Permission("delete", "nodes"), Permission("create", "pods"), Permission("get", "secrets"),
  ]

  private static func permission(_ verb: String, _ resource: String, _ group: String) -> Permission
  {
    let parts = resource.split(separator: "/").map(String.init)
    // Events about nodes are in this namespace.
    return Permission(
      verb, parts[0], part: parts.count > 1 ? parts[1] : "", group: group,
      namespace: resource == "events" ? "default" : "")
  }
}
