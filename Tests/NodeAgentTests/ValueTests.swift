// The agent's values: clocks, windows, files and lists, without any process.

import ClusterModel
import Testing
import Wire

@testable import NodeAgent

@Suite("the shepherd's clock")
struct ShepherdClockTests {
  @Test("walltime asks first and kills after the grace, again and again")
  func walltime() {
    var clock = ShepherdClock(walltime: 10, checkpoint: 0, now: 1000)
    #expect(clock.nextDeadline == 11_000)
    #expect(clock.due(now: 10_999) == [])
    #expect(clock.due(now: 11_000) == [.terminate])
    #expect(clock.cause == .walltime)
    let grace = ShepherdClock.walltimeGrace * 1000
    #expect(clock.nextDeadline == 11_000 + grace)
    #expect(clock.due(now: 11_000 + grace) == [.kill])
    #expect(clock.nextDeadline == 11_000 + grace + ShepherdClock.killInterval)
  }

  @Test("the checkpoint comes once, before the walltime, and never when it would be at the start")
  func checkpoint() {
    var clock = ShepherdClock(walltime: 10, checkpoint: 4, now: 0)
    #expect(clock.nextDeadline == 6000)
    #expect(clock.due(now: 6000) == [.checkpoint])
    #expect(clock.due(now: 7000) == [])
    #expect(ShepherdClock(walltime: 10, checkpoint: 10, now: 0).nextDeadline == 10_000)
  }

  @Test("a new walltime counts from the start as the first did, and the checkpoint moves with it")
  func anotherWalltime() {
    var clock = ShepherdClock(walltime: 10, checkpoint: 4, now: 1000)
    clock.change(walltime: 20, now: 2000)
    clock.change(walltime: 20, now: 3000)
    #expect(clock.nextDeadline == 17_000)
    #expect(clock.due(now: 17_000) == [.checkpoint])
    #expect(clock.nextDeadline == 21_000)
    clock.change(walltime: 30, now: 18_000)
    #expect(clock.nextDeadline == 27_000)
    clock.suspend(now: 20_000)
    clock.change(walltime: 31, now: 50_000)
    clock.resume(now: 50_000)
    #expect(clock.nextDeadline == 58_000)
    clock.change(walltime: 1, now: 51_000)
    #expect(clock.due(now: 51_000).contains(.terminate) && clock.cause == .walltime)
    clock.change(walltime: 100, now: 51_000)
    #expect(clock.nextDeadline == 56_000)
  }

  @Test("suspended time does not count, however often it is said")
  func suspension() {
    var clock = ShepherdClock(walltime: 10, checkpoint: 4, now: 0)
    clock.suspend(now: 1000)
    clock.suspend(now: 5000)
    #expect(clock.nextDeadline == nil)
    #expect(clock.due(now: 60_000) == [])
    clock.resume(now: 61_000)
    clock.resume(now: 99_000)
    #expect(clock.nextDeadline == 66_000)
    #expect(clock.due(now: 66_000) == [.checkpoint])
    #expect(clock.due(now: 70_000) == [.terminate])
  }

  @Test("a second request to end can shorten the grace, not lengthen it, and keeps the cause")
  func grace() {
    var clock = ShepherdClock(walltime: 10, checkpoint: 0, now: 0)
    #expect(clock.end(.killed, grace: 100, now: 0) == .terminate)
    #expect(clock.end(.walltime, grace: 200, now: 0) == nil)
    #expect(clock.nextDeadline == 100_000)
    #expect(clock.end(.killed, grace: 0, now: 500) == nil)
    #expect(clock.due(now: 500) == [.kill])
    #expect(clock.cause == .killed)
  }

  @Test("a job that is being ended can't be suspended any more")
  func endSuspended() {
    var clock = ShepherdClock(walltime: 10, checkpoint: 0, now: 0)
    clock.suspend(now: 1000)
    #expect(clock.end(.killed, grace: 1, now: 2000) == .terminate)
    clock.suspend(now: 2500)
    #expect(clock.due(now: 3000) == [.kill])
  }
}

@Suite("the agent's values")
struct ValueTests {
  @Test("a window lets pass what was granted and holds the rest in order")
  func window() {
    var window = OutputWindow()
    let bytes = [UInt8](repeating: 7, count: channelWindow - 1)
    #expect(window.add(bytes).map(\.bytes.count) == [channelWindow - 1])
    #expect(window.add([1, 2, 3], of: .standardError).map(\.data) == [[2, 1]])
    #expect(window.isBlocked)
    #expect(window.add([4], of: .standardOutput) == [])
    #expect(window.grant(2).map(\.data) == [[2, 2, 3]])
    #expect(window.isBlocked)
    #expect(window.grant(5).map(\.data) == [[1, 4]])
    #expect(!window.isBlocked)
  }

