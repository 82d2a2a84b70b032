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
    try await keeper.remove(objects.binding)
    try await keeper.remove(objects.role)
    try await keeper.remove(objects.token)
    try await keeper.remove(objects.account)
    try await clearNodes()
    try removeFile()
    try await remove(objects.namespace)
    for line in SettingsAdvice(system: options.system, kubeconfig: options.output).toRemove {
      log.say(line)
    }
  }

  // MARK: Nodes

  private func clearNodes() async throws {
    let list = try await client.list(Node.self)
    for aside in list.setAside {
      log.note(.stays, "node \(aside.name), which can't be understood: \(aside.reason)")
    }
    for node in list.items { try await clear(node) }
  }

  private func clear(_ node: Node) async throws {
    var node = node
    for _ in 0..<ObjectKeeper.tries {
      guard !node.stepsToForget.isEmpty else { return }
      do {
        try await client.patch(
          Node.self, node.name, .json(node.stepsToForget), ifVersion: node.metadata.version)
        return log.note(.changed, "node \(node.name): our marks are taken off")
      } catch let error as KubernetesError where error.isConflict {
        node = try await client.get(Node.self, node.name)
      } catch let error as KubernetesError where error.isNotFound {
        return
      }
    }
    throw InstallError(
      description: "node \(node.name) is changed by somebody else all the time: if a lender runs "
        + "elsewhere, stop it first")
  }

  // MARK: The rest

  private func remove(_ namespace: Namespace) async throws {
    let pods = try await client.list(Pod.self, Selection(namespace: namespace.metadata.name))
    let count = pods.items.count + pods.setAside.count
    guard count == 0 else {
      return log.note(.stays, "\(namespace.title): it has \(count) pods, which are not ours")
    }
    try await keeper.remove(namespace)
  }

  private func removeFile() throws {
    let file = OwnFile(path: options.output)
    switch try file.state() {
    case .missing: break
    case .ours:
      if !options.isTrial { try file.remove() }
      log.note(.removed, file.path)
    case .foreign(let reason): log.note(.stays, "\(file.path): \(reason)")
    }
  }
}
