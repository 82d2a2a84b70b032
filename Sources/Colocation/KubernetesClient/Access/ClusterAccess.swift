// Where a cluster's API is and as whom to come, as a kubeconfig or a pod's environment says it.

/// Bytes that stand in a configuration itself, or in a file that it names and that may change.
enum Material: Sendable, Equatable {
  case bytes([UInt8])
  case file(String)
}

/// The same for what must not be shown.
enum SecretMaterial: Sendable, Equatable {
  case secret(Secret)
  case file(String)
}

/// A program that gives credentials (client.authentication.k8s.io).
struct CredentialProgram: Sendable, Equatable {
  /// `client.authentication.k8s.io/v1` or `/v1beta1`.
  var apiVersion: String
  /// An absolute path, or a name that is looked for in PATH.
  var command: String
  var arguments: [String] = []
  /// Variables of its environment; a value may be a secret.
  var environment: [(name: String, value: Secret)] = []
  /// Whether it is told where the cluster is.
  var wantsCluster = false
  /// What to do if it is not there, in the words of whoever wrote the kubeconfig.
  var installHint: String?
  /// What the cluster's entry holds for it, as JSON.
  var clusterSettings: String?

  static func == (one: Self, other: Self) -> Bool {
    one.apiVersion == other.apiVersion && one.command == other.command
      && one.arguments == other.arguments && one.wantsCluster == other.wantsCluster
      && one.environment.map(\.name) == other.environment.map(\.name)
      && one.environment.map(\.value) == other.environment.map(\.value)
      && one.installHint == other.installHint && one.clusterSettings == other.clusterSettings
  }
}

/// As whom requests are to count (Impersonate-* headers).
struct Impersonation: Sendable, Equatable {
  var user: String?
  var uid: String?
  var groups: [String] = []
  var extra: [(key: String, values: [String])] = []

  static func == (one: Self, other: Self) -> Bool {
    one.user == other.user && one.uid == other.uid && one.groups == other.groups
      && one.extra.map(\.key) == other.extra.map(\.key)
      && one.extra.map(\.values) == other.extra.map(\.values)
  }
}

/// All that is needed to ask a cluster's API. Holds secrets, which it shows to nobody.
public struct ClusterAccess: Sendable, Equatable, CustomStringConvertible {
  /// Such as `https://10.0.0.1:6443`, without a slash at the end.
  public internal(set) var server: String
  /// The namespace to use where none is said.
  public internal(set) var namespace = "default"
  /// Where all this was read, for messages.
  public internal(set) var source: String

  var authority: Material?
  var isUnchecked = false
  /// The name in the server's certificate, if it is not the one it is reached by.
  var serverName: String?
  /// May hold a password.
  var proxy: Secret?
  var isCompressed = true

  var certificate: Material?
  var key: SecretMaterial?
  var token: SecretMaterial?
  var program: CredentialProgram?
  var impersonation = Impersonation()

  public var description: String { "\(server) (\(source))" }

  /// Access without credentials, for an API that asks for none, such as `kubectl proxy`.
  public init(server: String, source: String) {
    (self.server, self.source) = (server, source)
  }

  /// Access with a token, and certificates (PEM) of those who may sign for the server.
  public init(server: String, authority: [UInt8]?, token: Secret, source: String) {
    (self.server, self.source) = (server, source)
    self.authority = authority.map { .bytes($0) }
    self.token = .secret(token)
  }
}
