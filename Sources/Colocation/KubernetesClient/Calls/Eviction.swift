// Evictions: a pod is asked to go, as far as budgets let it. What comes of it, in types.

import Encoding

public enum EvictionOutcome: Sendable, Equatable {
  /// It goes.
  case accepted
  /// It is not there any more.
  case gone
  /// There is another pod of that name.
  case replaced
  /// A budget says no for now; with the seconds after which to ask again, if the server says so.
  case blocked(String, retryAfter: Int?)
  /// More than one budget holds the pod: evictions can't be; delete it.
  case severalBudgets(String)
  /// Its namespace is being deleted, and the pod with it.
  case namespaceEnds
}

extension KubernetesClient {
  /// Asks a pod to go.
  ///
  /// - Parameters:
  ///   - grace: seconds that it is given to end; nil for its own.
  ///   - uid: only this pod, and no other of its name.
  /// - Throws: ``KubernetesError`` for all that is no outcome.
  public func evict(
    pod name: String, in namespace: String, grace: Int? = nil, ifUID uid: String? = nil
  ) async throws -> EvictionOutcome {
    guard let version = try await capabilities().eviction else {
      throw KubernetesError.configuration(
        "\(access.server) has no pods/eviction: it is older than what is supported")
    }
    var request = Request(
      "POST", Request.path(Pod.kinds[0], namespace: namespace, name: name, part: "eviction"),
      .harmful)
    request.body = Array(
      JSONValue.fields([
        "apiVersion": .string(version), "kind": .string("Eviction"),
        "metadata": .fields(["name": .string(name), "namespace": .string(namespace)]),
        "deleteOptions": deletion(grace: grace, uid: uid, isWhole: false),
      ]).text.utf8)
    do {
      _ = try await send(request)
      return .accepted
    } catch KubernetesError.refused(let call, let status) {
      if let outcome = Self.outcome(of: status) { return outcome }
      // An upgraded server may have another version now.
      if status.code == 400 { await discovery.forget() }
      throw KubernetesError.refused(call, status)
    }
  }

  private static func outcome(of status: APIStatus) -> EvictionOutcome? {
    switch status.code {
    case 404: return .gone
    case 409: return .replaced
    case 429 where status.hasCause("DisruptionBudget"):
      let words = status.causes.first { $0.reason == "DisruptionBudget" }?.message ?? ""
      return .blocked(words.isEmpty ? status.message : words, retryAfter: status.retryAfter)
    // The API has no word for it: this is its sentence, from 1.20 to this day.
    case 500 where status.message.contains("more than one PodDisruptionBudget"):
      return .severalBudgets(status.message)
    case 403 where status.hasCause("NamespaceTerminating"): return .namespaceEnds
    default: return nil
    }
  }
}
