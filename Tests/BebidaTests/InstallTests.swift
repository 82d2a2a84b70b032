// Installing on a real API server with RBAC, and the real controllers that make tokens and empty namespaces.

import Encoding
import Glibc
import KubernetesClient
import KubernetesFixture
import LabFixture
import Testing
import Wire

@testable import Bebida

/// One after the other: what is uninstalled concerns all nodes of the cluster. Objects that a test does not remove go
/// with the server.
@Suite("bebida install and uninstall on a real API server", .serialized)
struct InstallTests {
  @Test("the kubeconfig it writes does what lending needs, and is refused for all else")
  func rights() async throws {
    let place = try await InstallPlace("rights")
    let told = try await place.install()
    #expect(told.filter { $0.hasPrefix("made ") }.count == 6, "\(told)")
    #expect(told.contains("  PrologSlurmctld=/usr/lib/liburna/bebida-prolog"))
    #expect(told.contains("  BEBIDA_KUBECONFIG=\"\(place.path)\""))
    #expect(place.file()?.mode == 0o600)
    let lender = try place.lender()
    let answers = try await lender.allowed(LendingRights.permissions + LendingRights.excess)
    #expect(LendingRights.permissions.allSatisfy { answers[$0] == true })
    #expect(LendingRights.excess.allSatisfy { answers[$0] == false })
    #expect(try await lender.list(Node.self).setAside.isEmpty)
    try await place.node("rights-n1")
    #expect(await isForbidden { try await lender.delete(Node.self, "rights-n1") })
    #expect(await isForbidden { _ = try await lender.list(AccountToken.self) })
    let objects = place.objects
    #expect(
      await isForbidden {
        _ = try await lender.get(
          AccountToken.self, objects.token.metadata.name, in: objects.token.metadata.namespace)
      })
    #expect(
      await isForbidden {
        try await lender.patch(
          ClusterRole.self, objects.role.metadata.name, .merge(objects.role.body))
      })
    #expect(
      await isForbidden {
        try await lender.create(
          Pod.self, .fields(["metadata": .fields(["name": .string("x")])]), in: "default")
      })
    try await place.admin.delete(Node.self, "rights-n1")
  }

  @Test("a lender with that kubeconfig lends a node, takes it for a job and gives it back")
  func lends() async throws {
    let place = try await InstallPlace("lends")
    try await place.install()
    let site = try await Site(
      "lends", hosts: 1, server: place.api, lender: try ClusterAccess.find(file: place.path))
    try await site.startLender()
    await site.lent(["lends-n1"])
    // One goes by itself, the other has to be deleted.
    try await site.place("quick-lends", on: "lends-n1")
    try await site.place("stubborn-lends", on: "lends-n1")
    await site.begin("1", ["lends-n1"])
    #expect(try await site.node("lends-n1").isUnschedulable)
    await site.end("1", ["lends-n1"])
    await site.lent(["lends-n1"])
    let counts = await site.lender?.counts
    #expect(counts?.failedCalls == 0 && counts?.reclaimed ?? 0 > 0, "\(String(describing: counts))")
    #expect(await isTold("Reclaimed", of: "lends-n1", to: place.admin))
    let findings = await site.lender?.check() ?? []
    #expect(findings.contains { $0.text == "we may do there what lending needs" }, "\(findings)")
    #expect(!findings.contains { $0.verdict == .bad }, "\(findings)")
    #expect(await site.violations == [])
    await site.stop()
  }

  /// Whether an event about a node comes.
  private func isTold(_ word: String, of node: String, to client: KubernetesClient) async -> Bool {
    let isThere = try? await Waiting.wait(20) {
      try await client.list(Event.self).items.contains {
        $0.about.name == node && $0.reason == word
      }
    }
    return isThere == true
  }

  @Test("done again, it changes nothing and says so")
  func again() async throws {
    let place = try await InstallPlace("again")
    try await place.install()
    let (versions, file) = (try await place.versions(), place.file())
    let told = try await place.install(for: .oar)
    #expect(told.filter { $0.hasPrefix("unchanged ") }.count == 6, "\(told)")
    #expect(try await place.versions() == versions && versions.count == 5)
    #expect(place.file()?.inode == file?.inode)
    #expect(told.contains("  SERVER_PROLOGUE_EXEC_FILE=\"/usr/lib/liburna/bebida-prolog\""))
  }

  @Test("what became of its own objects is put right, and nothing else is touched")
  func mended() async throws {
    let place = try await InstallPlace("mended")
    try await place.install()
    let objects = place.objects
    let wide = ClusterRole(
      objects.role.metadata, rules: [PolicyRule(resources: ["secrets"], verbs: ["*"])])
    try await place.admin.patch(ClusterRole.self, wide.metadata.name, .merge(wide.body))
    let label = JSONValue.fields(["metadata": .fields(["labels": .fields(["site": .string("a")])])])
    try await place.admin.patch(ClusterRole.self, wide.metadata.name, .merge(label))
    // What a binding gives can't be changed.
    try await place.admin.delete(ClusterRoleBinding.self, objects.binding.metadata.name)
    let other = ClusterRoleBinding(
      objects.binding.metadata, role: RoleParty(kind: "ClusterRole", name: "view"),
      subjects: objects.binding.subjects)
    try await place.admin.create(ClusterRoleBinding.self, other.body)
    chmod(place.path, 0o644)
    let told = try await place.install()
    #expect(told.contains("changed   \(objects.role.title)"), "\(told)")
    #expect(told.contains("removed   \(objects.binding.title)"))
    #expect(told.contains("made      \(objects.binding.title)"))
    #expect(told.contains("changed   \(place.path)"))
    let role = try await place.admin.get(ClusterRole.self, objects.role.metadata.name)
    #expect(role.rules == LendingRights.rules && role.metadata.labels["site"] == "a")
    #expect(place.file()?.mode == 0o600)
    // A new token is had by deleting the old one's secret.
    let secret = objects.token.metadata
    try await place.admin.delete(AccountToken.self, secret.name, in: secret.namespace)
    let old = try bytes(of: place.path)
    #expect(try await place.install().contains("changed   \(place.path)"))
    #expect(try bytes(of: place.path) != old)
  }

  @Test("a dry run tells each object and file, and changes nothing")
  func trial() async throws {
    let place = try await InstallPlace("trial")
    let told = try await place.install(isTrial: true)
    #expect(told.filter { $0.hasPrefix("would make ") }.count == 6, "\(told)")
    #expect(told.contains("        resources: [pods/eviction]"), "\(told)")
    #expect(try await place.versions().isEmpty && place.file() == nil)
    try await place.install()
    let versions = try await place.versions()
    #expect(
      try await place.install(isTrial: true).filter { $0.hasPrefix("unchanged ") }.count == 6)
    let removal = try await place.uninstall(isTrial: true)
    #expect(removal.filter { $0.hasPrefix("would remove ") }.count == 6, "\(removal)")
    #expect(try await place.versions() == versions && place.file() != nil)
  }

  @Test("without a token controller it says so, and the next run goes on from there")
  func noToken() async throws {
    let place = try await InstallPlace("no-token", api: ApiServer.running())
    let error = await #expect(throws: InstallError.self) {
      try await place.install(tokenPatience: 0.3)
    }
    #expect(
      error?.description.contains("kube-controller-manager") == true, "\(String(describing: error))"
    )
    #expect(place.file() == nil)
    let secret = place.objects.token
    // Somebody who may do more than is needed.
    let data = JSONValue.fields(["data": .fields(["token": .string("YWRtaW4tdG9rZW4=")])])
    try await place.admin.patch(
      AccountToken.self, secret.metadata.name, in: secret.metadata.namespace, .merge(data))
    let told = try await place.install()
    #expect(told.filter { $0.hasPrefix("unchanged ") }.count == 5 && place.file() != nil, "\(told)")
    #expect(told.contains { $0.hasPrefix("beware: it may also get secrets") }, "\(told)")
    try await place.admin.delete(ClusterRoleBinding.self, place.objects.binding.metadata.name)
    try await place.admin.delete(ClusterRole.self, place.objects.role.metadata.name)
  }

  @Test("what is not its own it refuses to touch, before anything is done")
  func foreign() async throws {
    let place = try await InstallPlace("foreign")
    let role = place.objects.role
    try await place.admin.create(
      ClusterRole.self, .fields(["metadata": .fields(["name": .string(role.metadata.name)])]))
    try place.write("etc/kubeconfig", "apiVersion: v1\nkind: Config\n")
    let error = await #expect(throws: InstallError.self) { try await place.install() }
    let words = error?.description ?? ""
    #expect(words.contains("\(role.title) is there and is not ours"), "\(words)")
    #expect(words.contains("kubectl label clusterrole \(role.metadata.name) --overwrite"))
    #expect(words.contains("\(place.path) is there, and it was not written by bebida install"))
    #expect(try await place.versions().keys.sorted() == [role.title])
    #expect(try bytes(of: place.path) == Array("apiVersion: v1\nkind: Config\n".utf8))
    // Nor does it take away what it did not make.
    let told = try await place.uninstall()
    #expect(told.contains { $0.hasPrefix("stays     \(role.title)") }, "\(told)")
    #expect(told.contains { $0.hasPrefix("stays     \(place.path)") })
    #expect(try await place.versions().keys.sorted() == [role.title] && place.file() != nil)
    try await place.admin.delete(ClusterRole.self, role.metadata.name)
    // A namespace goes with all that is in it: nobody hands one over.
    let theirs = try await InstallPlace("default")
    let housed = await #expect(throws: InstallError.self) { try await theirs.install() }
    #expect(housed?.description.contains("is not ours") == true)
    #expect(housed?.description.contains("Name another with --namespace") == true)
    // A link may lead anywhere.
    unlink(place.path)
    symlink("other", place.path)
    let linked = await #expect(throws: InstallError.self) { try await place.install() }
    #expect(linked?.description.contains("it is no plain file") == true)
    unlink(place.path)
  }

  @Test("hand-made hooks and cordons of others are told, and left as they are")
  func strangers() async throws {
    let place = try await InstallPlace("strangers")
    try await place.node("a-cordoned", cordoned: true)
    try await place.node("a-ours", taints: [NodeWords.taint], cordoned: true, byUs: true)
    let metadata = Metadata(name: "delete-nodes")
    try await place.admin.create(
      ClusterRoleBinding.self,
      ClusterRoleBinding(
        metadata, role: RoleParty(kind: "ClusterRole", name: "node-deleter"),
        subjects: [RoleParty(kind: "User", name: "workflow-manager-1")]
      ).body)
    try await place.admin.create(
      ClusterRole.self, ClusterRole(Metadata(name: "node-deleter"), rules: []).body)
    try place.write("usr/local/bin/master-prolog.sh", "#!/bin/sh\n")
    try await place.admin.create(
      Pod.self,
      .fields([
        "metadata": .fields([
          "name": .string("proxy-x"),
          "ownerReferences": .array([
            .fields([
              "apiVersion": .string("apps/v1"), "kind": .string("DaemonSet"),
              "name": .string("proxy"), "uid": .string("1"), "controller": .bool(true),
            ])
          ]),
        ]),
        "spec": .fields([
          "containers": .array([.fields(["name": .string("main"), "image": .string("none")])])
        ]),
      ]), in: "default")
    let told = try await place.install().joined(separator: "\n")
    try await place.admin.delete(Pod.self, "proxy-x", in: "default", grace: 0)
    #expect(told.contains("  BEBIDA_DAEMON_SETS=\"default/proxy\""), "\(told)")
    #expect(told.contains("cordoned by somebody else: a-cordoned; they stay so"), "\(told)")
    #expect(told.contains("clusterrolebinding delete-nodes, by which workflow-manager-1 has the"))
    #expect(told.contains("clusterrole node-deleter; when no hook needs it"))
    #expect(told.contains("hand-made scripts: /usr/local/bin/master-prolog.sh;"))
    try await place.uninstall()
    #expect(try await place.admin.get(Node.self, "a-cordoned").isUnschedulable)
    #expect(try await place.admin.find(ClusterRole.self, "node-deleter") != nil)
    try await place.admin.delete(ClusterRoleBinding.self, "delete-nodes")
    try await place.admin.delete(ClusterRole.self, "node-deleter")
    for node in ["a-cordoned", "a-ours"] { try await place.admin.delete(Node.self, node) }
  }

  @Test("uninstalled, nothing of ours is left: no mark on a node, no object, no file")
  func removed() async throws {
    let place = try await InstallPlace("removed")
    try await place.install()
    try await place.node(
      "gone-1", taints: ["site.example/gpu", NodeWords.taint], cordoned: true, byUs: true)
    try await place.node("gone-2", taints: ["site.example/gpu"], cordoned: true)
    let told = try await place.uninstall()
    #expect(told.filter { $0.hasPrefix("removed ") }.count == 6, "\(told)")
    #expect(told.contains("changed   node gone-1: our marks are taken off"))
    #expect(!told.contains { $0.contains("gone-2") })
    #expect(try await place.versions().isEmpty && place.file() == nil)
    let ours = try await place.admin.get(Node.self, "gone-1")
    #expect(!ours.isUnschedulable && !ours.taints.contains { $0.key == NodeWords.taint })
    #expect(ours.taints.contains { $0.key == "site.example/gpu" })
    #expect(ours.metadata.annotations.keys.sorted() == ["site.example/rack"])
    #expect(ours.metadata.labels["site.example/kind"] == "big")
    #expect(ours.metadata.labels[NodeWords.freeUntil] == nil)
    #expect(try await place.admin.get(Node.self, "gone-2").isUnschedulable)
    let again = try await place.uninstall()
    #expect(!again.contains { $0.hasPrefix("removed ") || $0.hasPrefix("changed ") }, "\(again)")
    #expect(again.contains("nothing of ours was there"))
    for node in ["gone-1", "gone-2"] { try await place.admin.delete(Node.self, node) }
  }

  @Test("a namespace in which somebody has pods stays")
  func inhabited() async throws {
    let place = try await InstallPlace("inhabited")
    try await place.install()
    try await place.admin.create(
      Pod.self,
      .fields([
        "metadata": .fields(["name": .string("guest")]),
        "spec": .fields([
          "containers": .array([.fields(["name": .string("main"), "image": .string("none")])])
        ]),
      ]), in: place.name)
    let told = try await place.uninstall()
    #expect(told.contains("stays     namespace inhabited: it has 1 pods, which are not ours"))
    #expect(try await place.versions().keys.sorted() == ["namespace inhabited"])
    try await place.admin.delete(Pod.self, "guest", in: place.name, grace: 0)
    try await place.uninstall()
    #expect(try await place.versions().isEmpty)
  }

  @Test(
    "as people call it: liburna hands over to the server's program, which tells and ends by a code")
  func program() async throws {
    let place = try await InstallPlace("program")
    let access = ClusterAccess(
      server: place.api.url, authority: try place.api.file("ca.crt"),
      token: Secret("admin-token"), source: "the test")
    let config = try access.kubeconfig(
      for: "admin", token: Secret("admin-token"), namespace: "default", authority: nil)
    try place.write("admin", String(decoding: config, as: UTF8.self))
    let words = [
      "--kubeconfig", "\(place.folder)/admin", "--namespace", "program", "--output", place.path,
    ]
    let trial = try await call(["install", "--dry-run"] + words)
    #expect(trial.exitCode == 0 && trial.stdout.contains("would make"), "\(trial)")
    let made = try await call(["install", "--batch", "oar"] + words)
    #expect(made.exitCode == 0 && made.stdout.contains("SERVER_PROLOGUE_EXEC_FILE"), "\(made)")
    #expect(!made.stdout.contains("token:"))
    let gone = try await call(["uninstall"] + words)
    #expect(gone.exitCode == 0 && place.file() == nil, "\(gone)")
    try place.write(
      "admin",
      String(
        decoding: try access.kubeconfig(
          for: "guest", token: Secret("guest-token"), namespace: "default", authority: nil),
        as: UTF8.self))
    let guest = try await call(["install"] + words)
    #expect(guest.exitCode == 1 && guest.stderr.contains("of an administrator"), "\(guest)")
    let lost = try await call(["install", "--kubeconfig", "\(place.folder)/none"])
    #expect(lost.exitCode == 1 && lost.stderr.contains("does not exist"), "\(lost)")
  }

  /// Calls `liburna bebida`, where no lender is to be found.
  private func call(_ words: [String]) async throws -> CommandResult {
    let maps = String(decoding: try bytes(of: "/proc/self/maps"), as: UTF8.self)
    let line = try #require(maps.split(separator: "\n").first { $0.hasSuffix(".xctest") })
    let path = try #require(line.split(separator: " ").last)
    let program = path[..<(try #require(path.lastIndex(of: "/")))] + "/liburna"
    let call =
      ["env", "LIBURNA_SOCKET=/nonexistent", "BEBIDACONFFILE=/nonexistent"]
      + ["OARCONFFILE=/dev/null", String(program), "bebida"] + words
    return try await KubernetesFixture.offThread { try Subprocess(call).finish(within: 90) }
  }
}
