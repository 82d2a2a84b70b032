// Labs of ordinary users: the tool is run as somebody with no rights but a range of further ids, in a
// mount namespace where /etc says so. The machine's own files are not touched.

import CLinux
import Glibc
import Testing

@testable import Lab

/// Somebody who has an account in a mount namespace of his own only.
struct OrdinaryUser {
  /// Where his labs and his runtime directory are.
  let place: String
  let id: uid_t
  /// His line in /etc/subuid, without the name.
  var range = "1200000000:65536"

  init(_ name: String) throws {
    place = "/tmp/liburna-rootless-tests-\(getpid())-\(name)"
    id = 50_000 + uid_t(getpid() % 10_000)
    try Files.makeDirectories(place + "/run", mode: 0o700)
    chown(place + "/run", id, id)
  }

  /// Makes /etc and the tool what the user sees, then becomes him. The words are: place, id, range, tool,
  /// a command of root, the user's command.
  private static let script = """
    mkdir -p "$1/etc"
    mount -t tmpfs none "$1/etc"
    mkdir "$1/etc/upper" "$1/etc/work"
    mount -t overlay none -o "lowerdir=/etc,upperdir=$1/etc/upper,workdir=$1/etc/work" /etc
    echo "tester:x:$2:$2::/tmp:/bin/sh" >> /etc/passwd
    echo "tester:$3" > /etc/subuid
    echo "tester:$3" > /etc/subgid
    mkdir -p "$1/bin"
    mount --bind "$(dirname "$4")" "$1/bin"
    export XDG_RUNTIME_DIR="$1/run" LIBURNA="$1/bin/liburna"
    sh -ec "$5"
    cd /
    exec setpriv --reuid "$2" --regid "$2" --clear-groups sh -c "$6"
    """

  private func launch(_ command: String, root: String) throws -> Launch {
    Launch(
      program: .path("/usr/bin/unshare"),
      arguments: [
        "unshare", "-m", "sh", "-ec", Self.script, "sh", place, String(id), range,
        try TestLab.program, root, command,
      ], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
  }

  /// Runs a command of the shell as the user, after one of root, and gives its exit code and output.
  func run(_ command: String, root: String = "true") throws -> (code: Int32, text: String) {
    try launch(command, root: root).output(limit: 1 << 20)
  }

  /// Runs a command that must succeed and gives its output without the last newline.
  func sh(_ command: String) throws -> String {
    let (code, text) = try run(command)
    guard code == 0 else { throw LabError("\(command): exit code \(code)", logTail: [text]) }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// Starts a command and kills it, and nothing else, a while later.
  func kill(_ command: String, after microseconds: UInt32) throws {
    var launch = try launch("exec " + command, root: "true")
    let quiet = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(quiet) }
    launch.descriptors = [quiet, quiet, quiet]
    let child = try launch.start()
    // What is asked for begins when the process is the user's.
    while Self.owner(of: child.pid) == 0 { usleep(200) }
    usleep(microseconds)
    Glibc.kill(child.pid, SIGKILL)
    _ = child.wait()
  }

  private static func owner(of pid: pid_t) -> uid_t? {
    var status = stat()
    return stat("/proc/\(pid)", &status) == 0 ? status.st_uid : nil
  }

  /// What is left of his labs: processes that live, and files.
  var remains: [String] {
    let own = Files.list("/proc").compactMap(pid_t.init).filter { pid in
      guard let owner = Self.owner(of: pid), KnownProcess(pid: pid) != nil else { return false }
      return owner == id || (1_200_000_000..<1_200_065_536).contains(owner)
    }
    return own.map { "process \($0): " + (Files.value("/proc/\($0)/cmdline") ?? "") }
      + Files.list(place + "/run").map { "file \($0)" }
  }

  func goAway() { try? Files.removeTree(place) }
}

extension LabSuite {
  @Suite("labs without root")
  struct RootlessTests {
    @Test(
      "an ordinary user has hosts with users, ssh, MUNGE and files that root of a host may change")
    func whole() throws {
      let before = Machine.now
      let user = try OrdinaryUser("whole")
      defer { user.goAway() }
      defer { _ = try? user.run("$LIBURNA lab stop") }
      let start = try user.sh("$LIBURNA lab start -c plain -n 1 2>&1")
      #expect(start.contains("node1       sshd, munged answer"))
      #expect(
        try user.sh("$LIBURNA lab status --json").contains(user.place + "/run/liburna-lab/lab"))
      let exec = "$LIBURNA lab exec --user"
      #expect(
        try user.sh("\(exec) user1 frontend ssh node1 'id -un; hostname'") == "user1\nnode1")
      #expect(try user.sh("\(exec) root server ssh root@node1 id -u") == "0")
      let sealed = try user.sh("\(exec) user2 frontend sh -c 'echo -n hello | munge'")
      #expect(try user.sh("\(exec) root server sh -c 'echo \(sealed) | unmunge'").contains("user2"))
      #expect(
        try user.sh("\(exec) user1 node1 sh -c 'echo x > ~/note; stat -c %U ~/note'") == "user1")
      let changes =
        "echo y >> /etc/profile; rm -r /etc/apt; mkdir /etc/apt /var/lib/new; ls -A /etc/apt"
      #expect(try user.sh("\(exec) root node1 sh -ec '\(changes)'") == "")
      #expect(try user.run("\(exec) user1 node1 cat /etc/shadow").code == 1)
      #expect(try user.run("\(exec) root node1 sh -c 'exit 7'").code == 7)

