// Makes Kubernetes and this host ready for lending: account, role, kubeconfig; says what the batch system needs and
// what it found of others. Done again, it changes nothing.

import KubernetesClient

/// What an administrator asks for.
public struct SiteOptions: Sendable, Equatable {
  /// The kubeconfig of an administrator; nil to look for one as kubectl does.
  public var kubeconfig: String?
  public var context: String?
  public var namespace = SiteOptions.standardNamespace
  public var system = BatchSystem.slurm
  /// Where the lender's kubeconfig is.
  public var output = SiteOptions.standardOutput
  /// Whether it is only told what would be done.
  public var isTrial = false

  public static let standardNamespace = SiteObjects.standardNamespace
  public static let standardOutput = "/etc/bebida/kubeconfig"

  public init() {}

  /// A client with the administrator's rights; in a trial one that can't change anything.
  ///
  /// - Throws: ``KubernetesError/configuration(_:)``.
  func client() throws -> KubernetesClient {
    var settings = ClientSettings()
    settings.isTrial = isTrial
    settings.fieldManager = "bebida-install"
    settings.userAgent = "bebida (Liburna)"
    return try KubernetesClient(
      ClusterAccess.find(file: kubeconfig, context: context), settings: settings)
  }
}

/// `bebida install`.
public struct SiteInstallation {
  /// Seconds for a new token and a new role to count.
  static let rolePatience = 15.0

  let options: SiteOptions
  let client: KubernetesClient
  let log: InstallLog
  /// Seconds for the token controller to make a token.
  var tokenPatience = 30.0
  /// Where scripts of others are looked for: the root of this host's files.
  let root: String
  private let objects: SiteObjects
  private let keeper: ObjectKeeper
  private let file: OwnFile

  /// - Parameter say: hears what is done, line by line.
  /// - Throws: ``KubernetesError/configuration(_:)``.
  public init(_ options: SiteOptions, say: @escaping @Sendable (String) -> Void) throws {
    try self.init(options, client: options.client(), root: "", say: say)
  }

  init(
    _ options: SiteOptions, client: KubernetesClient, root: String,
    say: @escaping @Sendable (String) -> Void
  ) throws {
    (self.options, self.client, self.root) = (options, client, root)
    log = InstallLog(isTrial: options.isTrial, say: say)
    objects = SiteObjects(namespace: options.namespace)
    keeper = ObjectKeeper(client: client, log: log)
    file = OwnFile(path: options.output)
  }

  /// Does it.
  ///
  /// - Throws: ``KubernetesError`` or ``InstallError``: what is done by then stays, and the next run goes on from there.
  public func run() async throws {
    let version = try await client.capabilities().version
    log.say("Kubernetes \(version) at \(client.access.description)")
    try await refuseForeign()
    try await keeper.keep(objects.namespace)
    try await keeper.keep(objects.account)
    try await keeper.keep(objects.token)
    try await keeper.keep(objects.role)
    try await keeper.keep(objects.binding)
    try await writeFile()
    if !options.isTrial { try await prove() }
    let strangers = try await Strangers.found(client, root: root)
    let advice = SettingsAdvice(system: options.system, kubeconfig: options.output)
    for line in strangers + advice.toInstall(try await daemonSets(), on: client.access) {
      log.say(line)
    }
  }

  /// Before anything is changed: nothing of others is in the way.
  private func refuseForeign() async throws {
    var refusals = [
      try await keeper.refusal(objects.namespace), try await keeper.refusal(objects.account),
      try await keeper.refusal(objects.token), try await keeper.refusal(objects.role),
      try await keeper.refusal(objects.binding),
    ].compactMap { $0 }
    if case .foreign(let reason) = try file.state() {
      refusals.append(
        "\(file.path) is there, and \(reason). Move it away, or name another file with --output")
    }
    if !options.isTrial, let obstacle = file.obstacle { refusals.append(obstacle) }
    guard refusals.isEmpty else {
      throw InstallError(
        description: (["nothing was changed:"] + refusals).joined(separator: "\n  "))
    }
  }

  // MARK: The file

  private func writeFile() async throws {
    let before = try file.state()
    guard let secret = try await token(), let token = secret.token else {
      // A trial of what is not there yet: its token is not known.
      return log.note(
        before == .missing ? .made : .changed,
        "\(file.path), a kubeconfig for \(client.access.server), readable by its owner alone")
    }
    let content = try client.access.kubeconfig(
      for: SiteObjects.account, token: token, namespace: options.namespace,
      authority: secret.authority)
    if before == .ours(OwnFile.bytes(content)), !file.isOpenToOthers {
      return log.note(.unchanged, file.path)
    }
    if !options.isTrial { try file.write(content) }
    log.note(before == .missing ? .made : .changed, file.path)
  }

  /// The secret once it holds a token; nil in a trial if there is none.
  private func token() async throws -> AccountToken? {
    var secret: AccountToken?
    let isThere = try await Waiting.wait(options.isTrial ? 0 : tokenPatience) {
      secret = try await keeper.find(objects.token)
      return secret?.token != nil
    }
    guard isThere || options.isTrial else {
      throw InstallError(
        description: "Kubernetes has not put a token into \(objects.token.title) within "
          + "\(Int(tokenPatience)) s: its token controller does that, which is a part of "
          + "kube-controller-manager. See that it runs, then run this again")
    }
    return isThere ? secret : nil
  }

  /// The written file leads to the server, and lets us do there what lending needs.
  private func prove() async throws {
    var settings = client.settings
    // A token that was made this instant may not be known yet.
    settings.attempts = 1
    let access = try ClusterAccess.find(file: file.path)
    let lender = try KubernetesClient(access, settings: settings)
    var problem = ""
    var excess: [Permission] = []
    let isProven = try await Waiting.wait(Self.rolePatience) {
      do {
        let answers = try await lender.allowed(LendingRights.permissions + LendingRights.excess)
        let missing = LendingRights.permissions.filter { answers[$0] != true }
        excess = LendingRights.excess.filter { answers[$0] == true }
        problem = missing.map(\.description).joined(separator: ", ")
        if !missing.isEmpty { problem = "it may not " + problem }
        return missing.isEmpty
      } catch let error as KubernetesError {
        problem = error.description
        return false
      }
    }
    guard isProven else {
      throw InstallError(
        description: "\(file.path) does not do after \(Int(Self.rolePatience)) s: \(problem)")
    }
    log.say("\(file.path) works: it may do in Kubernetes what lending needs")
    for permission in excess {
      log.say("beware: it may also \(permission), by a role that is not ours")
    }
  }

  /// DaemonSets that have pods now, as `namespace/name`.
  private func daemonSets() async throws -> [String] {
    let pods = try await client.list(Pod.self).items.filter(\.isOfDaemonSet)
    return Set(
      pods.compactMap { pod in
        pod.metadata.controller.map { "\(pod.metadata.namespace)/\($0.name)" }
      }
    ).sorted()
  }
}
