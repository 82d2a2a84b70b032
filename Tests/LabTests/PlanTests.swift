// The parts of a lab that only compute: what is found on a machine, and what is planned from it.

import Compositions
import Glibc
import Testing

@testable import Lab

@Suite("finding the machine's cgroups")
struct CgroupDetectionTests {
  private static func mounts(_ text: String) -> [MountEntry] { MountEntry.parse(text) }

  private static let hybrid = """
    24 20 0:21 / /sys/fs/cgroup rw - tmpfs tmpfs rw
    25 24 0:22 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
    26 24 0:23 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
    27 24 0:24 /outer /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
    28 24 0:25 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
    29 24 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
    """

  @Test("a hybrid machine gives every wanted v1 hierarchy and v2, below our own groups")
  func hybrid() throws {
    let own = Cgroups.ownGroups("4:memory:/outer/mine\n3:cpuset:/\n1:cpu,cpuacct:/a:b\n0::/user\n")
    let found = Cgroups.detect(
      group: "g", mounts: Self.mounts(Self.hybrid), own: own, systemd: true)
    #expect(
      found.hierarchies.map(\.directory) == [
        "/sys/fs/cgroup/cpu,cpuacct/a:b/g", "/sys/fs/cgroup/cpuset/g",
        "/sys/fs/cgroup/memory/mine/g",
        "/sys/fs/cgroup/unified/user/g",
      ])
    #expect(found.hierarchies.map(\.options) == ["cpu,cpuacct", "cpuset", "memory", ""])
    #expect(found.isScope == false)
  }

  @Test("on pure v2 with systemd the lab is a scope that systemd delegates")
  func scope() throws {
    let found = Cgroups.detect(
      group: "g", mounts: Self.mounts("24 20 0:21 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"),
      own: ["": "/user.slice/session-1.scope"], systemd: true)
    #expect(found.hierarchies.map(\.directory) == ["/sys/fs/cgroup/system.slice/g.scope"])
    #expect(found.isScope)
  }

  @Test("on pure v2 without systemd the lab is made at the root")
  func root() throws {
    let found = Cgroups.detect(
      group: "g", mounts: Self.mounts("24 20 0:21 / /no-cgroups-here rw - cgroup2 cgroup2 rw"),
      own: ["": "/a/b"], systemd: false)
    #expect(found.hierarchies.map(\.directory) == ["/no-cgroups-here/g"])
    #expect(found.isScope == false)
  }

  @Test("mounts with blanks in their names are read, and lines of another form left out")
  func mountEntries() {
    let entries = MountEntry.parse(
      """
      36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue
      nonsense
      36 35 98:0 / / rw - ext4
      """)
    #expect(
      entries == [
        MountEntry(root: "/mnt1", point: "/mnt 2", type: "ext3", options: "rw,errors=continue")
      ])
  }
}

@Suite("planning hosts")
struct PlanTests {
  private static let passwd = """
    root:x:0:0:root:/root:/bin/sh
    munge:x:102:105::/nonexistent:/usr/sbin/nologin
    somebody:x:1101:1101::/home/somebody:/bin/sh
    oar:x:999:998::/opt/oar:/bin/false
    """
  private static let group = "root:x:0:\nstaff:x:50:user2\nuser1:x:77:\nsomebody:x:1101:\n"

  @Test("accounts get free numbers, keep those they have, and leave the machine's people in place")
  func accounts() throws {
    var accounts = Accounts(passwd: Self.passwd, group: Self.group)
    let first = accounts.add("user1", home: "/home/user1")
    let second = accounts.add("user2", home: "/home/user2")
    let service = accounts.add("oar", home: "/var/lib/oar")
    #expect((first.uid, first.gid) == (1102, 1102))
    #expect((second.uid, second.gid) == (1103, 1103))
    #expect((service.uid, service.gid) == (999, 998))
    #expect(accounts["oar"]?.home == "/var/lib/oar")
    #expect(accounts["somebody"]?.uid == 1101)
    #expect(accounts.groups(of: second) == [1103, 50])
    #expect(accounts.groupText.contains("user1:x:1102:"))
    #expect(accounts.shadowText.contains("somebody:*:"))
  }

  @Test("a root file system without MUNGE is refused by the package's name")
  func noMunge() {
    let root = Accounts(passwd: "root:x:0:0:root:/root:/bin/sh", group: "root:x:0:")
    let keys = Keys(
      host: Keys.Pair(secret: "", open: ""), control: Keys.Pair(secret: "", open: ""),
      user: Keys.Pair(secret: "", open: ""), munge: "")
    let error = #expect(throws: LabError.self) {
      try BaseSystem(LabSettings(.plain(nodes: 1)), lab: "x", keys: keys, accounts: root)
    }
    #expect(error?.message.contains("package munge") == true)
  }

  @Test("every host has an address of its own, and none ends with 0 or 255")
  func addresses() {
    let all = (1...HostAddress.limit).map { HostAddress(index: $0) }
    #expect(Set(all.map(\.description)).count == all.count)
    #expect(all.allSatisfy { (1...254).contains($0.bytes[3]) })
    #expect(all[0].description == "10.77.0.1")
    #expect(all[254].description == "10.77.1.1")
    #expect(!all.contains(.ofSwitch))
  }

  @Test("a plan is read back as it was written, and a damaged one is refused by its name")
  func plans() throws {
    let path = "/tmp/liburna-lab-tests-\(getpid())-plan"
    defer { unlink(path) }
    var plan = HostPlan(name: "node1", index: 3, layers: ["/usr"])
    plan.disk = [.file("/etc/x", "text\n", mode: 0o600), .link("/a", to: "/b"), .directory("/d")]
    plan.volumes = [Volume(source: "/s", target: "/t", mode: .ro)]
    plan.services = [
      PlannedService(
        name: "s", arguments: ["/bin/s", ""], account: .root, readiness: .port(22), isKept: true)
    ]
    try Kept.write(plan, to: path)
    #expect(try Kept.read(HostPlan.self, from: path) == plan)
    let bytes = try Files.read(path)
    for length in [0, 1, bytes.count / 2, bytes.count - 1] {
      try Files.write(Array(bytes.prefix(length)), to: path)
      let error = #expect(throws: LabError.self) { try Kept.read(HostPlan.self, from: path) }
      #expect(error?.message.contains(path) == true)
    }
  }

  @Test("software on other disks of the machine gets layers of its own, outermost first")
  func layers() {
    let mounts = ["/usr/local", "/usr", "/var/lib", "/home", "/proc", "/usr/a/b/c"].map {
      MountEntry(root: "/", point: $0, type: $0 == "/proc" ? "proc" : "ext4", options: "rw")
    }
    #expect(Mounts.layers(mounts) == ["/usr", "/usr/local", "/var/lib"])
  }

  @Test("reports between a host and the tool are read as they were said")
  func reports() {
    for report in [BootReport.ready, .failed("no room left"), .ended("sshd", 255)] {
      #expect(BootReport(line: Substring(report.line)) == report)
    }
    #expect(BootReport(line: "ended sshd") == nil)
    #expect(BootReport(line: "") == nil)
  }
}
