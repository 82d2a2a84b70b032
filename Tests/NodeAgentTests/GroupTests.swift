// The cgroup back ends on the machine's own cgroups.

import CLinux
import Glibc
import Testing
import Wire

@testable import NodeAgent

/// The machine's mounts, and what of them a test needs.
private let mounts = MountedControlGroups.parse(Files.text("/proc/self/mountinfo") ?? "")
private let hasVersion1 = isRoot && mounts.version1["freezer"] != nil
private let hasVersion2 = isRoot && mounts.version2 != nil

@Suite("cgroups", .serialized)
struct GroupTests {
  private let root = "/liburna-test-groups-\(getpid())"

  /// Starts a process that sleeps in a cgroup.
  private func sleeper(_ groups: any ControlGroups, _ path: String) throws -> pid_t {
    var launch = Launch(program: "/bin/sleep", arguments: ["sleep", "1000"])
    launch.group = try groups.entry(path)
    let (pid, report) = try launch.start()
    defer { close(report) }
    let bytes = try Descriptors.read(report, upTo: 8, named: "the report")
    #expect(bytes == [], "\(LaunchReport(bytes)?.reason ?? "")")
    return pid
  }

  private func check(_ groups: any ControlGroups, _ confinement: Confinement) throws {
    let path = confinement.path
    #expect(!groups.exists(path))
    for _ in 0..<2 { try groups.create(confinement) }
    #expect(groups.exists(path))
    let sleeper = try sleeper(groups, path)
    #expect(groups.processes(path) == [sleeper])
    #expect(!groups.remove(path))
    try groups.setFrozen(path, true)
    // Frozen or not, and with a cgroup of its own making below: it goes.
    #expect(groups.destroy(path, patience: 30))
    var status: Int32 = 0
    #expect(waitpid(sleeper, &status, 0) == sleeper)
    #expect(status == SIGKILL)
    #expect(!groups.exists(path))
    #expect(groups.remove(path))
    #expect(groups.processes(path) == [])
  }

  private func removeRoot(_ points: [String]) {
    for point in points { _ = removeGroupTree(point + root) }
  }

  @Test("version 1 binds to CPUs, limits memory, freezes and kills", .enabled(if: hasVersion1))
  func version1() throws {
    defer { removeRoot(Array(mounts.version1.values)) }
    let groups = try #require(ControlGroupsV1(mounts: mounts.version1, root: root, usesCPUs: true))
    let confinement = Confinement(path: "oar/alice_1", cpus: [0], memoryLimit: 64 << 20)
    try groups.create(confinement)
    let read = { (controller: String, file: String) in
      Files.text("\(mounts.version1[controller] ?? "")\(root)/oar/alice_1/\(file)")
    }
    if mounts.version1["cpuset"] != nil {
      #expect(read("cpuset", "cpuset.cpus") == "0")
      #expect(read("cpuset", "cpuset.mems")?.isEmpty == false)
    }
    if mounts.version1["memory"] != nil {
      #expect(read("memory", "memory.limit_in_bytes") == "\(64 << 20)")
    }
    #expect(groups.remove("oar/alice_1"))
    try check(groups, confinement)
    // Without the directory above it, which somebody has removed.
    removeRoot(Array(mounts.version1.values))
    try check(groups, confinement)
  }

  @Test("a CPU that the host does not have is an error that names it", .enabled(if: hasVersion1))
  func missingCPU() throws {
    try #require(mounts.version1["cpuset"] != nil)
    defer { removeRoot(Array(mounts.version1.values)) }
    let groups = try #require(ControlGroupsV1(mounts: mounts.version1, root: root, usesCPUs: true))
    let error = #expect(throws: SystemError.self) {
      try groups.create(Confinement(path: "oar/alice_1", cpus: [0, 4000]))
    }
    #expect(error?.description.contains("\"0,4000\"") == true)
    #expect(groups.remove("oar/alice_1"))
  }

  @Test("version 2 freezes and kills", .enabled(if: hasVersion2))
  func version2() throws {
    let mount = try #require(mounts.version2)
    defer { removeRoot([mount]) }
    let groups = ControlGroupsV2(mount: mount, root: root, usesCPUs: true)
    let confinement = Confinement(path: "oar/alice_1", cpus: [0], memoryLimit: 64 << 20)
    try check(groups, confinement)
    removeRoot([mount])
    try check(groups, confinement)
    let directory = "\(mount)\(root)/oar"
    let given = (Files.text("\(directory)/cgroup.subtree_control") ?? "").split(separator: " ")
    // What the machine's version 2 does not offer is remarked once, however many jobs ask for it.
    #expect(groups.remarks.count == 2 - given.filter { $0 == "cpuset" || $0 == "memory" }.count)
  }

  @Test("a missing controller is remarked once, and the rest goes on", .enabled(if: hasVersion1))
  func missingController() throws {
    defer { removeRoot(Array(mounts.version1.values)) }
    let freezer = mounts.version1.filter { $0.key == "freezer" }
    let groups = try #require(ControlGroupsV1(mounts: freezer, root: root, usesCPUs: true))
    for job in 1...3 {
      try check(groups, Confinement(path: "oar/alice_\(job)", cpus: [0], memoryLimit: 1 << 30))
    }
    #expect(groups.remarks.count == 2)
  }
}
