// What the doctor says of machines, of which only one is this one.

import Testing

@testable import Lab

@Suite("the doctor")
struct DoctorTests {
  /// A machine as a test makes it up: Debian 12 on a laptop with 8 GB and all programs, used by root.
  private static func laptop(_ change: (inout Made) -> Void = { _ in }) -> Readings {
    var made = Made()
    change(&made)
    let (texts, programs, directories, sockets) =
      (made.texts, made.programs, made.directories, made.sockets)
    let (hasKVM, space) = (made.hasKVM, made.space)
    return Readings(
      user: made.user, userName: made.user == 0 ? "root" : "ann", processor: "x86_64",
      text: { texts[$0] }, isDirectory: { directories.contains($0) },
      program: { programs.contains($0) ? "/usr/bin/\($0)" : nil }, opens: { _ in hasKVM },
      accepts: { sockets.contains($0) }, openFiles: made.openFiles, userProcesses: 30_000,
      freeSpace: { _ in space },
      variable: { $0 == "XDG_RUNTIME_DIR" ? "/run/user/1000" : nil })
  }

  private struct Made {
    var user: UInt32 = 0
    var hasKVM = true
    var space = 50_000_000_000
    var openFiles: Int? = 65_536
    var programs: Set<String> = [
      "sshd", "ssh", "ssh-keygen", "munged", "tmux", "mmdebstrap", "git", "qemu-system-x86_64",
      "podman", "newuidmap", "newgidmap",
    ]
    var directories: Set<String> = ["/run/systemd/system", "/sys/module/kvm_intel"]
    var sockets: Set<String> = ["/run/podman/podman.sock"]
    var texts = [
      "/proc/filesystems": "nodev\ttmpfs\nnodev\toverlay\n\text4",
      "/proc/sys/user/max_user_namespaces": "31000",
      "/proc/sys/kernel/unprivileged_userns_clone": "1",
      "/proc/sys/fs/inotify/max_user_instances": "1024",
      "/proc/sys/kernel/pid_max": "4194304", "/proc/sys/kernel/threads-max": "62000",
      "/proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable:    6000000 kB",
      "/proc/loadavg": "0.10 0.20 0.30 1/800 4242",
      "/proc/self/cgroup": "0::/user.slice/user-1000.slice/session-1.scope",
      "/proc/self/mountinfo":
        "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate",
      "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids",
      "/etc/subuid": "ann:100000:65536", "/etc/subgid": "ann:100000:65536",
    ]

    init() {
      for kind in Doctor.namespaceKinds { texts["/proc/sys/user/max_\(kind)_namespaces"] = "31000" }
    }
  }

  private static func finding(_ subject: String, _ diagnosis: Diagnosis) -> Finding? {
    (diagnosis.machine + diagnosis.backends).first { $0.subject == subject }
  }

  @Test("a laptop with everything is fine, and so is this machine, on which these tests run")
  func fine() {
    let laptop = Doctor.examine(Self.laptop())
    #expect(laptop.defaultWorks)
    #expect(laptop.machine.filter { $0.state != .fine } == [])
    #expect(Self.finding("vm", laptop)?.fact == "works with KVM")
    #expect(Self.finding("podman", laptop)?.state == .fine)
    #expect(Self.finding("docker", laptop)?.remedy == "apt-get install docker.io")
    #expect(Doctor.examine().machine.filter { $0.remedy == nil && $0.state == .missing } == [])
  }

  @Test("whatever is not fine has a remedy, on every machine that is made up here")
  func remedies() {
    let machines = [
      Self.laptop { $0.user = 1000 }, Self.laptop { $0.programs = [] },
      Self.laptop { $0.texts = [:] }, Self.laptop { $0.hasKVM = false },
      Self.laptop { $0.sockets = [] }, Self.laptop { $0.space = 1000 },
    ]
    for machine in machines {
      let diagnosis = Doctor.examine(machine)
      for finding in diagnosis.machine + diagnosis.backends where finding.state == .missing {
        #expect(finding.remedy != nil, "\(finding)")
      }
    }
  }

  @Test("Ubuntu's AppArmor is named as what keeps users from namespaces, and how to let them")
  func ubuntu() throws {
    let ubuntu = Self.laptop {
      $0.user = 1000
      $0.texts["/proc/sys/kernel/apparmor_restrict_unprivileged_userns"] = "1"
    }
    let finding = Doctor.userNamespaces(ubuntu)
    #expect(finding.state == .missing)
    #expect(finding.remedy?.contains("kernel.apparmor_restrict_unprivileged_userns=0") == true)
    #expect(Doctor.examine(ubuntu).defaultWorks == false)
  }

