// Where an access is looked for: a named file, KUBECONFIG, the home directory, the environment of a pod.

import Documents
import Glibc
import Wire

extension ClusterAccess {
  /// The most bytes of a kubeconfig.
  static let fileLimit = 1 << 20
  /// Where a pod finds who it is.
  static let podDirectory = "/var/run/secrets/kubernetes.io/serviceaccount"

  /// Finds the access as kubectl does: a file that is named; else the files of KUBECONFIG, merged; else
  /// `~/.kube/config`; and where there is none of these, what a pod is given.
  ///
  /// - Parameters:
  ///   - file: a kubeconfig; nil to search.
  ///   - context: the context to use; nil for the file's current one.
  ///   - environment: looked at instead of the process's.
  /// - Throws: ``KubernetesError/configuration(_:)`` that says which file, which key and what to do.
  public static func find(
    file: String? = nil, context: String? = nil,
    environment: (String) -> String? = ClusterAccess.processEnvironment
  ) throws -> ClusterAccess {
    do {
      if let file {
        let path = absolute(file)
        guard let config = try read(path) else {
          throw KubernetesError.configuration("\(path) does not exist; it should be a kubeconfig")
        }
        return try config.access(context: context)
      }
      let list = environment("KUBECONFIG").flatMap { $0.isEmpty ? nil : $0 }
      let places =
        list.map { $0.split(separator: ":").map { absolute(String($0)) } }
        ?? environment("HOME").map { ["\($0)/.kube/config"] } ?? []
      var merged = Kubeconfig()
      for path in places {
        if let config = try read(path) { merged.merge(config) }
      }
      if merged.files.isEmpty || (merged.contexts.isEmpty && context == nil),
        let access = try pod(environment)
      {
        return access
      }
      guard !merged.files.isEmpty else {
        let looked =
          places.isEmpty ? "HOME is not set" : "looked for \(places.joined(separator: ", "))"
        throw KubernetesError.configuration(
          "no kubeconfig: \(looked); name one, or set KUBECONFIG")
      }
      return try merged.access(context: context)
    } catch let error as DocumentError {
      throw KubernetesError.configuration(error.description)
    }
  }

  /// What a pod is given: its service account.
  ///
  /// - Throws: ``KubernetesError/configuration(_:)`` outside of pods.
  public static func ofPod(
    environment: (String) -> String? = ClusterAccess.processEnvironment
  ) throws -> ClusterAccess {
    guard let access = try pod(environment) else {
      throw KubernetesError.configuration(
        "this is no pod: KUBERNETES_SERVICE_HOST is not set; name a kubeconfig instead")
    }
    return access
  }

  /// A variable of this process's environment.
  public static func processEnvironment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// What the environment of a pod says; nil if this is no pod.
  ///
  /// - Parameter directory: where the account's files are.
  static func pod(
    _ environment: (String) -> String?, directory: String = podDirectory
  ) throws -> ClusterAccess? {
    guard let host = environment("KUBERNETES_SERVICE_HOST"), !host.isEmpty,
      let port = environment("KUBERNETES_SERVICE_PORT"), !port.isEmpty
    else { return nil }
    let place = host.contains(":") ? "[\(host)]" : host
    let server = "https://\(place):\(port)"
    guard URLParts(server) != nil else {
      throw KubernetesError.configuration(
        "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT make no address: \(quoted(server))")
    }
    var access = ClusterAccess(server: server, source: "the pod's service account")
    access.token = .file("\(directory)/token")
    access.authority = .file("\(directory)/ca.crt")
    if let bytes = try? readFile("\(directory)/namespace", limit: 1024) {
      let name = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
      if !name.isEmpty { access.namespace = name }
    }
    return access
  }

  /// The configuration in a file; nil if there is no such file.
  private static func read(_ path: String) throws -> Kubeconfig? {
    do {
      return try Kubeconfig(try readFile(path, limit: fileLimit), file: path)
    } catch FileFailure.system(ENOENT) {
      return nil
    } catch let failure as FileFailure {
      throw KubernetesError.configuration("\(path) can't be read: \(failure.words(fileLimit))")
    }
  }

  private static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    return String(cString: here) + "/" + path
  }
}

extension FileFailure {
  /// What is wrong, in words.
  func words(_ limit: Int) -> String {
    switch self {
    case .system(let code): errorText(code)
    case .tooLong: "it has more than \(limit) bytes"
    }
  }
}