  @Test("a record that was not written to its end is none")
  func record() {
    let path = "oar/" + String(repeating: "x", count: 1020)
    let record = AttemptRecord(since: 1_795_178_509, groupPath: path, isInteractive: true)
    #expect(isGroupPath(path))
    #expect(AttemptRecord(record.bytes) == record)
    for count in 0..<record.bytes.count {
      #expect(AttemptRecord(Array(record.bytes.prefix(count))) == nil)
    }
    #expect(AttemptRecord([UInt8](repeating: 0, count: AttemptRecord.size)) == nil)
  }

  @Test("a status survives the disk, and a torn one is none")
  func status() throws {
    let statuses: [AttemptStatus] = [
      .ended(status: 768, cause: .walltime, at: 1_795_178_509),
      .failed(.directory, "cannot enter the directory /a b as alice: Permission denied"),
    ]
    for status in statuses {
      var bytes = [UInt8](repeating: 0, count: AttemptRecord.size)
      #expect(AttemptStatus(record: bytes) == nil)
      for (index, byte) in status.recordBytes.enumerated() {
        #expect(AttemptStatus(record: bytes) == nil)
        bytes[AttemptRecord.endOffset + index] = byte
      }
      let read = try #require(AttemptStatus(record: bytes))
      #expect("\(read)" == "\(status)")
    }
  }

  @Test("a text that is too long for the record is cut, and stays on one line")
  func longStatus() throws {
    let status = AttemptStatus.failed(.outputFile, "a\nb" + String(repeating: "y", count: 5000))
    #expect(status.recordBytes.count == AttemptRecord.size - AttemptRecord.endOffset)
    let bytes = [UInt8](repeating: 0, count: AttemptRecord.endOffset) + status.recordBytes
    guard case .failed(.outputFile, let text) = AttemptStatus(record: bytes) else {
      Issue.record("it should be read")
      return
    }
    #expect(text.hasPrefix("a by"))
  }

  @Test("files are attempts only by their exact names")
  func fileNames() {
    #expect(AttemptID(fileName: "12.3") == AttemptID(job: 12, number: 3))
    for name in ["12", "12.", ".3", "012.3", "+12.3", "12.3.4", "12.3.new", "a.b"] {
      #expect(AttemptID(fileName: name) == nil)
    }
  }

  @Test("CPU numbers are written as the kernel's lists")
  func cpuLists() {
    #expect(cpuList([0]) == "0")
    #expect(cpuList([3, 1, 2, 2, 8, 10, 11]) == "1-3,8,10-11")
  }

  @Test("only relative paths of ordinary names below a parent can be a job's cgroup")
  func groupPaths() {
    #expect(isGroupPath("oar/alice_12"))
    for path in ["", "oar", "/oar/x", "oar//x", "oar/../x", "oar/.", "oar/a\nb", "oar/x/"] {
      #expect(!isGroupPath(path))
    }
  }

  @Test("cgroups are found in the mount table: version 1 where it has controllers, else version 2")
  func mountTable() {
    let hybrid = """
      30 23 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755
      31 30 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw,nsdelegate
      35 30 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:15 - cgroup cgroup rw,cpu,cpuacct
      36 30 0:32 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
      """
    let parsed = MountedControlGroups.parse(hybrid)
    #expect(parsed.version2 == "/sys/fs/cgroup/unified")
    #expect(parsed.version1["freezer"] == "/sys/fs/cgroup/freezer")
    #expect(parsed.version1["cpuacct"] == "/sys/fs/cgroup/cpu,cpuacct")
    let find = { MountedControlGroups.find(root: "", usesCPUs: true, mountTable: $0) }
    #expect(find(hybrid) is ControlGroupsV1)
    #expect(find("30 23 0:26 / /cg rw - cgroup2 cgroup2 rw") is ControlGroupsV2)
    #expect(find("36 30 0:32 / /x rw - cgroup cgroup rw,name=systemd") is NoControlGroups)
    #expect(find("") is NoControlGroups)
  }

  @Test("an account must be the one that was asked for")
  func accounts() throws {
    let line = "alice:x:1001:1002:Alice:/home/alice:\n"
    let account = try #require(Account(name: "alice", passwd: line, groups: "1002 27\n"))
    #expect(account.uid == 1001 && account.gid == 1002 && account.groups == [1002, 27])
    #expect(account.shell == "/bin/sh")
    #expect(Account(name: "1001", passwd: line, groups: "1002") == nil)
    #expect(Account(name: "alice", passwd: "alice:x:1001", groups: "1002") == nil)
    #expect(Account(name: "alice", passwd: line, groups: "") == nil)
    #expect(Account(name: "alice", passwd: line, groups: "1002 wheel") == nil)
  }

  @Test("options are taken in both spellings")
  func options() throws {
    let words = [
      "agent", "--state=/x/", "--run", "/y", "--cgroup-root", "/lab/node1", "--host", "node1",
      "--no-cpuset",
    ]
    let options = try AgentOptions(words)
    #expect(options.state == "/x" && options.run == "/y")
    #expect(options.groupRoot == "/lab/node1" && options.host == "node1")
    #expect(!options.usesCPUs)
    #expect(throws: UsageError.self) { try AgentOptions(["agent", "--state="]) }
  }
}
