// Lending a host to Kubernetes: what becomes of the processes of pods, and of jobs beside them. Pods are stood for
// by processes in cgroups named as the kubelet names them.

import CLinux
import Glibc
import Testing
import Wire

@testable import NodeAgent

@Suite("lending a host", .enabled(if: isRoot, "needs root"), .serialized)
struct LendingTests {
  private static let versions: [GroupVersion] = [.asMounted, .version2]
  private let keeping = PodKeeping(groups: ["kubepods", "kubepods.slice"])

  private func close(_ epoch: Int64, _ keeping: PodKeeping? = nil) -> AgentRequest {
    .lend(LendingOrder(epoch: epoch, opens: false, keeping: keeping ?? self.keeping))
  }

  private func open(_ epoch: Int64, _ keeping: PodKeeping? = nil) -> AgentRequest {
    .lend(LendingOrder(epoch: epoch, opens: true, keeping: keeping ?? self.keeping))
  }

  private func report(
    _ agent: AgentClient, _ isAwaited: @escaping (LendingReport) -> Bool = { _ in true }
  ) throws -> LendingReport {
    try agent.wait { if case .lending(let report) = $0, isAwaited(report) { report } else { nil } }
  }

  /// The cgroups of a host as the tests' pods see them.
  private func groups(_ host: TestHost) throws -> any ControlGroups {
    guard host.groupVersion == .version2 else { return host.groups }
    let mount = MountedControlGroups.parse(Files.text("/proc/self/mountinfo") ?? "").version2
    return ControlGroupsV2(mount: try #require(mount), root: host.groupRoot, usesCPUs: false)
  }

  /// Starts a container of a pod, which ignores SIGTERM. Its output ends with it.
  private func container(
    _ host: TestHost, _ pod: String = "pod1", of quality: String = "besteffort",
    script: String = "trap '' TERM; echo up; sleep 1000"
  ) throws -> (pid: pid_t, output: Int32) {
    let groups = try groups(host)
    let path = "kubepods/\(quality)/\(pod)/container"
    try groups.create(Confinement(path: path, cpus: []))
    var ends: [Int32] = [-1, -1]
    try #require(clinux_pipe(&ends, 0) == 0)
    defer { Glibc.close(ends[1]) }
    var launch = Launch(program: "/bin/sh", arguments: ["sh", "-c", script])
    launch.group = try groups.entry(path)
    launch.output = ends[1]
    let (pid, failure) = try launch.start()
    Glibc.close(failure)
    return (pid, ends[0])
  }

  private func running(_ host: TestHost, _ pod: String = "pod1") throws -> pid_t {
    let (pid, output) = try container(host, pod)
    let said = try Descriptors.read(output, upTo: 3, named: "a pod")
    #expect(said == Array("up\n".utf8), "\(said)")
    Glibc.close(output)
    return pid
  }

  /// A container that is started now never runs.
  private func expectNothing(
    _ host: TestHost, _ pod: String, of quality: String = "besteffort"
  ) throws {
    let (pid, output) = try container(host, pod, of: quality, script: "echo ran")
    #expect(endStatus(pid) == SIGKILL)
    #expect(try Descriptors.read(output, upTo: 4, named: "a pod").isEmpty)
    Glibc.close(output)
  }

  /// Makes a cgroup as a kubelet does it, some moments before its first process: returns once it is frozen.
  private func makeFrozen(_ host: TestHost, _ path: String) throws {
    let groups = try groups(host)
    try groups.create(Confinement(path: path, cpus: []))
    let files = groups.directories(path).flatMap { ["\($0)/freezer.state", "\($0)/cgroup.events"] }
    for _ in 0..<6000 {
      let states = files.compactMap { Files.text($0) }
      if states.contains(where: { $0.hasPrefix("FROZEN") || $0.contains("frozen 1") }) { return }
      usleep(10_000)
    }
    Issue.record("\(path) is not frozen")
  }

  private func endStatus(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    return status
  }

  @Test(
    "a host that is closed ends the processes of pods and proves that none is left",
    arguments: versions)
  func closing(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      let pods = [try running(host, "pod1"), try running(host, "pod2")]
      try agent.send(close(1))
      let proof = try report(agent)
      #expect(proof.isProvenClean && !proof.isOpen && proof.epoch == 1 && proof.killed >= 2)
      for pod in pods { #expect(endStatus(pod) == SIGKILL) }
    }
  }

  @Test("what is started among pods on a closed host never runs", arguments: versions)
  func frozen(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      _ = try running(host)
      try agent.send(close(1))
      _ = try report(agent)
      try expectNothing(host, "pod1")
    }
  }

