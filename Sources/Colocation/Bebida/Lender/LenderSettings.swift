// How a site lends: the policy, how pods are found on its hosts, and what its nodes are called in Kubernetes.

import KubernetesClient
import Wire

public struct LenderSettings: Sendable {
  public var policy = LendingPolicy()
  /// How hosts end pods and keep them away.
  public var keeping = PodKeeping(groups: ["kubepods", "kubepods.slice"])
  /// DaemonSets whose pods may stay beside jobs, as `namespace/name`.
  public var daemonSets: Set<String> = []
  /// The node of a host where the names differ by more than a domain.
  public var nodes: [String: String] = [:]
  /// The file of what is intended for each host.
  public var intentPath: String
  /// Who speaks, in events.
  public var reporter = "liburna.io/bebida"

  public init(intentPath: String) { self.intentPath = intentPath }

  /// A client that is as impatient as a job's start is: what fails is done again by the lender, which looks at
  /// how things are first.
  public static var client: ClientSettings {
    var settings = ClientSettings()
    settings.connectTimeout = 2
    settings.requestTimeout = 5
    settings.attempts = 1
    settings.fieldManager = "bebida"
    settings.userAgent = "bebida (Liburna)"
    return settings
  }

  /// The node of a host, of those that there are: by the settings, by its name, or by the first part of its
  /// name if that is the first part of no other's.
  func node(of host: String, among names: NodeNames) -> String? {
    if let named = nodes[host] { return names.all.contains(named) ? named : nil }
    if names.all.contains(host) { return host }
    return names.byShort[NodeNames.short(host)] ?? nil
  }
}

/// The names of all nodes, for looking hosts up.
struct NodeNames {
  let all: Set<String>
  /// By the first part of their names; nil for one that several have.
  let byShort: [Substring: String?]

  init(_ names: some Sequence<String>) {
    all = Set(names)
    byShort = Dictionary(all.map { (Self.short($0), $0) }) { _, _ in nil }
  }

  static func short(_ name: String) -> Substring { name.prefix { $0 != "." } }
}

/// What the lender needs of whoever runs it. All is called on its loop.
public struct LenderSide: Sendable {
  /// Sends an order to a host's agent, if it is connected.
  public var order: @Sendable (LendingOrder, String) -> Void
  /// Whether jobs may start on a host, or why not, has changed.
  public var changed: @Sendable (String) -> Void
  public var say: @Sendable (String) -> Void

  public init(
    order: @escaping @Sendable (LendingOrder, String) -> Void,
    changed: @escaping @Sendable (String) -> Void, say: @escaping @Sendable (String) -> Void
  ) {
    (self.order, self.changed, self.say) = (order, changed, say)
  }
}
