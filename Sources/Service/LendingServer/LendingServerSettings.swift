// What the configuration file of `bebidad` says.

import Bebida
import ClusterModel
import NodeConnections
import Wire

/// The settings of a server that lends the nodes of another batch system.
struct LendingServerSettings {
  /// The batch systems that it knows.
  enum System: String, CaseIterable {
    case slurm, oar
  }

  /// BEBIDA_BATCH: whose nodes are lent.
  let system: System
  let lending: LendingConfiguration
  /// LIBURNA_SOCKET: where hooks and commands connect.
  let socketPath: String
  /// LIBURNA_NODE_COMMAND: how an agent is reached; `{host}` stands for the host.
  let nodeCommand: CommandTemplate
  /// BEBIDA_HOSTS: the hosts that may be lent, as Slurm writes lists; `nil` for all.
  let hosts: Set<String>?
  /// BEBIDA_POLL: seconds between two looks at the batch system.
  let pause: Double
  /// BEBIDA_HOOK_USERS: who may speak for the batch system, beside root and the server's own user.
  let hookUsers: Set<String>

  /// - Throws: ``ConfigurationError`` or `CommandTemplate.Failure`, naming variable and value.
  init(_ configuration: Configuration) throws {
    guard let lending = try LendingConfiguration(configuration, intents: "/var/lib/bebida/intents")
    else {
      throw ConfigurationError(
        name: "BEBIDA_KUBECONFIG", value: "", allowed: "the path of a kubeconfig, or in-cluster")
    }
    self.lending = lending
    let batch = configuration.text("BEBIDA_BATCH", default: "slurm")
    guard let system = System(rawValue: batch) else {
      throw ConfigurationError(
        name: "BEBIDA_BATCH", value: batch,
        allowed: System.allCases.map(\.rawValue).joined(separator: " or "))
    }
    self.system = system
    socketPath = configuration.text("LIBURNA_SOCKET", default: Configuration.bebidaSocketPath)
    nodeCommand = try CommandTemplate(
      configuration.text(
        "LIBURNA_NODE_COMMAND", default: "ssh -o BatchMode=yes root@{host} liburna-node agent"))
    do {
      hosts = try configuration["BEBIDA_HOSTS"].flatMap {
        $0.isEmpty ? nil : Set(try HostList.hosts($0))
      }
    } catch {
      throw ConfigurationError(
        name: "BEBIDA_HOSTS", value: configuration.text("BEBIDA_HOSTS", default: ""),
        allowed: "a list such as node[1-16],login (\(error))")
    }
    pause = Double(try configuration.integer("BEBIDA_POLL", default: 1, in: 1...3600))
    hookUsers = Set(
      configuration.text("BEBIDA_HOOK_USERS", default: "slurm oar").split(separator: " ").map(
        String.init))
  }
}