  @Test("pods run again on a host that is opened", arguments: versions)
  func opening(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      _ = try running(host)
      try agent.send(close(1))
      _ = try report(agent)
      try agent.send(open(2))
      #expect(try report(agent).isOpen)
      // In a cgroup of its own, as every container has: some kernels take cgroup.kill for lasting.
      kill(try running(host, "pod2"), SIGKILL)
    }
  }

  @Test("an order of a lower epoch, or the other direction of the same, changes nothing")
  func lateOrders() throws {
    try withHost { host in
      let agent = try host.agent()
      try agent.send(close(3))
      let closed = try report(agent)
      for late in [open(2), open(3), close(1)] {
        try agent.send(late)
        #expect(try report(agent) == closed)
      }
    }
  }

  @Test(
    "a closed host is closed again by the next agent, whoever asks, and says so after its greeting")
  func anotherAgent() throws {
    try withHost { host in
      let first = try host.agent()
      let former = try running(host)
      try first.send(close(7))
      _ = try report(first) { $0.isProvenClean }
      #expect(endStatus(former) == SIGKILL)
      #expect(first.hangUp() == 0)
      // As after a reboot: the cgroups are as the kubelet makes them.
      try groups(host).setFrozen("kubepods", false)
      let pod = try running(host)
      let second = try host.agent()
      let proof = try report(second) { $0.isProvenClean }
      #expect(proof.epoch == 7 && !proof.isOpen)
      #expect(endStatus(pod) == SIGKILL)
    }
  }

  @Test("no job starts on a host that is lent; it starts on one that is closed and clean")
  func jobs() throws {
    try withHost { host in
      let agent = try host.agent()
      try agent.send(open(1))
      #expect(try report(agent).isOpen)
      try agent.send(.start(host.specification(1, "true")))
      guard case .failed(.host, let text) = try agent.final(of: 1) else {
        Issue.record("the job started")
        return
      }
      #expect(text == "no job may start here: it is lent to Kubernetes")
      try agent.send(.prepare(2, user: TestHost.user, host.confinement(2), nil))
      let refusal = try agent.wait {
        if case .prepareFailed(2, let text) = $0 { text } else { nil }
      }
      #expect(refusal == text)
      try agent.send(close(2))
      #expect(try report(agent).isProvenClean)
      try agent.send(.start(host.specification(3, "true")))
      #expect(try agent.end(of: 3).status == 0)
    }
  }

  @Test("pods that may stay go on, those beside them end", arguments: versions)
  func spared(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      let (one, two) = (try running(host, "pod1-a"), try running(host, "pod2"))
      try agent.send(close(1, PodKeeping(groups: ["kubepods"], spared: ["1-a"])))
      #expect(try report(agent).isProvenClean)
      #expect(endStatus(two) == SIGKILL)
      #expect(isAlive(Int(one)))
      kill(one, SIGKILL)
    }
  }

  @Test(
    "beside pods that may stay, a pod that comes to be on a closed host never runs",
    arguments: versions)
  func newcomers(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      let stays = try running(host, "pod1-a")
      try agent.send(close(1, PodKeeping(groups: ["kubepods"], spared: ["1-a"])))
      #expect(try report(agent).isProvenClean)
      for (number, quality) in ["besteffort", "burstable", "besteffort"].enumerated() {
        try makeFrozen(host, "kubepods/\(quality)/pod\(number)")
        try expectNothing(host, "pod\(number)", of: quality)
        #expect(try report(agent) { $0.killed > number }.isProvenClean)
      }
      #expect(isAlive(Int(stays)))
      kill(stays, SIGKILL)
    }
  }

  @Test(
    "a pod that may stay and is made anew on a closed host runs once the host is told of it",
    arguments: versions)
  func amended(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      let stays = try running(host, "pod1-a")
      try agent.send(close(1, PodKeeping(groups: ["kubepods"], spared: ["1-a"])))
      #expect(try report(agent).isProvenClean)
      let groups = try groups(host)
      try groups.create(Confinement(path: "kubepods/besteffort/pod1-b", cpus: []))
      try agent.send(close(1, PodKeeping(groups: ["kubepods"], spared: ["1-b"])))
      // The host stays clean, the other one goes.
      #expect(try report(agent).isProvenClean)
      #expect(endStatus(stays) == SIGKILL)
      let (new, output) = try container(host, "pod1-b", script: "echo ran")
      #expect(try Descriptors.read(output, upTo: 4, named: "a pod") == Array("ran\n".utf8))
      Glibc.close(output)
      #expect(endStatus(new) == 0)
    }
  }

  @Test(
    "a kubelet whose cgroups come to be on a closed host runs nothing there", arguments: versions)
  func firstPods(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      let groups = try groups(host)
      // The root of the hierarchy is always there, that of a test is not.
      try groups.create(Confinement(path: "other", cpus: []))
      try agent.send(close(1))
      #expect(try report(agent).isProvenClean)
      try makeFrozen(host, "kubepods")
      try expectNothing(host, "pod1")
    }
  }

  @Test(
    "after pods that might stay, pods of all qualities run again on a host that is opened",
    arguments: versions)
  func openingBesideSpared(version: GroupVersion) throws {
    try withHost(version) { host in
      let agent = try host.agent()
      let stays = try running(host, "pod1-a")
      let (other, output) = try container(host, "pod2", of: "burstable")
      #expect(try Descriptors.read(output, upTo: 3, named: "a pod") == Array("up\n".utf8))
      Glibc.close(output)
      try agent.send(close(1, PodKeeping(groups: ["kubepods"], spared: ["1-a"])))
      #expect(try report(agent).isProvenClean)
      #expect(endStatus(other) == SIGKILL)
      // The order that opens names no pods.
      try agent.send(open(2, PodKeeping(groups: ["kubepods"])))
      #expect(try report(agent) { $0.epoch == 2 }.isOpen)
      let (new, said) = try container(host, "pod3", of: "burstable", script: "echo ran")
      #expect(try Descriptors.read(said, upTo: 4, named: "a pod") == Array("ran\n".utf8))
      Glibc.close(said)
      #expect(endStatus(new) == 0)
      kill(stays, SIGKILL)
    }
  }

  @Test("the kubelet is stopped before pods are ended, and started at the end")
  func kubelet() throws {
    try withHost { host in
      let agent = try host.agent()
      let keeping = PodKeeping(
        groups: ["kubepods"], stop: ["mkdir", "\(host.root)/stopped"],
        start: ["rmdir", "\(host.root)/stopped"])
      try agent.send(close(1, keeping))
      #expect(try report(agent).isProvenClean)
      #expect(access("\(host.root)/stopped", F_OK) == 0)
      try agent.send(open(2, keeping))
      #expect(try report(agent).isOpen)
      #expect(access("\(host.root)/stopped", F_OK) != 0)
    }
  }

  @Test(
    "a kubelet that can't be stopped leaves the host unproven, with the reason; said again, it is tried again"
  )
  func stubbornKubelet() throws {
    try withHost { host in
      let agent = try host.agent()
      let keeping = PodKeeping(groups: ["kubepods"], stop: ["rmdir", "\(host.root)/kubelet"])
      try agent.send(close(1, keeping))
      let report = try report(agent)
      #expect(!report.isProvenClean)
      #expect(report.problem == "rmdir \(host.root)/kubelet ended with exit code 1")
      try Files.makeDirectories("\(host.root)/kubelet", mode: 0o755)
      try agent.send(close(1, keeping))
      #expect(try self.report(agent) { $0.isProvenClean }.problem.isEmpty)
    }
  }

  @Test("a record that can't be read ends the agent with its name")
  func brokenRecord() throws {
    try withHost { host in
      try Files.makeDirectories(host.state, mode: 0o755)
      try Files.create("\(host.state)/lending", Array("nonsense".utf8), owner: 0)
      let agent = try host.startAgent()
      #expect(agent.awaitExit() == 1 << 8)
      #expect(try agent.errorText().contains("\(host.state)/lending can't be read"))
    }
  }
}
