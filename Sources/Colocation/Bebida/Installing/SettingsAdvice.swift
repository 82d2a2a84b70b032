// What has to stand in the settings of batch system and lender, and to go from there: told, not written, since these
// files are the site's.

import KubernetesClient

/// Whose nodes are lent.
public enum BatchSystem: String, Sendable, CaseIterable {
  case slurm, oar, liburna
}

struct SettingsAdvice {
  /// Where the package has the hooks.
  static let prolog = "/usr/lib/liburna/bebida-prolog"
  static let epilog = "/usr/lib/liburna/bebida-epilog"

  let system: BatchSystem
  let kubeconfig: String

  // MARK: To install

  func toInstall(_ daemonSets: [String], on access: ClusterAccess) -> [String] {
    var lines = own(daemonSets)
    switch system {
    case .slurm:
      lines += ["", "Into slurm.conf, on all hosts:"] + slurm.map { "  " + $0 }
      lines += ["", "Then: systemctl enable --now bebidad && scontrol reconfigure && bebida check"]
    case .oar:
      lines += ["", "Into /etc/oar/oar.conf, on the host of Almighty:"] + oar.map { "  " + $0 }
      lines += [
        "", "Then: systemctl enable --now bebidad && systemctl restart oar-server && bebida check",
      ]
    case .liburna:
      lines += [
        "", "Then: chown oar \(kubeconfig) && systemctl restart liburnad && bebida check",
      ]
    }
    let place = access.server
    if ["//127.", "//localhost", "//[::1]"].contains(where: place.contains) {
      lines += [
        "", "\(place) is an address of this host alone: \(kubeconfig) is of no use on another.",
      ]
    }
    return lines
  }

  /// The lender's own settings.
  private func own(_ daemonSets: [String]) -> [String] {
    var lines = ["", "Into \(ownFile):", "  BEBIDA_KUBECONFIG=\"\(kubeconfig)\""]
    if system != .liburna { lines.append("  BEBIDA_BATCH=\"\(system.rawValue)\"") }
    guard !daemonSets.isEmpty else { return lines }
    return lines + [
      "  # Of these, those whose pods must stay beside jobs, such as the network's:",
      "  BEBIDA_DAEMON_SETS=\"\(daemonSets.joined(separator: " "))\"",
    ]
  }

  private var ownFile: String {
    system == .liburna ? "/etc/oar/oar.conf" : "/etc/bebida/bebida.conf"
  }

  private let slurm = [
    "PrologSlurmctld=\(prolog)", "EpilogSlurmctld=\(epilog)", "PrologFlags=Alloc,DeferBatch",
    "PrologEpilogTimeout=60",
  ]

  private let oar = [
    "SERVER_PROLOGUE_EXEC_FILE=\"\(prolog)\"", "SERVER_EPILOGUE_EXEC_FILE=\"\(epilog)\"",
  ]

  // MARK: To remove

  var toRemove: [String] {
    var lines = ["", "Out of \(ownFile), if it stands there still: what begins with BEBIDA_"]
    switch system {
    case .slurm:
      lines += ["Out of slurm.conf, on all hosts, then scontrol reconfigure:"]
      lines += slurm.map { "  " + $0 }
    case .oar:
      lines += ["Out of /etc/oar/oar.conf, then systemctl restart oar-server:"]
      lines += oar.map { "  " + $0 }
    case .liburna: lines += ["Then systemctl restart liburnad."]
    }
    return lines + [
      "On each node: rm /var/lib/liburna-node/lending, by which its agent keeps to its last order (after one to "
        + "lend it, it refuses jobs). Pods on a node that jobs had last stay frozen until it is booted; none do "
        + "where bebida lend was said to all hosts before the lender was stopped."
    ]
  }
}
