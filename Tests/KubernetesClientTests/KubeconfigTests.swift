// Kubeconfigs: how files are found and merged, what they may say, and that errors say what to do and no
// secret.

import Testing

@testable import KubernetesClient

@Suite("Kubeconfigs")
struct KubeconfigTests {
  private static let first = """
    apiVersion: v1
    kind: Config
    current-context: one
    clusters:
    - name: c
      cluster: {server: "https://first:6443/", certificate-authority: pki/ca.crt}
    contexts:
    - name: one
      context: {cluster: c, user: u, namespace: lent}
    users:
    - name: u
      user: {tokenFile: token}
    """
  private static let second = """
    current-context: two
    clusters:
    - name: c
      cluster: {server: "https://second:6443", tls-server-name: other}
    - name: d
      cluster: {server: "second:6443", proxy-url: "socks5://u:hidden-word@proxy:1080"}
    contexts:
    - name: two
      context: {cluster: d, user: v}
    users:
    - name: u
      user: {token: never}
    - name: v
      user: {token: hidden-token, as: jane, as-groups: [a, b], as-user-extra: {reason: [x]}}
    """

  private func find(
    _ texts: [String], context: String? = nil, _ directory: Directory
  ) throws -> ClusterAccess {
    let paths = try texts.enumerated().map { try directory.write("config\($0)", $1) }
    let list = (["\(directory.path)/missing"] + paths).joined(separator: ":")
    return try ClusterAccess.find(context: context) { $0 == "KUBECONFIG" ? list : nil }
  }

  private func problem(_ text: String) throws -> String {
    let directory = try Directory()
    do {
      _ = try find([text], directory)
      return "none"
    } catch let error as KubernetesError {
      return error.description.replacing(directory.path + "/", with: "")
    }
  }

