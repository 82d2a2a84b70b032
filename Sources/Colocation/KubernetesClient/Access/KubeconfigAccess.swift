// From a kubeconfig's context to an access: its cluster and its user, field by field.

import Documents

extension Kubeconfig {
  /// The access that a context gives.
  ///
  /// - Parameter context: its name; nil for the current one.
  func access(context chosen: String? = nil) throws(DocumentError) -> ClusterAccess {
    let files = files.joined(separator: ", ")
    guard let name = chosen ?? currentContext else {
      throw DocumentError(
        file: files,
        "no current-context is set; set one: kubectl config use-context NAME, or name one")
    }
    let context = try entry(name, of: contexts, "contexts", in: files)
    guard let cluster = try context.text("cluster") else {
      throw context.problem("cluster", "is missing")
    }
    let clusterFields = try entry(cluster, of: clusters, "clusters", in: context.entry.file)
    var access = try Self.place(clusterFields, source: "\(context.entry.file), context \(name)")
    if let namespace = try context.text("namespace") { access.namespace = namespace }
    if let user = try context.text("user") {
      let fields = try entry(user, of: users, "users", in: context.entry.file)
      try Self.identify(fields, &access)
      if access.program != nil {
        access.program?.clusterSettings = Self.pluginSettings(clusterFields.entry.fields)
      }
    }
    return access
  }

  private func entry(
    _ name: String, of entries: [String: Entry], _ list: String, in files: String
  ) throws(DocumentError) -> KubeconfigFields {
    guard let entry = entries[name] else {
      let there = entries.keys.sorted().prefix(8).map(quoted).joined(separator: ", ")
      throw DocumentError(
        file: files,
        "\(quoted(name)) is not in \(list)" + (there.isEmpty ? "" : "; there are \(there)"))
    }
    return KubeconfigFields(entry: entry, place: "\(list) \(quoted(name))")
  }

  private static func place(
    _ fields: KubeconfigFields, source: String
  ) throws(DocumentError) -> ClusterAccess {
    guard var server = try fields.text("server") else {
      throw fields.problem(
        "server", "is missing; it is the API's address, such as https://host:6443")
    }
    while server.hasSuffix("/") { server.removeLast() }
    if !server.contains("://") { server = "https://" + server }
    guard URLParts(server) != nil else {
      throw fields.problem("server", "is \(quoted(server)), no address such as https://host:6443")
    }
    var access = ClusterAccess(server: server, source: source)
    if let data = try fields.data("certificate-authority-data") {
      access.authority = .bytes(data)
    } else if let path = try fields.path("certificate-authority") {
      access.authority = .file(path)
    }
    access.isUnchecked = try fields.flag("insecure-skip-tls-verify")
    if access.isUnchecked, access.authority != nil {
      throw fields.problem(
        "insecure-skip-tls-verify", "can't be true beside a certificate-authority; remove one")
    }
    access.serverName = try fields.text("tls-server-name")
    access.isCompressed = try !fields.flag("disable-compression")
    if let proxy = try fields.text("proxy-url") {
      guard ["http://", "https://", "socks5://", "socks5h://"].contains(where: proxy.hasPrefix)
      else {
        throw fields.problem("proxy-url", "must begin with http://, https:// or socks5://")
      }
      // Names are looked up by the proxy, as kubectl does it.
      access.proxy = Secret(proxy.hasPrefix("socks5://") ? "socks5h" + proxy.dropFirst(6) : proxy)
    }
    return access
  }

  private static func identify(
    _ fields: KubeconfigFields, _ access: inout ClusterAccess
  ) throws(DocumentError) {
    if let data = try fields.data("client-certificate-data") {
      access.certificate = .bytes(data)
    } else if let path = try fields.path("client-certificate") {
      access.certificate = .file(path)
    }
    if let data = try fields.data("client-key-data") {
      access.key = .secret(Secret(data))
    } else if let path = try fields.path("client-key") {
      access.key = .file(path)
    }
    if (access.certificate == nil) != (access.key == nil) {
      let missing = access.key == nil ? "client-key" : "client-certificate"
      throw fields.problem(
        missing, "(or \(missing)-data) is missing; certificate and key go together")
    }
    if let path = try fields.path("tokenFile") {
      access.token = .file(path)
    } else if let token = try fields.text("token") {
      access.token = .secret(Secret(token))
    }
    try refuseTheDead(fields)
    if let program = try fields.inner("exec") { access.program = try Self.program(program) }
    access.impersonation = try impersonation(fields)
  }

  /// What servers no longer take.
  private static func refuseTheDead(_ fields: KubeconfigFields) throws(DocumentError) {
    if try fields.text("username") != nil {
      throw fields.problem(
        "username", "and password are no longer taken by Kubernetes; use a certificate or a token")
    }
    if try fields.inner("auth-provider") != nil {
      throw fields.problem(
        "auth-provider", "was removed from Kubernetes; use an exec plug-in or a token")
    }
  }

  private static func impersonation(
    _ fields: KubeconfigFields
  ) throws(DocumentError) -> Impersonation {
    var who = Impersonation()
    who.user = try fields.text("as")
    who.uid = try fields.text("as-uid")
    who.groups = try fields.list("as-groups")
    if let extra = try fields.inner("as-user-extra") {
      for entry in extra.entry.fields.entries {
        who.extra.append((key: entry.key, values: try extra.list(entry.key)))
      }
    }
    if who.user == nil, who.uid != nil || !who.groups.isEmpty || !who.extra.isEmpty {
      throw fields.problem("as", "is missing; groups, uid and extra go with a user")
    }
    return who
  }

  private static func program(
    _ fields: KubeconfigFields
  ) throws(DocumentError) -> CredentialProgram {
    let known = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]
    guard let version = try fields.text("apiVersion"), known.contains(version) else {
      throw fields.problem("apiVersion", "must be \(known.joined(separator: " or "))")
    }
    guard let command = try fields.text("command") else {
      throw fields.problem("command", "is missing; it is the program that gives credentials")
    }
    if try fields.text("interactiveMode") == "Always" {
      throw fields.problem("interactiveMode", "is Always, and there is no terminal here to ask on")
    }
    var program = CredentialProgram(apiVersion: version, command: command)
    if command.contains("/") {
      program.command = KubeconfigFields.absolute(command, besides: fields.entry.file)
    }
    program.arguments = try fields.list("args")
    program.wantsCluster = try fields.flag("provideClusterInfo")
    program.installHint = try fields.text("installHint")
    program.environment = try environment(fields)
    return program
  }

  private static func environment(
    _ fields: KubeconfigFields
  ) throws(DocumentError) -> [(name: String, value: Secret)] {
    guard let value = fields.entry.fields["env"]?.value, !value.isNothing else { return [] }
    guard case .list(let items) = value.content else {
      throw fields.problem("env", "must be a list of names and values")
    }
    var variables: [(name: String, value: Secret)] = []
    for item in items {
      guard let name = item["name"]?.value.scalar, !name.isEmpty, !name.contains("=") else {
        throw fields.problem("env", "has an entry without a name", item.line)
      }
      var text = ""
      if let value = item["value"]?.value, case .scalar(let given, _) = value.content {
        text = given
      }
      variables.append((name: name, value: Secret(text)))
    }
    return variables
  }

  /// What a cluster's entry holds for plug-ins, as JSON.
  private static func pluginSettings(_ fields: DocumentNode) -> String? {
    guard case .list(let items)? = fields["extensions"]?.value.content else { return nil }
    let mark = "client.authentication.k8s.io/exec"
    let found = items.first { $0["name"]?.value.scalar == mark }
    return found?["extension"]?.value.json.text
  }
}
