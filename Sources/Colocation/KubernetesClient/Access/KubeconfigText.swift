// A kubeconfig, written: for somebody else at the same server, by the way that led us there.

import Encoding
import Glibc
import Wire

extension ClusterAccess {
  /// The kubeconfig of an account at this server, as YAML. It holds the token.
  ///
  /// - Parameters:
  ///   - name: of cluster, user and context in it.
  ///   - authority: the certificates (PEM) to check the server by where this access has none; nil for those that
  ///     the system trusts.
  /// - Throws: ``KubernetesError/configuration(_:)`` if the file of this access's certificates can't be read.
  public func kubeconfig(
    for name: String, token: Secret, namespace: String, authority: [UInt8]?
  ) throws -> [UInt8] {
    let quoted = { (text: String) in JSONValue.string(text).text }
    var cluster = ["server: \(quoted(server))"]
    // Whoever did not check the server is no guide: its own word of who signs for it is better than nothing.
    if let known = try ownAuthority() ?? (isUnchecked ? authority : nil) {
      cluster.append("certificate-authority-data: \(Base64.encode(known))")
    }
    if let serverName { cluster.append("tls-server-name: \(quoted(serverName))") }
    if let proxy { cluster.append("proxy-url: \(quoted(proxy.text))") }
    let lines =
      ["apiVersion: v1", "kind: Config", "current-context: \(name)", "clusters:"]
      + ["- name: \(name)", "  cluster:"] + cluster.map { "    " + $0 }
      + ["users:", "- name: \(name)", "  user:", "    token: \(quoted(token.text))"]
      + ["contexts:", "- name: \(name)", "  context:", "    cluster: \(name)", "    user: \(name)"]
      + ["    namespace: \(quoted(namespace))", ""]
    return Array(lines.joined(separator: "\n").utf8)
  }

  private func ownAuthority() throws -> [UInt8]? {
    switch authority {
    case .bytes(let bytes): return bytes
    case .file(let path):
      do {
        return try readFile(path, limit: Self.fileLimit)
      } catch {
        throw KubernetesError.configuration(
          "\(path), the certificate-authority of \(source), can't be read: "
            + error.words(Self.fileLimit))
      }
    case nil: return nil
    }
  }
}
