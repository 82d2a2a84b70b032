// Whether a site can lend: what the lender may do in Kubernetes, and whether hosts and nodes belong together.

import KubernetesClient
import Wire

extension Lender {
  /// Looks at all that lending depends on, now.
  public func check() async -> [LendingFinding] {
    var findings = await kubernetesFindings()
    findings += hostFindings()
    return findings
  }

  private func kubernetesFindings() async -> [LendingFinding] {
    do {
      let capabilities = try await client.capabilities()
      var findings = [
        LendingFinding(.good, "\(client.access.server) answers: Kubernetes \(capabilities.version)")
      ]
      if capabilities.eviction == nil {
        findings.append(LendingFinding(.bad, "it can't evict pods: it is older than 1.20"))
      }
      let answers = try await client.allowed(LendingRights.permissions + LendingRights.excess)
      let missing = LendingRights.permissions.filter { answers[$0] != true }
      findings +=
        missing.isEmpty
        ? [LendingFinding(.good, "we may do there what lending needs")]
        : missing.map { LendingFinding(.bad, "we may not \($0) there") }
      findings += LendingRights.excess.filter { answers[$0] == true }.map {
        LendingFinding(.doubtful, "we may \($0) there, which lending needs not")
      }
      return findings
    } catch {
      return [LendingFinding(.bad, "\(error)")]
    }
  }

  private func hostFindings() -> [LendingFinding] {
    var findings: [LendingFinding] = []
    let names = hosts.keys.sorted()
    let homeless = names.filter { nodeOfHost[$0] == nil }
    let unreached = names.filter { hosts[$0]?.agent.isConnected != true }
    let paired = names.count - homeless.count
    findings.append(
      LendingFinding(
        paired > 0 ? .good : .bad, "\(paired) of \(names.count) hosts are nodes of Kubernetes"))
    if following.isCurrent, !homeless.isEmpty {
      findings.append(
        LendingFinding(
          .doubtful, "no node is called like these hosts (see BEBIDA_NODES): \(Self.some(homeless))"
        ))
    }
    let strangers = nodes.keys.filter { hostOfNode[$0] == nil }.sorted()
    if !strangers.isEmpty {
      findings.append(
        LendingFinding(
          .good, "nodes that are no hosts, and stay as they are: \(Self.some(strangers))"))
    }
    if !unreached.isEmpty {
      findings.append(
        LendingFinding(.bad, "the agents of these hosts are not reached: \(Self.some(unreached))"))
    }
    return findings + podFindings()
  }

  /// DaemonSets that would be started again and again on closed nodes.
  private func podFindings() -> [LendingFinding] {
    let owned = hostOfNode.keys.flatMap { (pods[$0] ?? [:]).values }.filter(\.isOfDaemonSet)
    let names = owned.compactMap { pod in
      pod.metadata.controller.map { "\(pod.metadata.namespace)/\($0.name)" }
    }
    let unknown = Set(names).subtracting(settings.daemonSets).sorted()
    return unknown.isEmpty
      ? []
      : [
        LendingFinding(
          .doubtful,
          "pods of these DaemonSets are ended beside jobs (see BEBIDA_DAEMON_SETS): \(Self.some(unknown))"
        )
      ]
  }

  private static func some(_ names: [String]) -> String {
    names.prefix(10).joined(separator: ", ")
      + (names.count > 10 ? " and \(names.count - 10) more" : "")
  }
}