      #expect(try user.sh("$LIBURNA lab kill node1") == "")
      #expect(try user.run("$LIBURNA lab status").code == 1)
      _ = try user.sh("$LIBURNA lab start --keep 2>&1")
      #expect(try user.sh("\(exec) user1 frontend ssh node1 ls -d /var/lib/new") == "/var/lib/new")
      #expect(try user.sh("$LIBURNA lab stop") == "")
      #expect(user.remains == [])
      #expect(Machine.changes(since: before) == [])
    }

    @Test("jobs run in the lab of an ordinary user")
    func jobs() throws {
      let user = try OrdinaryUser("jobs")
      defer { user.goAway() }
      defer { _ = try? user.run("$LIBURNA lab stop") }
      _ = try user.sh("$LIBURNA lab start -n 1 2>&1")
      let job = """
        oarsub "hostname > out.new; mv out.new out" > /dev/null
        for i in $(seq 600); do [ ! -e out ] || break; sleep 0.1; done
        cat out
        """
      let text = try user.sh("$LIBURNA lab exec --user user1 frontend sh -ec '\(job)'")
      #expect(text.hasSuffix("node1"))
      #expect(try user.sh("$LIBURNA lab stop") == "")
      #expect(user.remains == [])
    }

    @Test("without a runtime directory, labs are in a directory of the user's own in /tmp")
    func publicPlace() throws {
      let user = try OrdinaryUser("public")
      defer { user.goAway() }
      let tool = "env -u XDG_RUNTIME_DIR $LIBURNA lab"
      defer { _ = try? user.run("\(tool) stop") }
      _ = try user.sh("\(tool) start -c plain -n 1 2>&1")
      let place = "/tmp/liburna-lab-\(user.id)"
      #expect(try user.sh("\(tool) status --json").contains("\(place)/lab"))
      #expect(Files.directoryMode(place + "/lab") == 0o700)
      #expect(try user.sh("\(tool) stop") == "")
      #expect(!Files.exists(place))
      #expect(user.remains == [])
    }

    @Test(
      "a start without root that is killed at any point leaves nothing after a stop",
      arguments: [
        0, 5000, 10_000, 20_000, 40_000, 60_000, 90_000, 120_000, 160_000, 200_000, 300_000,
      ])
    func killedStart(delay: UInt32) throws {
      let user = try OrdinaryUser("killed")
      defer { user.goAway() }
      try user.kill("$LIBURNA lab start -c plain -n 1", after: delay)
      #expect(try user.run("$LIBURNA lab stop").text == "")
      #expect(user.remains == [])
    }

    @Test("a stop without root that is killed is finished by the next")
    func killedStop() throws {
      let user = try OrdinaryUser("unstopped")
      defer { user.goAway() }
      for delay in [2000, 10_000, 20_000] as [UInt32] {
        _ = try user.sh("$LIBURNA lab start -c plain -n 1 2>&1")
        try user.kill("$LIBURNA lab stop", after: delay)
        #expect(try user.run("$LIBURNA lab stop").text == "")
        #expect(user.remains == [])
      }
    }

    @Test("what a machine lacks for labs without root is told with what to change")
    func refusals() throws {
      var user = try OrdinaryUser("refused")
      defer { user.goAway() }
      func refusal(_ root: String) throws -> String {
        let (code, text) = try user.run("$LIBURNA lab start -c plain -n 1 2>&1", root: root)
        #expect(code == 1)
        return text
      }
      #expect(
        try refusal("mount --bind /dev/null /usr/bin/newuidmap").contains(
          "newuidmap is missing, without which labs need root; apt-get install uidmap"))
      user.range = "1200000000:1000"
      let text = try refusal("true")
      #expect(text.contains("/etc/subuid gives tester 1000"))
      #expect(text.contains("add the line tester:1200001000:65536 to it"))
      #expect(user.remains == [])
    }

    @Test("settings of a machine that forbid user namespaces are named")
    func settings() throws {
      func problem(_ path: String, _ value: String) -> String {
        RootlessNeeds.problem { $0 == "/proc/sys/" + path ? value : nil }?.message ?? ""
      }
      #expect(problem("user/max_user_namespaces", "100") == "")
      #expect(
        problem("user/max_user_namespaces", "0").contains(
          "sysctl -w user.max_user_namespaces=10000"))
      #expect(
        problem("kernel/unprivileged_userns_clone", "0").contains(
          "kernel.unprivileged_userns_clone=1"))
      #expect(
        problem("kernel/apparmor_restrict_unprivileged_userns", "1").contains(
          "Scripts/apparmor/liburna"))
    }

    @Test("ranges of ids are joined until there are enough")
    func ranges() throws {
      let text = "other:100000:65536\n# x\nme:165536:30000\n1000:300000:65536\nme:bad:1\n"
      let ids = SubordinateIDs(file: "/etc/subuid", text: text)
      #expect(
        try ids.words(of: ("me", 1000)) == ["1", "165536", "30000", "30001", "300000", "35536"])
      #expect(throws: LabError.self) { try ids.words(of: ("nobody", 7)) }
    }

    @Test("a directory of labs that belongs to somebody else is refused")
    func place() throws {
      let place = "/tmp/liburna-lab-\(getpid())000"
      try Files.makeDirectories(place, mode: 0o700)
      defer { rmdir(place) }
      try Rootless.checkPlace(place)
      chown(place, 12_345, 12_345)
      #expect(throws: LabError.self) { try Rootless.checkPlace(place) }
    }

    @Test("groups of v2 that were handed to the user hold his hosts, and end them")
    func delegatedGroups() throws {
      let mounts = MountEntry.parse(try Files.readText("/proc/self/mountinfo"))
      let point = try #require(mounts.first { $0.type == "cgroup2" }?.point)
      let user = try OrdinaryUser("groups")
      defer { user.goAway() }
      let group = "\(point)/liburna-rootless-\(getpid())"
      try Files.makeDirectories(group + "/session")
      defer { for path in [group + "/session", group] { rmdir(path) } }
      for file in [
        "", "/cgroup.procs", "/cgroup.subtree_control", "/session", "/session/cgroup.procs",
      ] {
        chown(group + file, user.id, user.id)
      }
      let inside = "echo $PPID > \(group)/session/cgroup.procs"
      let (code, text) = try user.run("$LIBURNA lab start -c plain -n 1 2>&1", root: inside)
      #expect(code == 0, "\(text)")
      let lab = try #require(Files.list(group).first { $0.hasPrefix("liburna-lab-") })
      #expect(!Cgroups.processes(in: "\(group)/\(lab)/node1").isEmpty)
      let exec = "$LIBURNA lab exec --user"
      #expect(
        try user.sh(
          "\(exec) root node1 sh -c 'stat -fc %T /sys/fs/cgroup; mkdir /sys/fs/cgroup/job'")
          == "cgroup2fs")
      #expect(try user.sh("\(exec) user1 frontend ssh node1 hostname") == "node1")
      #expect(try user.run("$LIBURNA lab stop", root: inside).text == "")
      #expect(Files.list(group).filter { $0.hasPrefix("liburna-lab-") } == [])
      #expect(user.remains == [])
    }

    @Test("without cgroups, the processes of a host stand still and go on by signals")
    func stopping() throws {
      let quiet = open("/dev/null", O_RDWR | O_CLOEXEC)
      defer { close(quiet) }
      let child = try Launch(
        program: .path("/bin/sh"), arguments: ["sh", "-c", "sleep 1000 & wait"],
        descriptors: [quiet, quiet, quiet], makes: clinux_ns_pid
      ).start()
      let first = try #require(KnownProcess(pid: child.pid))
      func state() -> Substring? {
        Files.value("/proc/\(child.pid)/stat")?.split(separator: ") ").last?.prefix(1)
      }
      try FirstProcesses.stop(first, true)
      let deadline = Deadline(seconds: 10)
      while state() != "T", !deadline.isOver { usleep(1000) }
      #expect(state() == "T")
      try FirstProcesses.stop(first, false)
      while state() == "T", !deadline.isOver { usleep(1000) }
      #expect(state() != "T")
      try FirstProcesses.end([first])
      #expect(child.wait() == 128 + SIGKILL)
    }

    @Test("a lab of v2 groups that were handed to the user lies near his own")
    func delegated() throws {
      let mounts = [
        MountEntry(root: "/", point: "/nowhere/cgroup", type: "cgroup2", options: "rw")
      ]
      #expect(
        Cgroups.delegated(group: "lab", mounts: mounts, own: ["": "/user.slice/x"]).hierarchies
          == [])
    }
  }
}