  @Test(
    "of several files the first to name something wins, whole, and paths begin in its directory")
  func merging() throws {
    let directory = try Directory()
    let access = try find([Self.first, Self.second], directory)
    #expect(access.server == "https://first:6443" && access.namespace == "lent")
    #expect(access.serverName == nil)
    #expect(access.authority == .file("\(directory.path)/pki/ca.crt"))
    #expect(access.token == .file("\(directory.path)/token"))
    let other = try find([Self.first, Self.second], context: "two", directory)
    #expect(
      other.server == "https://second:6443"
        && other.proxy == Secret("socks5h://u:hidden-word@proxy:1080"))
    #expect(other.impersonation.user == "jane" && other.impersonation.groups == ["a", "b"])
    #expect(other.impersonation.extra.first?.values == ["x"])
  }

  @Test("a token, a key and the environment of a program show themselves nowhere")
  func secrets() throws {
    let directory = try Directory()
    let access = try find([Self.second], directory)
    var text = ""
    dump(access, to: &text)
    text += "\(access) \(String(reflecting: access)) \(String(describing: access.token))"
    #expect(!text.contains("hidden"))
    #expect(access.token == .secret(Secret("hidden-token")))
  }

  @Test("a named file is used alone, and one that is not there is an error that names it")
  func named() throws {
    let directory = try Directory()
    let path = try directory.write("config", Self.second)
    #expect(try ClusterAccess.find(file: path) { _ in nil }.server == "https://second:6443")
    #expect(
      throws: KubernetesError.configuration("/nowhere/x does not exist; it should be a kubeconfig")
    ) {
      try ClusterAccess.find(file: "/nowhere/x") { _ in nil }
    }
    #expect {
      try ClusterAccess.find { $0 == "HOME" ? "/nowhere" : nil }
    } throws: {
      "\($0)" == "no kubeconfig: looked for /nowhere/.kube/config; name one, or set KUBECONFIG"
    }
  }

  @Test("in a pod the service account is used, unless there is a kubeconfig")
  func pod() throws {
    let variables = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]
    let access = try ClusterAccess.find { variables[$0] }
    #expect(access.server == "https://[fd00::1]:443")
    #expect(access.token == .file("/var/run/secrets/kubernetes.io/serviceaccount/token"))
    #expect(access.authority == .file("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"))
  }

  @Test("JSON is a kubeconfig too")
  func json() throws {
    let directory = try Directory()
    let text =
      #"{"current-context":"x","clusters":[{"name":"c","cluster":{"server":"https://h:1"}}],"#
      + #""contexts":[{"name":"x","context":{"cluster":"c"}}]}"#
    #expect(try find([text], directory).server == "https://h:1")
  }

  @Test("a program that gives credentials is read with its words and variables")
  func program() throws {
    let directory = try Directory()
    let access = try find(
      [
        Self.with(
          "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./get, args: [a, b], env: [{name: X, value: y}], provideClusterInfo: true, interactiveMode: Never}"
        )
      ], directory)
    let program = try #require(access.program)
    #expect(program.command == "\(directory.path)/./get" && program.arguments == ["a", "b"])
    #expect(program.wantsCluster && program.environment.first?.value == Secret("y"))
  }

  private static func with(_ user: String, cluster: String = "server: https://h:1") -> String {
    """
    current-context: x
    clusters: [{name: c, cluster: {\(cluster)}}]
    contexts: [{name: x, context: {cluster: c, user: u}}]
    users:
    - name: u
      user:
        \(user)
    """
  }

  @Test(
    "what is wrong is told with file, line and key, and what to do",
    arguments: [
      ("current-context: x", "config0: \"x\" is not in contexts"),
      ("clusters: []", "config0: no current-context is set"),
      ("- a", "config0: this is no kubeconfig"),
      ("a: [", "config0:2:1: this is no YAML"),
      (with("username: joe"), "config0:7: users \"u\": username and password are no longer taken"),
      (with("client-certificate: x"), "users \"u\": client-key (or client-key-data) is missing"),
      (with("client-key-data: '%%'"), "config0:7: users \"u\": client-key-data is no base64"),
      (with("auth-provider: {name: gcp}"), "auth-provider was removed from Kubernetes"),
      (with("exec: {command: x}"), "users \"u\", exec: apiVersion must be"),
      (
        with(
          "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always}"
        ),
        "interactiveMode is Always"
      ),
      (
        with("token: x", cluster: "server: 'h h'"),
        "clusters \"c\": server is \"https://h h\", no address"
      ),
      (
        with("token: x", cluster: "server: h, insecure-skip-tls-verify: 1"),
        "insecure-skip-tls-verify must be true or false"
      ),
      (with("token: x", cluster: "a: b"), "clusters \"c\": server is missing"),
      (with("as-groups: [x]"), "users \"u\": as is missing"),
    ])
  func errors(text: String, words: String) throws {
    let found = try problem(text)
    #expect(found.contains(words), "\(found)")
  }

  @Test("one that is written is read again as the same way to the server, with another account")
  func written() throws {
    let directory = try Directory()
    try directory.write("ca.crt", "certificates")
    let source = """
      current-context: a
      clusters:
      - name: c
        cluster:
          server: https://[::1]:6443/prefix
          certificate-authority: ca.crt
          tls-server-name: other
          proxy-url: http://proxy:1080
      contexts: [{name: a, context: {cluster: c, user: u}}]
      users: [{name: u, user: {token: hidden-admin}}]
      """
    let admin = try find([source], directory)
    let text = try admin.kubeconfig(
      for: "lender", token: Secret("to\"ken"), namespace: "lent", authority: Array("other".utf8))
    #expect(!String(decoding: text, as: UTF8.self).contains("hidden-admin"))
    let read = try find([String(decoding: text, as: UTF8.self)], directory)
    #expect(read.server == admin.server && read.namespace == "lent")
    #expect(read.serverName == "other" && read.proxy == admin.proxy)
    #expect(read.authority == .bytes(Array("certificates".utf8)))
    #expect(read.token == .secret(Secret("to\"ken")))
  }

  @Test("where the server is not checked, the account's own certificates are written")
  func unchecked() throws {
    var admin = ClusterAccess(server: "https://h", source: "the test")
    let account = Array("own".utf8)
    func authority() throws -> Bool {
      let text = try admin.kubeconfig(
        for: "l", token: Secret("t"), namespace: "n", authority: account)
      return String(decoding: text, as: UTF8.self).contains(Base64.encode(account))
    }
    // Whom the system trusts needs none.
    #expect(try !authority())
    admin.isUnchecked = true
    #expect(try authority())
  }
}
