// What hosts are to those who work on them: machines of their own that know each other.

import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("hosts")
  struct HostTests {
    @Test("every host has a name, an address, processes and files of its own")
    func identity() throws {
      try TestLab.run("identity") { (test) throws in
        for (index, host) in ["server", "frontend", "node1"].enumerated() {
          #expect(
            try test.sh(host, "cat /proc/sys/kernel/hostname /etc/hostname") == "\(host)\n\(host)")
          let address = "10.77.0.\(index + 1)"
          #expect(try test.sh(host, "getent hosts \(host)").hasPrefix(address))
          #expect(try test.sh(host, "cat /proc/net/fib_trie").contains(address))
          #expect(try test.sh(host, "tr '\\0' ' ' < /proc/1/cmdline").contains("__host"))
          #expect(try test.sh(host, "ls /sys/class/net") == "eth0\nlo")
          #expect(try test.sh(host, "ls -A /tmp /root") == "/root:\n.ssh\n\n/tmp:")
        }
        _ = try test.sh("node1", "echo mine > /etc/of-node1; echo mine > /tmp/of-node1")
        #expect(
          try test.sh("server", "ls /etc/of-node1 /tmp/of-node1 2>&1 || true").contains("No such"))
        #expect(!Files.exists("/etc/of-node1"))
      }
    }

    @Test("users are known everywhere and log in by key from every host to every host")
    func logins() throws {
      try TestLab.run("logins") { (test) throws in
        let hosts = ["server", "frontend", "node1"]
        for user in ["user1", "user2"] {
          for from in hosts {
            let loop =
              "for h in \(hosts.joined(separator: " ")); do ssh $h 'id -un; hostname'; done"
            let expected = hosts.map { "\(user)\n\($0)" }.joined(separator: "\n")
            #expect(try test.sh(from, loop, user: user) == expected)
          }
        }
      }
    }

    @Test("root of the server logs in to every host; nobody else becomes root")
    func control() throws {
      try TestLab.run("control") { (test) throws in
        for host in ["server", "frontend", "node1"] {
          #expect(try test.sh("server", "ssh root@\(host) 'id -un; hostname'") == "root\n\(host)")
        }
        for (from, user) in [("frontend", "root"), ("node1", "root"), ("server", "user1")] {
          let refused = try test.sh(
            from, "ssh -o BatchMode=yes root@server true 2>&1 && echo entered || true", user: user)
          #expect(refused.contains("Permission denied"))
        }
      }
    }

    @Test("a credential that MUNGE seals on the frontend is opened on the server with its user")
    func munge() throws {
      try TestLab.run("munge") { (test) throws in
        let credential = try test.sh("frontend", "echo -n hello | munge", user: "user2")
        #expect(credential.hasPrefix("MUNGE:"))
        let opened = try test.sh("server", "echo '\(credential)' | unmunge")
        #expect(opened.contains("Success"))
        #expect(opened.contains("user2"))
        #expect(opened.hasSuffix("hello"))
      }
    }

    @Test("/home is one directory for all hosts")
    func home() throws {
      try TestLab.run("home") { (test) throws in
        _ = try test.sh("frontend", "echo shared > note", user: "user1")
        #expect(
          try test.sh("node1", "cat /home/user1/note; stat -c %U note", user: "user1")
            == "shared\nuser1")
        let refused = try test.sh(
          "node1", "echo x > /home/user1/note 2>&1 || echo no", user: "user2")
        #expect(refused.hasSuffix("no"))
      }
    }

    @Test("jobs can be confined in cgroups of their own inside a host, frozen and killed")
    func cgroups() throws {
      try TestLab.run("cgroups") { (test) throws in
        #expect(try test.sh("node1", Self.confinement) == "done")
        #expect(try test.sh("node1", "cat /proc/1/cgroup").contains(test.lab.name) == false)
      }
    }

    /// Makes a nested cgroup, on v1 and on v2, and puts a process in it that is frozen and killed.
    static let confinement = """
      cd /sys/fs/cgroup
      sleep 1000 &
      if [ -d freezer ]; then
        for c in cpuset freezer; do mkdir -p $c/oar/job; done
        for d in cpuset/oar cpuset/oar/job; do
          cat $d/../cpuset.cpus > $d/cpuset.cpus
          cat $d/../cpuset.mems > $d/cpuset.mems
        done
        echo 0 > cpuset/oar/job/cpuset.cpus
        echo $! > cpuset/oar/job/cgroup.procs
        echo $! > freezer/oar/job/cgroup.procs
        grep -q '^Cpus_allowed_list:.0$' /proc/$!/status
        grep -q '/oar/job$' /proc/$!/cpuset
        echo FROZEN > freezer/oar/job/freezer.state
        until grep -q FROZEN freezer/oar/job/freezer.state; do :; done
        kill -9 $!
        echo THAWED > freezer/oar/job/freezer.state
        wait $! 2> /dev/null || true
        rmdir cpuset/oar/job cpuset/oar freezer/oar/job freezer/oar
      else
        mkdir -p oar/job
        echo $! > oar/job/cgroup.procs
        echo 1 > oar/job/cgroup.freeze
        until grep -q 'frozen 1' oar/job/cgroup.events; do :; done
        echo 1 > oar/job/cgroup.kill
        wait $! 2> /dev/null || true
        rmdir oar/job oar
      fi
      echo done
      """

    @Test("a host can't harm the machine through the kernel's own files")
    func harmless() throws {
      try TestLab.run("harmless") { (test) throws in
        for path in ["/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/sys/power/state"] {
          let answer = try test.sh(
            "node1", "[ ! -e \(path) ] || echo x 2>&1 > \(path) || echo refused")
          #expect(answer == "" || answer.hasSuffix("refused"))
        }
        // CAP_SYS_MODULE, RAWIO, BOOT, TIME, MKNOD: bits 16, 17, 22, 25, 27.
        let bounds = try test.sh("node1", "sed -n 's/CapBnd:.//p' /proc/self/status")
        let capabilities = try #require(UInt64(bounds, radix: 16))
        #expect(capabilities & (1 << 16 | 1 << 17 | 1 << 22 | 1 << 25 | 1 << 27) == 0)
      }
    }

    @Test("on a machine with cgroup v2 alone, hosts have it at its place and can use it")
    func unified() throws {
      let mounts = MountEntry.parse(try Files.readText("/proc/self/mountinfo"))
      let point = try #require(mounts.first { $0.type == "cgroup2" }?.point)
      let before = Machine.now
      let test = try TestLab("unified")
      defer { try? test.lab.stop() }
      let only = CgroupHierarchy(
        mountPoint: point, options: "", isUnified: true, directory: "\(point)/\(test.lab.name)")
      var backend = NamespacesBackend(lab: test.lab)
      backend.detectCgroups = { _ in Cgroups(hierarchies: [only]) }
      try test.lab.start(
        LabSettings(.plain(nodes: 1)), .anew, backend: backend, program: try TestLab.program,
        timeout: TestLab.patience)
      #expect(try test.sh("node1", "stat -fc %T /sys/fs/cgroup") == "cgroup2fs")
      #expect(try test.sh("node1", Self.confinement) == "done")
      _ = try test.sh("node1", "setsid sleep 1000 < /dev/null > /dev/null 2>&1 &")
      try test.lab.kill("node1")
      #expect(try test.lab.status()?.hosts.map(\.isUp) == [true, true, false])
      try test.lab.stop()
      #expect(test.remains == [])
      #expect(Machine.changes(since: before) == [])
    }
  }
}
