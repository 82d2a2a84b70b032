// Why something was not done.

public enum KubernetesError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kubeconfig, a file it names, or this machine: which one, where, and what to do.
  case configuration(String)
  /// Nothing was asked: no name, no route, refused.
  case unreachable(server: String, String)
  /// TLS: the server's certificate, or ours.
  case untrusted(server: String, String)
  case timedOut(String)
  /// The connection ended before the answer did; what was asked may have been done.
  case lost(String)
  case tooLong(String, limit: Int)
  /// The answer is not what the API answers.
  case unreadable(String, String)
  /// The API refused.
  case refused(String, APIStatus)

  /// The API's own words, if it refused.
  public var status: APIStatus? {
    if case .refused(_, let status) = self { status } else { nil }
  }

  public var isConflict: Bool { status?.isConflict ?? false }
  public var isNotFound: Bool { status?.isNotFound ?? false }
  public var isExpired: Bool { status?.isExpired ?? false }
  public var exists: Bool { status?.exists ?? false }

  public var description: String {
    switch self {
    case .configuration(let text): text
    case .unreachable(let server, let reason): "\(server) can't be reached: \(reason)"
    case .untrusted(let server, let reason):
      "no trust between \(server) and us: \(reason); look at certificate-authority and "
        + "client-certificate in the kubeconfig"
    case .timedOut(let call): "\(call): no answer in time"
    case .lost(let call): "\(call): the connection was lost before the answer came"
    case .tooLong(let call, let limit): "\(call): the answer has more than \(limit) bytes"
    case .unreadable(let call, let reason): "\(call): the answer can't be read: \(reason)"
    case .refused(let call, let status): "\(call): \(status)"
    }
  }
}
