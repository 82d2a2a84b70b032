// What others left on the way: nodes that somebody cordoned, and what hand-made scripts of the first BeBiDa need. It
// is told and not touched.

import Glibc
import KubernetesClient

enum Strangers {
  /// Whom those scripts made in Kubernetes: a user and its group, by a certificate.
  static let user = "workflow-manager-1"
  static let group = "workflow-manager"
  static let role = "node-deleter"

  /// Files of those scripts.
  static let files = [
    "/usr/local/bin/master-prolog.sh", "/usr/local/bin/master-epilog.sh",
    "/usr/local/bin/prolog.sh", "/usr/local/bin/epilog.sh",
    "/usr/local/etc/workflow-manager-1-kubeconfig.yaml", "/usr/local/etc/workflow-manager-1.key",
    "/etc/oar/bebida_prolog.sh", "/etc/oar/bebida_epilog.sh", "/etc/bebida/kubeconfig.yaml",
  ]

  /// All that is found, as lines.
  ///
  /// - Parameter root: what stands before the paths of files.
  /// - Throws: ``KubernetesError``.
  static func found(_ client: KubernetesClient, root: String) async throws -> [String] {
    let findings =
      try await cordons(client) + roles(client) + scripts(below: root)
    return findings.isEmpty ? [] : ["", "Found of others, and left as it is:"] + findings
  }

  private static func cordons(_ client: KubernetesClient) async throws -> [String] {
    let nodes = try await client.list(Node.self).items
      .filter { $0.isUnschedulable && !$0.isCordonedByUs }.map(\.name).sorted()
    guard !nodes.isEmpty else { return [] }
    let more = nodes.count > shown ? " and \(nodes.count - shown) more" : ""
    return [
      "  cordoned by somebody else: \(nodes.prefix(shown).joined(separator: ", "))\(more); "
        + "they stay so until somebody says kubectl uncordon NODE"
    ]
  }

  private static func roles(_ client: KubernetesClient) async throws -> [String] {
    let bindings = try await client.list(ClusterRoleBinding.self).items.filter { binding in
      binding.subjects.contains {
        $0.kind == "User" && $0.name == user || $0.kind == "Group" && $0.name == group
      }
    }
    let roles = try await client.list(ClusterRole.self).items.map(\.metadata.name)
      .filter { [user, role].contains($0) }
    return bindings.map {
      "  clusterrolebinding \($0.metadata.name), by which \(user) has the role \($0.role.name); when no "
        + "hook needs it: kubectl delete clusterrolebinding \($0.metadata.name)"
    }
      + roles.map {
        "  clusterrole \($0); when no hook needs it: kubectl delete clusterrole \($0)"
      }
  }

  private static func scripts(below root: String) -> [String] {
    let there = files.filter { access(root + $0, F_OK) == 0 }
    return there.isEmpty
      ? []
      : [
        "  files that may be hooks of hand-made scripts: \(there.joined(separator: ", ")); "
          + "take them out of the batch system's settings before bebida's hooks go in"
      ]
  }

  /// So many nodes are named.
  private static let shown = 10
}
