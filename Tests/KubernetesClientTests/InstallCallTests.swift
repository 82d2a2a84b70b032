// What an installation asks of a real API server: trials, and who may do what.

import Encoding
import KubernetesFixture
import Testing

@testable import KubernetesClient

@Suite("Trials and roles on a real API server")
struct InstallCallTests {
  @Test("a trial is checked by the server, and nothing of it is kept")
  func trial() async throws {
    let client = try await ApiServer.running().admin()
    var trial = client
    trial.settings.isTrial = true
    try await trial.create(Node.self, Body.node("trial"))
    #expect(try await client.find(Node.self, "trial") == nil)
    let made = try await client.create(Node.self, Body.node("trial"))
    let cordon = JSONValue.fields(["spec": .fields(["unschedulable": .bool(true)])])
    #expect(try await trial.patch(Node.self, "trial", .merge(cordon)).isUnschedulable)
    #expect(try await trial.delete(Node.self, "trial", ifUID: made.metadata.uid) == .accepted)
    #expect(try await client.get(Node.self, "trial").metadata.version == made.metadata.version)
    let space = "trial"
    try await client.create(Namespace.self, Body.space(space))
    try await client.create(Pod.self, Body.pod("stays", node: "trial"), in: space)
    #expect(try await trial.evict(pod: "stays", in: space) == .accepted)
    #expect(try await client.get(Pod.self, "stays", in: space).metadata.deletion == nil)
    try await client.delete(Pod.self, "stays", in: space, grace: 0)
    try await client.delete(Node.self, "trial")
  }

  @Test("roles and bindings are read as they were written")
  func roles() async throws {
    let client = try await ApiServer.running().admin()
    let rules = [
      PolicyRule(resources: ["pods/eviction"], verbs: ["create"]),
      PolicyRule(groups: ["apps", ""], resources: ["*"], verbs: ["get", "list"]),
    ]
    let role = ClusterRole(Metadata(name: "written"), rules: rules)
    let body = JSONValue.fields([
      "metadata": .fields(["name": .string("written")]), "rules": .array(rules.map(\.json)),
    ])
    #expect(try await client.create(ClusterRole.self, body).rules == role.rules)
    let subjects = [
      RoleParty(kind: "ServiceAccount", name: "a", namespace: "n"),
      RoleParty(kind: "User", name: "u"),
    ]
    let party = RoleParty(kind: "ClusterRole", name: "written")
    let binding = JSONValue.fields([
      "metadata": .fields(["name": .string("written")]), "roleRef": party.json,
      "subjects": .array(subjects.map(\.json)),
    ])
    let made = try await client.create(ClusterRoleBinding.self, binding)
    #expect(made.role == party && made.subjects == subjects)
    try await client.delete(ClusterRoleBinding.self, "written")
    try await client.delete(ClusterRole.self, "written")
  }
}
