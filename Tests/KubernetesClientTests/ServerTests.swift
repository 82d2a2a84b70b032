// The client against a real API server: every call that BeBiDa makes.

import Encoding
import KubernetesFixture
import Testing

@testable import KubernetesClient

@Suite("A real API server")
struct ServerTests {
  /// A namespace of a test's own.
  private func space(_ client: KubernetesClient, _ name: String) async throws -> String {
    try await client.create(Namespace.self, Body.space(name))
    return name
  }

  @Test("what it can do is found out: its version, its groups, how pods are evicted")
  func discovery() async throws {
    let client = try await ApiServer.running().admin()
    let capabilities = try await client.capabilities()
    #expect(capabilities.version == "v1.20.2")
    #expect(capabilities.eviction == "policy/v1beta1")
    #expect(
      capabilities.groupVersions.isSuperset(of: [
        "v1", "events.k8s.io/v1", "coordination.k8s.io/v1",
      ]))
    #expect(capabilities.best(of: PodDisruptionBudget.kinds).version == "v1beta1")
    #expect(try await client.list(PodDisruptionBudget.self).setAside.isEmpty)
  }

  @Test("a node is created, cordoned, tainted and given back, each on the state that was read")
  func node() async throws {
    let client = try await ApiServer.running().admin()
    let made = try await client.create(Node.self, Body.node("steps", labels: ["lent": "yes"]))
    #expect(!made.isUnschedulable && made.metadata.labels == ["lent": "yes"])
    let cordon = JSONValue.fields([
      "metadata": .fields(["annotations": .fields(["liburna.io/owner": .string("batch")])]),
      "spec": .fields(["unschedulable": .bool(true)]),
    ])
    let cordoned = try await client.patch(
      Node.self, "steps", .merge(cordon), ifVersion: made.metadata.version)
    #expect(
      cordoned.isUnschedulable && cordoned.metadata.annotations["liburna.io/owner"] == "batch")
    // Somebody who read the node before is told so, whatever the kind of patch.
    let taint = JSONValue.array([
      .fields(["key": .string("liburna.io/hpc"), "effect": .string("NoExecute")])
    ])
    let patches: [Patch] = [
      .merge(cordon), .strategic(cordon), .json([.init("add", "/spec/taints", taint)]),
    ]
    for patch in patches {
      let stale = await failure {
        try await client.patch(Node.self, "steps", patch, ifVersion: made.metadata.version)
      }
      #expect(stale?.isConflict == true, "\(String(describing: stale))")
    }
    let tainted = try await client.patch(
      Node.self, "steps", .json([.init("add", "/spec/taints", taint)]),
      ifVersion: cordoned.metadata.version)
    #expect(tainted.taints.contains(Taint(key: "liburna.io/hpc", effect: "NoExecute")))
    let back = JSONValue.fields(["spec": .fields(["unschedulable": .null, "taints": .null])])
    #expect(try await !client.patch(Node.self, "steps", .merge(back)).isUnschedulable)
    #expect(try await client.delete(Node.self, "steps") == .accepted)
    #expect(try await client.delete(Node.self, "steps") == .gone)
    #expect(try await client.find(Node.self, "steps") == nil)
  }

  @Test(
    "a status is patched by its own part, and fields are applied as ours, by force where told so")
  func statusAndApply() async throws {
    let client = try await ApiServer.running().admin()
    try await client.create(Node.self, Body.node("parts"))
    let ready = JSONValue.fields([
      "status": .fields([
        "conditions": .array([.fields(["type": .string("Ready"), "status": .string("True")])])
      ])
    ])
    #expect(try await client.patch(Node.self, "parts", .strategic(ready), part: "status").isReady)
    func labels(_ value: String) -> JSONValue {
      .fields([
        "apiVersion": .string("v1"), "kind": .string("Node"),
        "metadata": .fields(["name": .string("parts"), "labels": .fields(["x": .string(value)])]),
      ])
    }
    #expect(
      try await client.patch(Node.self, "parts", .apply(labels("1"))).metadata.labels["x"] == "1")
    var other = client
    other.settings.fieldManager = "somebody"
    let taken = await failure { try await other.patch(Node.self, "parts", .apply(labels("2"))) }
    #expect(taken?.isConflict == true)
    let forced = try await other.patch(Node.self, "parts", .apply(labels("2"), isForced: true))
    #expect(forced.metadata.labels["x"] == "2")
    try await client.delete(Node.self, "parts")
  }

  @Test(
    "a list comes whole whatever the size of its pages, and can be narrowed by labels and fields")
  func lists() async throws {
    let client = try await ApiServer.running().admin()
    let space = try await space(client, "lists")
    for number in 0..<23 {
      try await client.create(
        Pod.self, Body.pod("p\(number)", node: "n\(number % 2)", app: "a\(number % 3)"), in: space)
    }
    for size in [1, 7, 23, 500] {
      var paged = client
      paged.settings.pageSize = size
      let list = try await paged.list(Pod.self, Selection(namespace: space))
      #expect(list.items.count == 23 && list.setAside.isEmpty && !list.version.isEmpty)
    }
    let some = Selection(namespace: space, labels: "app=a1", fields: "spec.nodeName=n1")
    #expect(try await client.list(Pod.self, some).items.count == 4)
    var here = Selection.on(node: "n0")
    here.namespace = space
    let pods = try await client.list(Pod.self, here).items
    #expect(pods.count == 12 && pods.allSatisfy { $0.nodeName == "n0" && $0.grace == 7 })
  }

  @Test("a pod is deleted with its grace, and only if it is the one that is meant")
  func deletion() async throws {
    let client = try await ApiServer.running().admin()
    let space = try await space(client, "deletion")
    let pod = try await client.create(Pod.self, Body.pod("p", node: "far"), in: space)
    #expect(
      try await client.delete(Pod.self, "p", in: space, grace: 5, ifUID: "another") == .replaced)
    #expect(
      try await client.delete(Pod.self, "p", in: space, grace: 5, ifUID: pod.metadata.uid)
        == .accepted)
    let leaving = try await client.get(Pod.self, "p", in: space)
    #expect(leaving.isTerminating && leaving.metadata.deletionGrace == 5)
    #expect(try await client.delete(Pod.self, "p", in: space, grace: 0) == .accepted)
    #expect(try await client.find(Pod.self, "p", in: space) == nil)
  }

  @Test("evictions are accepted, refused by a budget or by two, and told when the pod is gone")
  func evictions() async throws {
    let client = try await ApiServer.running().admin()
    let space = try await space(client, "evictions")
    try await client.create(Pod.self, Body.pod("free", node: "far"), in: space)
    #expect(try await client.evict(pod: "free", in: space, grace: 3) == .accepted)
    #expect(try await client.get(Pod.self, "free", in: space).metadata.deletionGrace == 3)
    #expect(try await client.evict(pod: "none", in: space) == .gone)
    let held = try await client.create(
      Pod.self, Body.pod("held", node: "far", app: "held"), in: space)
    #expect(try await client.evict(pod: "held", in: space, ifUID: "another") == .replaced)
    // Budgets count pods that are ready.
    let running = JSONValue.fields([
      "status": .fields([
        "phase": .string("Running"),
        "conditions": .array([.fields(["type": .string("Ready"), "status": .string("True")])]),
      ])
    ])
    try await client.patch(Pod.self, "held", in: space, .strategic(running), part: "status")
    for (number, name) in ["one", "two"].enumerated() {
      let budget = JSONValue.fields([
        "metadata": .fields(["name": .string(name)]),
        "spec": .fields([
          "minAvailable": .number("1"),
          "selector": .fields(["matchLabels": .fields(["app": .string("held")])]),
        ]),
      ])
      let made = try await client.create(PodDisruptionBudget.self, budget, in: space)
      #expect(made.selector?.matches(held.metadata.labels) == true && made.minAvailable == "1")
      // In place of the controller, which is not there: it has counted, and none may go.
      let counted = JSONValue.fields([
        "status": .fields([
          "observedGeneration": .number("1"), "disruptionsAllowed": .number("0"),
          "currentHealthy": .number("1"), "desiredHealthy": .number("1"),
          "expectedPods": .number("1"),
        ])
      ])
      try await client.patch(
        PodDisruptionBudget.self, name, in: space, .merge(counted), part: "status")
      let outcome = try await client.evict(pod: "held", in: space)
      switch (number, outcome) {
      case (0, .blocked(let words, _)): #expect(words.contains("needs 1 healthy pods"), "\(words)")
      case (1, .severalBudgets): break
      default: Issue.record("with \(number + 1) budgets: \(outcome)")
      }
    }
  }

  @Test("a lease is taken, renewed and not taken from who renewed it meanwhile")
  func leases() async throws {
    let client = try await ApiServer.running().admin()
    let space = try await space(client, "leases")
    var lease = Lease(name: "leader", namespace: space, holder: "one", duration: 15)
    (lease.acquired, lease.renewed) = (.now, .now)
    let taken = try await client.write(lease)
    #expect(taken.holder == "one" && taken.renewed == lease.renewed && !taken.isFree(at: .now))
    let second = await failure { try await client.write(lease) }
    #expect(second?.exists == true)
    var renewal = taken
    renewal.renewed = .now
    #expect(try await client.write(renewal).renewed == renewal.renewed)
    var theft = taken
    theft.holder = "two"
    let stale = await failure { try await client.write(theft) }
    #expect(stale?.isConflict == true)
  }

  @Test("events are recorded about a node, and are found there")
  func events() async throws {
    let client = try await ApiServer.running().admin()
    let node = try await client.create(Node.self, Body.node("told"))
    try await client.record(
      Event(
        about: ObjectReference(node: node), reason: "Reclaimed", note: "reclaimed for job 123",
        action: "Drain", reporter: "liburna.io/bebida", instance: "server"))
    let found = try await client.list(Event.self, Selection(namespace: "default"))
    let event = try #require(
      found.items.first { $0.about.name == "told" && $0.reason == "Reclaimed" })
    #expect(event.note == "reclaimed for job 123" && event.reporter == "liburna.io/bebida")
    // As `kubectl describe node` looks for it.
    #expect(event.about.namespace.isEmpty && event.about.uid == "told")
    try await client.delete(Node.self, "told")
    let space = try await space(client, "events")
    let pod = try await client.create(Pod.self, Body.pod("p"), in: space)
    try await client.record(
      Event(
        about: ObjectReference(pod: pod), reason: "Evicted",
        note: String(repeating: "é", count: 2000),
        action: "Evict", isWarning: true, reporter: "liburna.io/bebida", instance: "server"))
    let there = try await client.list(Event.self, Selection(namespace: space)).items
    #expect(there.map(\.reason) == ["Evicted"] && there[0].isWarning)
    #expect(there[0].note.utf8.count == 1024 && there[0].about.uid == pod.metadata.uid)
  }

  @Test("what one may do is asked side by side, and what one may not is refused with a reason")
  func permissions() async throws {
    let server = try await ApiServer.running()
    let wanted = [
      Permission("list", "nodes"), Permission("patch", "nodes"), Permission("delete", "nodes"),
      Permission("create", "pods", part: "eviction"),
      Permission("update", "leases", group: "coordination.k8s.io", namespace: "liburna"),
    ]
    let many = wanted + (0..<30).map { Permission("get", "pods", namespace: "s\($0)") }
    #expect(try await server.admin().allowed(many).values.allSatisfy { $0 })
    let guest = try server.guest()
    #expect(try await guest.allowed(wanted).values.allSatisfy { !$0 })
    let error = await failure { _ = try await guest.list(Node.self) }
    #expect(error?.status?.isForbidden == true)
    #expect(error?.description.contains(#"User "guest" cannot list resource "nodes""#) == true)
  }

  @Test("who follows pods hears of every change, in order, over one connection with all else")
  func following() async throws {
    let client = try await ApiServer.running().admin()
    let space = try await space(client, "following")
    try await client.create(Pod.self, Body.pod("first"), in: space)
    var words: [String] = []
    changes: for await change in client.follow(Pod.self, Selection(namespace: space)) {
      switch change {
      case .added(let pod):
        words.append("+\(pod.name)")
        guard pod.name == "second" else { continue }
        try await client.patch(
          Pod.self, "second", in: space,
          .merge(.fields(["metadata": .fields(["labels": .fields(["app": .string("new")])])])))
      case .changed(let old, let new):
        // A deletion may begin with a change of its own.
        if new.isTerminating { continue }
        words.append(
          "\(new.name) \(old.metadata.labels["app"] ?? "") \(new.metadata.labels["app"] ?? "")")
        try await client.delete(Pod.self, "second", in: space, grace: 0)
      case .deleted(let pod):
        words.append("-\(pod.name)")
        break changes
      case .synchronized:
        words.append("synchronized")
        try await client.create(Pod.self, Body.pod("second"), in: space)
      case .interrupted(let error): Issue.record("\(error)")
      case .setAside(let aside): Issue.record("\(aside)")
      }
    }
    #expect(words == ["+first", "synchronized", "+second", "second test new", "-second"])
  }

  @Test("a watch from a state that the server has forgotten is refused as expired")
  func expired() async throws {
    let server = try await ApiServer.running()
    let client = try server.admin()
    let space = try await space(client, "expired")
    let lease = try await client.write(Lease(name: "a", namespace: space, holder: "x", duration: 1))
    var (later, holders) = (lease, ["y", "z"])
    while let holder = holders.popLast() {
      later.holder = holder
      later = try await client.write(later)
    }
    let forget = HTTPCall(
      method: "POST", url: "http://127.0.0.1:\(server.etcdPort)/v3/kv/compaction",
      headers: ["Content-Type: application/json"],
      body: Array(#"{"revision":"\#(later.metadata.version)","physical":true}"#.utf8),
      connectTimeout: 5, timeout: 30, deadAfter: 10, answerLimit: 10_000)
    #expect(try await client.transport.answer(forget).status == 200)
    var watch = try await Watch<Lease>(
      client, Selection(namespace: space), from: lease.metadata.version)
    var status: APIStatus?
    do {
      while status == nil, let event = try await watch.next() {
        if case .error(let said) = event { status = said }
      }
    } catch let error as KubernetesError {
      status = error.status
    }
    #expect(status?.isExpired == true)
  }

  @Test("certificates are checked both ways: a stranger's authority, no certificate, another name")
  func trust() async throws {
    let server = try await ApiServer.running()
    var access = ClusterAccess(server: server.url, source: "the test")
    access.authority = .bytes(try server.file("stranger.crt"))
    let untrusted = try KubernetesClient(access)
    let first = await failure { _ = try await untrusted.list(Node.self) }
    guard case .untrusted = first else {
      Issue.record("\(String(describing: first))")
      return
    }
    access.authority = .bytes(try server.file("ca.crt"))
    let nobody = try KubernetesClient(access)
    let second = await failure { _ = try await nobody.list(Node.self) }
    #expect(second?.status?.isForbidden == true)
    // The certificate names 127.0.0.1, localhost and kubernetes.
    access.token = .secret(Secret("admin-token"))
    access.serverName = "kubernetes"
    #expect(try await KubernetesClient(access).find(Node.self, "none") == nil)
    access.serverName = "elsewhere"
    let renamed = try KubernetesClient(access)
    let third = await failure { _ = try await renamed.list(Node.self) }
    guard case .untrusted = third else {
      Issue.record("\(String(describing: third))")
      return
    }
    access.isUnchecked = true
    access.authority = nil
    #expect(try await KubernetesClient(access).find(Node.self, "none") == nil)
  }

  @Test("a wrong token is 401, and an access as somebody else has the rights of that one")
  func identities() async throws {
    let server = try await ApiServer.running()
    var access = ClusterAccess(
      server: server.url, authority: try server.file("ca.crt"), token: Secret("wrong"),
      source: "the test")
    let wrong = try KubernetesClient(access)
    let refused = await failure { _ = try await wrong.list(Node.self) }
    #expect(refused?.status?.isUnauthorized == true)
    access.token = .secret(Secret("admin-token"))
    access.impersonation.user = "jane"
    let jane = try KubernetesClient(access)
    let forbidden = await failure { _ = try await jane.list(Node.self) }
    #expect(forbidden?.description.contains(#"User "jane""#) == true)
  }

  @Test("HTTP/2 is spoken, and many calls at once share a connection")
  func multiplexed() async throws {
    let client = try await ApiServer.running().admin()
    let request = Request("GET", "/api/v1/namespaces/default", .harmless)
    #expect(try await client.send(request).version == 20)
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<200 { group.addTask { try await client.send(request).version } }
      for try await version in group { #expect(version == 20) }
    }
  }
}
