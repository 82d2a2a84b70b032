// Takes away what lending has left in Kubernetes and on this host: marks on nodes, account, role, kubeconfig. What is
// not ours stays.

import KubernetesClient

/// `bebida uninstall`.
public struct SiteRemoval {
  let options: SiteOptions
  let client: KubernetesClient
  let log: InstallLog
  private let keeper: ObjectKeeper

  /// - Parameter say: hears what is done, line by line.
  /// - Throws: ``KubernetesError/configuration(_:)``.
  public init(_ options: SiteOptions, say: @escaping @Sendable (String) -> Void) throws {
    try self.init(options, client: options.client(), say: say)
  }

  init(
    _ options: SiteOptions, client: KubernetesClient, say: @escaping @Sendable (String) -> Void
  ) throws {
    (self.options, self.client) = (options, client)
    log = InstallLog(isTrial: options.isTrial, say: say)
    keeper = ObjectKeeper(client: client, log: log)
  }

  /// Does it. Nobody may lend meanwhile.
  ///
  /// - Throws: ``KubernetesError`` or ``InstallError``: the next run goes on from there.
  public func run() async throws {
    let objects = SiteObjects(namespace: options.namespace)
    log.say("Kubernetes at \(client.access.description)")
    // Its rights first: a lender that still runs somewhere can't put its marks back.
    var isAny = try await keeper.remove(objects.binding)
    isAny = try await keeper.remove(objects.role) || isAny
    isAny = try await keeper.remove(objects.token) || isAny
    isAny = try await keeper.remove(objects.account) || isAny
    isAny = try await clearNodes() || isAny
    isAny = try removeFile() || isAny
    isAny = try await remove(objects.namespace) || isAny
    if !isAny { log.say("nothing of ours was there") }
    for line in SettingsAdvice(system: options.system, kubeconfig: options.output).toRemove {
      log.say(line)
    }
  }

  // MARK: Nodes

  /// - Returns: whether there were marks.
  private func clearNodes() async throws -> Bool {
    let list = try await client.list(Node.self)
    for aside in list.setAside {
      log.note(.stays, "node \(aside.name), which can't be understood: \(aside.reason)")
    }
    var isAny = false
    for node in list.items { isAny = try await clear(node) || isAny }
    return isAny
  }

  private func clear(_ node: Node) async throws -> Bool {
    var node = node
    for _ in 0..<ObjectKeeper.tries {
      guard !node.stepsToForget.isEmpty else { return false }
      do {
        try await client.patch(
          Node.self, node.name, .json(node.stepsToForget), ifVersion: node.metadata.version)
        log.note(.changed, "node \(node.name): our marks are taken off")
        return true
      } catch let error as KubernetesError where error.isConflict {
        node = try await client.get(Node.self, node.name)
      } catch let error as KubernetesError where error.isNotFound {
        return false
      }
    }
    throw InstallError(
      description: "node \(node.name) is changed by somebody else all the time: if a lender runs "
        + "elsewhere, stop it first")
  }

  // MARK: The rest

  private func remove(_ namespace: Namespace) async throws -> Bool {
    let pods = try await client.list(Pod.self, Selection(namespace: namespace.metadata.name))
    let count = pods.items.count + pods.setAside.count
    guard count == 0 else {
      log.note(.stays, "\(namespace.title): it has \(count) pods, which are not ours")
      return false
    }
    return try await keeper.remove(namespace)
  }

  private func removeFile() throws -> Bool {
    let file = OwnFile(path: options.output)
    switch try file.state() {
    case .missing: return false
    case .ours:
      if !options.isTrial { try file.remove() }
      log.note(.removed, file.path)
      return true
    case .foreign(let reason):
      log.note(.stays, "\(file.path): \(reason)")
      return false
    }
  }
}
