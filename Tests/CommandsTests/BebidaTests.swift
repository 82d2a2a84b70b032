// bebida: what it asks, and how it tells who has a node.

import ClusterModel
import Testing
import Wire

@testable import AdminCommands
@testable import CommandLine

@Suite("bebida tells who has which node, and why")
struct BebidaCommandTests {
  private let status = LendingStatus(
    server: "https://k8s:6443", isFollowed: true,
    hosts: [
      LentHostStatus(
        host: "node1", node: "node1", phase: "KUBE", reason: "no job needs it", epoch: 4, age: 300,
        jobs: [], nextStart: 65.5, wish: nil, agent: LendingReport(epoch: 4), pods: [:]),
      LentHostStatus(
        host: "node2", node: nil, phase: "DRAINING", reason: "job 12 holds it", epoch: 5, age: 2.9,
        jobs: ["12", "13"], nextStart: nil, wish: .reclaim, agent: nil,
        pods: ["default/web-1": "needs 1 healthy pod", "default/web-2": ""]),
    ], counts: ["lent_total": 7, "nodes{phase=\"KUBE\"}": 1])

  private func call(_ words: [String], _ reply: ServerReply? = nil) -> Call {
    recordedCall(Bebida.self, words) { _ in [reply ?? .lending(status)] }
  }

  @Test("the status is a line a host")
  func table() {
    let call = call([])
    #expect(
      call.output == """
        Kubernetes at https://k8s:6443 is followed
        HOST   PHASE     SINCE  NEXT JOB  WHY
        node1  KUBE      5 min  in 65 s   no job needs it
        node2  DRAINING  2 s    now       job 12 holds it

        """)
    #expect(call.exitCode == 0)
  }

  @Test("what came of it so far is a line below")
  func summary() {
    var status = status
    status.counts = [
      "harvest_ratio": 0.973, "effectiveness_ratio": 0.9, "start_delay_seconds_count": 4,
      "start_delay_seconds_sum": 1, "start_delay_seconds_max": 0.5,
    ]
    #expect(
      call([], .lending(status)).output.hasSuffix(
        """
        lent 97 % of the idle time; 10 % of pods' time lost to jobs; jobs waited 250 ms for a node in the mean, \
        500 ms at most

        """))
  }

  @Test("explain says who holds a node, how it is itself, and what keeps its pods")
  func explain() {
    #expect(
      call(["explain", "node2"]).output.hasSuffix(
        """
        node2 is DRAINING since 2 s: job 12 holds it
          in Kubernetes: there is no node of this name, epoch 5
          an administrator said: reclaim
          jobs that hold it: 12, 13
          the host itself: its agent can't be reached
          pod default/web-1: needs 1 healthy pod
          pod default/web-2

        """))
  }

  @Test("figures are as Prometheus reads them")
  func metrics() {
    #expect(
      call(["status", "--metrics"]).output == """
        bebida_lent_total 7.0
        bebida_nodes{phase="KUBE"} 1.0

        """)
  }

  @Test("a word about hosts is asked for", arguments: ["lend", "reclaim", "pause", "plan"])
  func wishes(word: String) {
    let call = call([word, "node1", "node2"], .done)
    #expect(call.exitCode == 0 && call.output.isEmpty)
    guard case .lending(.wish(let wish, let hosts))? = call.requests.first else {
      Issue.record("it asked \(call.requests)")
      return
    }
    #expect(wish?.rawValue ?? "plan" == word && hosts == ["node1", "node2"])
  }

  @Test("check tells what it found, and ends with 1 if something is bad")
  func check() {
    let findings = [
      LendingFinding(.good, "it answers"), LendingFinding(.doubtful, "too much"),
      LendingFinding(.bad, "we may not list pods there"),
    ]
    let found = call(["check"], .lendingFindings(findings))
    #expect(
      found.output == """
        good     it answers
        doubtful too much
        BAD      we may not list pods there

        """)
    #expect(found.exitCode == 1)
    #expect(call(["check"], .lendingFindings(Array(findings.prefix(2)))).exitCode == 0)
  }

  @Test("a node that is a fault ends it with 1")
  func fault() {
    var broken = status
    broken.hosts[0].phase = "FAULT"
    #expect(call(["status"], .lending(broken)).exitCode == 1)
  }

  @Test(
    "what it does not know, or misses, is said",
    arguments: [
      (["give", "node1"], "none of status, explain, check, lend, reclaim, pause, plan"),
      (["hook"], "hook is followed by prolog or epilog"), (["lend"], "name the hosts"),
      (["explain"], "name the hosts"),
    ])
  func wrong(words: [String], said: String) {
    let call = call(words)
    #expect(call.exitCode == 1 && call.errors.contains(said), "\(call.errors)")
    #expect(call.requests.isEmpty)
  }

  @Test(
    "install and uninstall refuse words that don't fit, each with what is wrong",
    arguments: [
      (["install", "node1"], "install takes no words"), (["install", "--force"], "--force goes"),
      (["install", "--batch", "pbs"], "\"pbs\" is none of slurm, oar, liburna"),
      (["install", "--namespace", "Bebida"], "\"Bebida\" is no name of a namespace"),
      (["install", "--namespace=-a"], "\"-a\" is no name of a namespace"),
      (["uninstall", "--output", "kubeconfig"], "\"kubeconfig\" is no absolute path"),
      (["install", "--kubeconfig", ""], "--kubeconfig is empty"),
      (["status", "--dry-run"], "--dry-run goes with install and uninstall alone"),
      (["lend", "node1", "--output", "/a"], "--output goes with install and uninstall alone"),
    ])
  func wrongInstall(words: [String], said: String) {
    let call = call(words)
    #expect(call.exitCode == 1 && call.errors.contains(said), "\(call.errors)")
    #expect(call.requests.isEmpty)
  }

  @Test("uninstall refuses while a lender answers, also one that only starts")
  func lenderAnswers() {
    for reply in [ServerReply.lending(status), .refused(Refusal(.unavailable, "it only starts"))] {
      let call = call(["uninstall"], reply)
      #expect(call.exitCode == 1 && call.errors.contains("the lender answers"), "\(call.errors)")
    }
  }

  private func site(
    _ typed: [String], _ connect: @escaping @Sendable (String) throws -> any ServerLink
  ) throws -> BebidaSite {
    let context = CommandContext(
      words: ["bebida"] + typed, output: TextStream(), errors: TextStream(), input: -1,
      variable: { _ in nil }, connect: connect)
    return BebidaSite(
      word: typed[0], arguments: try Bebida.definition.parse(typed), context: context)
  }

  @Test("a server that does not lend, and none at all, are no lenders")
  func noLender() throws {
    try site(["uninstall"]) { _ in throw ServerUnreachable(reason: "none") }.refuseWhileLending()
    try site(["uninstall"]) { _ in
      RecordedServer { _ in [.refused(Refusal(.disabled, "nothing is lent"))] }
    }.refuseWhileLending()
  }

  @Test("install hands on what it was told, and nothing else")
  func words() throws {
    let typed = [
      "install", "--dry-run", "--namespace", "lending", "--batch=oar", "--context", "a=b",
    ]
    let site = try site(typed) { _ in throw ServerUnreachable(reason: "none") }
    #expect(
      try site.words() == [
        "--site", "install", "dry-run", "context=a=b", "namespace=lending", "batch=oar",
      ])
  }
}
