// What a server can do, asked once and again after a while, since servers are upgraded under our feet.

import Encoding

/// What a server can do.
public struct Capabilities: Sendable, Equatable {
  /// Such as `v1.20.2`.
  public var version = ""
  /// Such as `coordination.k8s.io/v1`; the core is `v1`.
  public var groupVersions: Set<String> = []
  /// `policy/v1` (from 1.22) or `policy/v1beta1`; nil if pods can't be evicted.
  public var eviction: String?

  /// The first of some kinds that the server has; the last if it has none, so that it says so itself.
  public func best(of kinds: [ObjectKind]) -> ObjectKind {
    kinds.first { groupVersions.contains($0.apiVersion) } ?? kinds[kinds.count - 1]
  }
}

actor Discovery {
  private var known: (capabilities: Capabilities, time: UInt64)?
  private var asking: Task<Capabilities, any Error>?

  /// Seconds that an answer holds.
  private static let lifetime = 600.0

  func capabilities(_ client: KubernetesClient) async throws -> Capabilities {
    if let known, Double(ConnectionPool.now - known.time) / 1e9 < Self.lifetime {
      return known.capabilities
    }
    let task = asking ?? Task { try await client.askCapabilities() }
    asking = task
    defer { if asking == task { asking = nil } }
    let capabilities = try await task.value
    known = (capabilities, ConnectionPool.now)
    return capabilities
  }

  func forget() { known = nil }
}

extension KubernetesClient {
  /// What the server can do.
  public func capabilities() async throws -> Capabilities {
    try await discovery.capabilities(self)
  }

  /// The kind under which the server has a type.
  func kind<Object: KubernetesObject>(of type: Object.Type) async throws -> ObjectKind {
    let kinds = Object.kinds
    return kinds.count == 1 ? kinds[0] : try await capabilities().best(of: kinds)
  }

  fileprivate func askCapabilities() async throws -> Capabilities {
    async let version = read("/version")
    async let groups = read("/apis")
    async let core = read("/api/v1")
    var capabilities = Capabilities()
    capabilities.version = try await version["gitVersion"]?.string ?? ""
    capabilities.groupVersions = ["v1"]
    for group in try await groups["groups"]?.array ?? [] {
      for version in group["versions"]?.array ?? [] {
        if let name = version["groupVersion"]?.string { capabilities.groupVersions.insert(name) }
      }
    }
    for resource in try await core["resources"]?.array ?? []
    where resource["name"]?.string == "pods/eviction" {
      let version = resource["version"]?.string ?? "v1beta1"
      capabilities.eviction = "\(resource["group"]?.string ?? "policy")/\(version)"
    }
    return capabilities
  }

  private func read(_ path: String) async throws -> JSONValue {
    let request = Request("GET", path, .harmless)
    return try value(of: try await send(request), request)
  }

  /// An answer as JSON.
  func value(of answer: HTTPAnswer, _ request: Request) throws -> JSONValue {
    do {
      return try JSONReader.read(answer.body, sizeLimit: settings.answerLimit)
    } catch {
      throw KubernetesError.unreadable(request.description, error.description)
    }
  }
}
