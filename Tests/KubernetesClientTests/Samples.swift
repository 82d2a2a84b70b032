// What the tests of the client have in common: clients of the real server and of stand-ins, objects to
// create, files in a directory of their own.

import Encoding
import Glibc
import KubernetesFixture
import Testing

@testable import KubernetesClient

extension ApiServer {
  /// Somebody who may do everything, by a certificate.
  func admin(_ settings: ClientSettings = ClientSettings()) throws -> KubernetesClient {
    var access = ClusterAccess(server: url, source: "the test")
    access.authority = .bytes(try file("ca.crt"))
    access.certificate = .bytes(try file("admin.crt"))
    access.key = .secret(Secret(try file("admin.key")))
    return try KubernetesClient(access, settings: settings)
  }

  /// Somebody who may do what a role says, by a token.
  func guest() throws -> KubernetesClient {
    try KubernetesClient(
      ClusterAccess(
        server: url, authority: try file("ca.crt"), token: Secret("guest-token"), source: "the test"
      ))
  }
}

extension StandIn {
  func client(
    token: SecretMaterial? = nil, _ change: (inout ClientSettings) -> Void = { _ in }
  ) throws -> KubernetesClient {
    var settings = ClientSettings()
    settings.firstPause = 0.01
    change(&settings)
    var access = ClusterAccess(server: url, source: "the test")
    access.token = token
    return try KubernetesClient(access, settings: settings)
  }
}

enum Body {
  static func node(_ name: String, labels: [String: String] = [:]) -> JSONValue {
    .fields([
      "metadata": .fields([
        "name": .string(name),
        "labels": .object(labels.map { JSONMember($0.key, .string($0.value)) }),
      ])
    ])
  }

  static func pod(_ name: String, node: String? = nil, app: String = "test") -> JSONValue {
    .fields([
      "metadata": .fields(["name": .string(name), "labels": .fields(["app": .string(app)])]),
      "spec": .fields([
        "nodeName": node.map { .string($0) },
        "terminationGracePeriodSeconds": .number("7"),
        "containers": .array([.fields(["name": .string("main"), "image": .string("none")])]),
      ]),
    ])
  }

  static func space(_ name: String) -> JSONValue {
    .fields(["metadata": .fields(["name": .string(name)])])
  }
}

/// A directory that goes with its last user.
final class Directory: Sendable {
  let path: String

  init() throws {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(base)/liburna-client-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap(mkdtemp) }
    path = String(cString: try #require(made))
  }

  deinit {
    for name in (try? names()) ?? [] { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  @discardableResult
  func write(_ name: String, _ content: String, mode: mode_t = 0o600) throws -> String {
    let full = "\(path)/\(name)"
    // A new file in place of the old one, as those who renew tokens do it.
    let fresh = full + ".new"
    let descriptor = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    try #require(descriptor >= 0)
    _ = Array(content.utf8).withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    close(descriptor)
    rename(fresh, full)
    return full
  }

  func names() throws -> [String] {
    let directory = try #require(opendir(path))
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}

/// The error that something throws.
func failure(_ body: () async throws -> Void) async -> KubernetesError? {
  do {
    try await body()
    return nil
  } catch {
    return error as? KubernetesError
  }
}
