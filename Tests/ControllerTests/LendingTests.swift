// Lending to Kubernetes from the server's side: what jobs wait for, with played hosts and a Kubernetes that nobody
// reaches, as jobs must not depend on it.

import ClusterModel
import Glibc
import Testing
import Wire

@testable import Controller

@Suite("Hosts that are lent") struct ServerLendingTests {
  private func stage(_ more: String = "") async throws -> (Stage, folder: String) {
    let folder = try SiteProgram.makeFolder()
    let file = try #require(fopen("\(folder)/kubeconfig", "we"))
    fputs(
      """
      clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
      users: [{name: u, user: {token: t}}]
      contexts: [{name: x, context: {cluster: c, user: u}}]
      current-context: x
      """, file)
    fclose(file)
    let stage = try await Stage(
      configuration: """
        SCHEDULER_JOB_SECURITY_TIME=0
        BEBIDA_KUBECONFIG=\(folder)/kubeconfig
        BEBIDA_INTENTS=\(folder)/intents
        BEBIDA_GRACE=0
        \(more)
        """)
    for host in ["node1", "node2"] { await stage.connect(host) }
    return (stage, folder)
  }

  private func submit(to stage: Stage) async throws {
    try await stage.act { controller in
      var outcome = Outcome()
      _ = try controller.state.submit(
        submission("/host=1"), by: alice, settings: controller.settings, at: time(nil), &outcome)
      controller.commit(outcome)
    }
  }

  /// Waits until a host was asked something, and gives all that was asked until then.
  private func asked(
    _ stage: Stage, _ isIt: (String) -> Bool
  ) async throws -> (word: String, before: [String]) {
    var all: [String] = []
    for _ in 0..<3000 {
      for word in await stage.said() {
        if isIt(word) { return (word, all) }
        all.append(word)
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw Refusal(.unavailable, "hosts were asked nothing but \(all)")
  }

  private func epoch(_ word: String) throws -> Int64 {
    try #require(word.split(separator: " ").dropFirst(2).first.flatMap { Int64($0) })
  }

  @Test("a job starts once its host has proved that no process of a pod is left, and not before")
  func proof() async throws {
    let (stage, folder) = try await stage()
    let opening = try await asked(stage) { $0.hasPrefix("node1: lend ") && $0.hasSuffix("open") }
    await stage.report(
      .lending(LendingReport(epoch: try epoch(opening.word), isOpen: true)), from: "node1")
    try await submit(to: stage)
    let closing = try await asked(stage) { $0.hasPrefix("node1: lend ") && $0.hasSuffix("closed") }
    #expect(!closing.before.contains { $0.contains("start") })
    #expect(await stage.state(of: 1) == .launching)
    // Told that it is closed, but not that it is clean.
    let report = LendingReport(epoch: try epoch(closing.word), isOpen: false)
    await stage.report(.lending(report), from: "node1")
    #expect(await !stage.said().contains { $0.contains("start") })
    let waiting = try await stage.act { controller in
      var explanation = try controller.state.explain(
        1, settings: controller.settings, at: time(nil))
      controller.addLending(to: &explanation)
      return (explanation, controller.withLending(try controller.state.records(of: .init())))
    }
    #expect(waiting.0.kind == "lending" && waiting.0.text.contains("node1 is FENCING, job 1 "))
    #expect(waiting.1.first?.lending?.hasPrefix("FENCING, job 1 holds it") == true)
    var clean = report
    clean.isProvenClean = true
    await stage.report(.lending(clean), from: "node1")
    #expect(try await asked(stage) { $0.hasPrefix("node1: start") }.word == "node1: start 1.1")
    await stage.end()
    SiteProgram.remove(folder)
  }

  @Test("a host that can't be proved clean is suspected alone, and its job is submitted again")
  func fault() async throws {
    let (stage, folder) = try await stage("BEBIDA_PATIENCE=1")
    try await submit(to: stage)
    for _ in 0..<3000 where await stage.submitted()[2] == nil {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(await stage.submitted()[2] == 1)
    let suspected = await stage.act { controller in
      Set(controller.state.resources.values.filter { $0.state == .suspected }.map(\.networkAddress))
    }
    #expect(suspected == ["node1"])
    await stage.end()
    SiteProgram.remove(folder)
  }

  @Test("a property that is none of the cluster's is named when the server starts")
  func property() async throws {
    let error = await #expect(throws: ConfigurationError.self) {
      _ = try await stage("BEBIDA_PROPERTY=\"lent = 'YES'\"")
    }
    #expect(error?.description.contains("BEBIDA_PROPERTY=\"lent = 'YES'\"") == true)
  }
}