  @Test("what else keeps an ordinary user from namespaces is told one by one")
  func ordinaryUser() {
    let user: (inout Made) -> Void = { $0.user = 1000 }
    #expect(Doctor.userNamespaces(Self.laptop(user)).state == .fine)
    let changes: [((inout Made) -> Void, String)] = [
      ({ $0.texts["/proc/sys/user/max_user_namespaces"] = "0" }, "user.max_user_namespaces"),
      (
        { $0.texts["/proc/sys/kernel/unprivileged_userns_clone"] = "0" },
        "unprivileged_userns_clone"
      ),
      ({ $0.texts["/etc/subuid"] = "bob:100000:65536" }, "usermod --add-subuids"),
      ({ $0.texts["/etc/subgid"] = nil }, "usermod"),
      ({ $0.programs.remove("newuidmap") }, "uidmap"),
    ]
    for (change, remedy) in changes {
      let finding = Doctor.userNamespaces(
        Self.laptop {
          user(&$0)
          change(&$0)
        })
      #expect(finding.state != .fine)
      #expect(finding.remedy?.contains(remedy) == true, "\(finding)")
    }
    #expect(Doctor.delegation(Self.laptop(user))?.remedy?.contains("Delegate=") == true)
    #expect(Doctor.delegation(Self.laptop()) == nil)
    #expect(Doctor.examine(Self.laptop(user)).defaultWorks)
    let numberless = Self.laptop {
      user(&$0)
      $0.texts["/etc/subuid"] = nil
    }
    #expect(Doctor.examine(numberless).defaultWorks == false)
  }

  @Test("cgroups are told by version, and what is missing of them")
  func cgroups() {
    #expect(Doctor.controllers(Self.laptop()).fact == "v2: cpu, cpuset, memory, pids")
    let old = Self.laptop {
      $0.texts["/proc/self/mountinfo"] = """
        31 30 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
        32 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
        """
    }
    let finding = Doctor.controllers(old)
    #expect(finding.state == .limited)
    #expect(finding.fact == "v1: cpu, cpuset; without memory, pids")
    #expect(
      Doctor.controllers(Self.laptop { $0.texts["/proc/self/mountinfo"] = "" }).state == .missing)
  }

  @Test("systemd in hosts meets the limit of inotify first")
  func inotify() {
    let finding = Doctor.inotify(
      Self.laptop { $0.texts["/proc/sys/fs/inotify/max_user_instances"] = "128" })
    #expect(finding.state == .limited)
    #expect(finding.fact.contains("18 hosts with systemd"))
  }

  @Test("programs that every lab needs are missing, others only limit it; each with its package")
  func programs() {
    let bare = Doctor.examine(Self.laptop { $0.programs = [] })
    #expect(bare.defaultWorks == false)
    #expect(Self.finding("munged", bare)?.remedy == "apt-get install munge")
    #expect(Self.finding("tmux", bare)?.state == .limited)
    #expect(Self.finding("vm", bare)?.remedy == "apt-get install qemu-system-x86")
    #expect(Self.finding("namespaces", bare)?.fact.contains("sshd") == true)
  }

  @Test("KVM of a kind that runs no stock kernel does not count")
  func kvm() {
    let guest = Self.laptop { $0.directories = ["/sys/module/kvm_pvm"] }
    #expect(Doctor.kvm(guest).state == .limited)
    #expect(Doctor.virtualMachines(guest).state == .limited)
    #expect(
      Doctor.kvm(
        Self.laptop {
          $0.hasKVM = false
          $0.texts["/proc/misc"] = " 10 kvm"
        }
      ).remedy?.contains("adduser") == true)
  }

  @Test("the capacity is what comes first, and more hosts are refused with the arithmetic")
  func capacity() throws {
    let laptop = Self.laptop()
    #expect(Capacity(laptop).hosts == 768)
    try Capacity.check(hosts: 768, laptop)
    let error = #expect(throws: LabError.self) { try Capacity.check(hosts: 10_000, laptop) }
    #expect(
      error?.message
        == "10,000 hosts need about 10,000 addresses of a lab, 80.0 GB memory, 240,000 processes; "
        + "this machine has 1,000, 6.1 GB, 61,200: at most 768 hosts")
  }

  @Test("limits of the cgroups that we are in count, however far above")
  func groupLimits() {
    let confined = Self.laptop {
      $0.texts["/sys/fs/cgroup/user.slice/user-1000.slice/pids.max"] = "1000"
      $0.texts["/sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope/pids.max"] = "max"
      $0.texts["/sys/fs/cgroup/user.slice/memory.max"] = "80000000"
    }
    #expect(Capacity(confined).hosts == 8)
    #expect(Capacity(Self.laptop { $0.openFiles = 84 }).hosts == 10)
  }
}
