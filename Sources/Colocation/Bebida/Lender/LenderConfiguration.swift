// What a configuration file says of lending. Names in capitals are its variables.

import ClusterModel
import KubernetesClient
import Wire

/// A site's lending as its configuration says it.
public struct LendingConfiguration: Sendable {
  /// BEBIDA_KUBECONFIG: the kubeconfig to use; `in-cluster` for the service account of a pod.
  public var kubeconfig: String
  /// BEBIDA_CONTEXT: the context of it; nil for its current one.
  public var context: String?
  /// BEBIDA_PROPERTY: which resources may be lent, as `-p` of oarsub says it; empty for all.
  public var property: String
  public var lender: LenderSettings

  /// Nil where nothing is lent.
  ///
  /// - Parameter intents: where the file of intents is unless BEBIDA_INTENTS says so.
  /// - Throws: ``ConfigurationError``, naming variable and value.
  public init?(_ configuration: Configuration, intents: String) throws(ConfigurationError) {
    kubeconfig = configuration.text("BEBIDA_KUBECONFIG", default: "")
    guard !kubeconfig.isEmpty else { return nil }
    guard kubeconfig.hasPrefix("/") || kubeconfig == "in-cluster" else {
      throw ConfigurationError(
        name: "BEBIDA_KUBECONFIG", value: kubeconfig,
        allowed: "the absolute path of a kubeconfig, or in-cluster")
    }
    context = configuration["BEBIDA_CONTEXT"].flatMap { $0.isEmpty ? nil : $0 }
    property = configuration.text("BEBIDA_PROPERTY", default: "")
    lender = LenderSettings(
      intentPath: configuration.text("BEBIDA_INTENTS", default: intents))
    lender.policy = try LendingPolicy(configuration)
    lender.keeping = try PodKeeping(configuration)
    lender.daemonSets = try Self.daemonSets(configuration)
    lender.nodes = try Self.nodes(configuration)
  }

  /// Finds the API server, and who we are there.
  ///
  /// - Throws: ``KubernetesError/configuration(_:)``.
  public func client() throws -> KubernetesClient {
    let access =
      kubeconfig == "in-cluster"
      ? try ClusterAccess.ofPod() : try ClusterAccess.find(file: kubeconfig, context: context)
    return try KubernetesClient(access, settings: LenderSettings.client)
  }

  private static func daemonSets(
    _ configuration: Configuration
  ) throws(ConfigurationError) -> Set<String> {
    let name = "BEBIDA_DAEMON_SETS"
    let words = configuration.words(name)
    for word in words where word.split(separator: "/").count != 2 {
      throw ConfigurationError(
        name: name, value: word, allowed: "words such as kube-system/kube-proxy")
    }
    return Set(words)
  }

  private static func nodes(
    _ configuration: Configuration
  ) throws(ConfigurationError) -> [String: String] {
    let name = "BEBIDA_NODES"
    var nodes: [String: String] = [:]
    for word in configuration.words(name) {
      let parts = word.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw ConfigurationError(
          name: name, value: word, allowed: "words such as host.site=node-of-kubernetes")
      }
      nodes[parts[0]] = parts[1]
    }
    return nodes
  }
}

extension LendingPolicy {
  init(_ configuration: Configuration) throws(ConfigurationError) {
    func seconds(
      _ name: String, _ fallback: Int, from least: Int = 0
    ) throws(ConfigurationError) -> Duration {
      .seconds(try configuration.integer(name, default: fallback, in: least...86400))
    }
    self.init(
      grace: try seconds("BEBIDA_GRACE", 5), notice: try seconds("BEBIDA_NOTICE", 30),
      shortestHole: try seconds("BEBIDA_SHORTEST_HOLE", 60),
      patience: try seconds("BEBIDA_PATIENCE", 10, from: 1))
  }
}

extension PodKeeping {
  init(_ configuration: Configuration) throws(ConfigurationError) {
    let groups = configuration.words("BEBIDA_POD_CGROUPS", default: "kubepods kubepods.slice")
    for group in groups {
      let names = group.split(separator: "/", omittingEmptySubsequences: false)
      guard names.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
        throw ConfigurationError(
          name: "BEBIDA_POD_CGROUPS", value: group,
          allowed: "cgroups below the top, such as kubepods.slice")
      }
    }
    let (stop, start) = (
      configuration.words("BEBIDA_STOP_KUBELET"), configuration.words("BEBIDA_START_KUBELET")
    )
    guard stop.isEmpty == start.isEmpty else {
      throw ConfigurationError(
        name: stop.isEmpty ? "BEBIDA_STOP_KUBELET" : "BEBIDA_START_KUBELET", value: "",
        allowed:
          "a command where its counterpart is one: a kubelet that is stopped is started again")
    }
    self.init(groups: groups, stop: stop, start: start)
  }
}

extension Configuration {
  fileprivate func words(_ name: String, default fallback: String = "") -> [String] {
    text(name, default: fallback).split(separator: " ").map(String.init)
  }
}
