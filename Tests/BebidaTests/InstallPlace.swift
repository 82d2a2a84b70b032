// What tests of the installation share: a cluster with real controllers, a namespace and a folder of a test's own, and
// what was told.

import Encoding
import Glibc
import KubernetesClient
import KubernetesFixture
import LabFixture
import Synchronization
import Testing

@testable import Bebida

/// One installation on the API server that has controllers.
final class InstallPlace: Sendable {
  let api: ApiServer
  let admin: KubernetesClient
  let name: String
  let folder: String
  private let lines = Mutex<[String]>([])

  var path: String { "\(folder)/etc/kubeconfig" }
  /// What was told so far.
  var told: [String] { lines.withLock { $0 } }
  var objects: SiteObjects { SiteObjects(namespace: name) }

  /// - Parameter api: nil for the server with controllers.
  init(_ name: String, api other: ApiServer? = nil) async throws {
    if let other { api = other } else { api = try await ApiServer.runningWithControllers() }
    admin = try KubernetesClient(
      ClusterAccess(
        server: api.url, authority: try api.file("ca.crt"), token: Secret("admin-token"),
        source: "the test"))
    self.name = name
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(base)/liburna-install-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap(mkdtemp) }
    folder = String(cString: try #require(made))
  }

  deinit {
    for file in ["etc/kubeconfig", "etc/other", "admin", "usr/local/bin/master-prolog.sh"] {
      unlink("\(folder)/\(file)")
    }
    for inner in ["etc", "usr/local/bin", "usr/local", "usr", ""] { rmdir("\(folder)/\(inner)") }
  }

  private func options(_ isTrial: Bool, _ system: BatchSystem) -> SiteOptions {
    var options = SiteOptions()
    options.namespace = name
    options.output = path
    options.system = system
    options.isTrial = isTrial
    return options
  }

  private func client(_ isTrial: Bool) -> KubernetesClient {
    var client = admin
    client.settings.isTrial = isTrial
    return client
  }

  /// Installs; gives what was told.
  @discardableResult
  func install(
    isTrial: Bool = false, for system: BatchSystem = .slurm, tokenPatience: Double = 30
  ) async throws -> [String] {
    lines.withLock { $0 = [] }
    var installation = try SiteInstallation(
      options(isTrial, system), client: client(isTrial), root: folder,
      say: { [self] line in lines.withLock { $0.append(line) } })
    installation.tokenPatience = tokenPatience
    try await installation.run()
    return told
  }

  /// Takes it away; gives what was told.
  @discardableResult
  func uninstall(isTrial: Bool = false) async throws -> [String] {
    lines.withLock { $0 = [] }
    try await SiteRemoval(
      options(isTrial, .slurm), client: client(isTrial),
      say: { [self] line in lines.withLock { $0.append(line) } }
    ).run()
    return told
  }

  /// The client that the written file gives.
  func lender() throws -> KubernetesClient {
    try KubernetesClient(ClusterAccess.find(file: path))
  }

  /// The states of all objects, by title; those that are not there are left out.
  func versions() async throws -> [String: String] {
    var versions: [String: String] = [:]
    func look<Object: KeptObject>(_ object: Object) async throws {
      let there = try await admin.find(
        Object.self, object.metadata.name, in: object.metadata.namespace)
      versions[object.title] = there?.metadata.version
    }
    try await look(objects.namespace)
    try await look(objects.account)
    try await look(objects.token)
    try await look(objects.role)
    try await look(objects.binding)
    return versions
  }

  /// The mode of the written file, and which file it is; nil if there is none.
  func file(_ path: String? = nil) -> (mode: mode_t, inode: ino_t)? {
    var about = stat()
    guard lstat(path ?? self.path, &about) == 0 else { return nil }
    return (about.st_mode & 0o7777, about.st_ino)
  }

  func write(_ path: String, _ text: String) throws {
    var parent = folder
    for part in path.split(separator: "/").dropLast() {
      parent += "/\(part)"
      mkdir(parent, 0o700)
    }
    let file = try #require(fopen("\(folder)/\(path)", "we"))
    fputs(text, file)
    fclose(file)
  }

  // MARK: Nodes

  /// Makes a node, as others and we have left it.
  func node(
    _ name: String, taints: [String] = [], cordoned: Bool = false, byUs: Bool = false
  ) async throws {
    var annotations = [JSONMember("site.example/rack", .string("7"))]
    if byUs {
      annotations += [NodeWords.cordoned, NodeWords.epoch, NodeWords.reason].map {
        JSONMember($0, .string($0 == NodeWords.epoch ? "7" : "true"))
      }
    }
    let label = byUs ? [JSONMember(NodeWords.freeUntil, .string("9999999999"))] : []
    try await admin.create(
      Node.self,
      .fields([
        "metadata": .fields([
          "name": .string(name), "annotations": .object(annotations),
          "labels": .object(label + [JSONMember("site.example/kind", .string("big"))]),
        ]),
        "spec": .fields([
          "unschedulable": .bool(cordoned),
          "taints": .array(
            taints.map {
              .fields([
                "key": .string($0), "value": .string("7"), "effect": .string("NoSchedule"),
              ])
            }),
        ]),
      ]))
  }
}

/// Whether the API refuses somebody.
func isForbidden(_ body: () async throws -> Void) async -> Bool {
  do {
    try await body()
    return false
  } catch {
    return (error as? KubernetesError)?.status?.isForbidden == true
  }
}
