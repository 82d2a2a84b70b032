// What builds a layer: a process in mount and pid namespaces of its own, so that whatever it mounts
// and starts is gone with it, however it ends. It lives as long as the tool that started it.

import CLinux
import Glibc

/// What a builder is to do.
struct BuildPlan: Equatable, Codable {
  /// Where its commands run.
  enum Place: String, Codable {
    /// In the machine's own root.
    case machine
    /// In the root file system that is built.
    case root
    /// In a root of its own that has the machine's programs, read-only: nothing can be written but
    /// what is bound into it.
    case workshop
  }

  var place: Place
  /// The root file system that is built. With layers below it, an overlay is mounted there.
  var root: String
  /// The layers below, topmost first.
  var below: [String] = []
  /// What becomes the new layer, and a directory beside it; nil for an overlay to be read.
  var upper: String?
  var work: String?
  /// Directories and files that are shown inside as well, below ``Builder/shown``.
  var binds: [Bind] = []
  /// Lists of commands: the first list of which all commands succeed is the end of it.
  var attempts: [[[String]]]
  var environment: [String] = []
  /// Added to apt's own settings.
  var aptSettings: String = ""

  struct Bind: Equatable, Codable {
    var source: String
    /// A name below ``Builder/shown``.
    var name: String
    var readOnly = true
  }
}

struct Builder {
  private let plan: BuildPlan

  /// The exit code for a builder that could not set itself up.
  static let failed: Int32 = 125
  /// The tool's end of this socket closes when the tool ends.
  private static let tool: Int32 = 3
  /// Where things are shown in the place: on a file system of its own, so that no link of a foreign
  /// root file system leads elsewhere.
  static let shown = "/run/liburna-build"
  /// apt's further settings.
  private static let settings = shown + "/apt.conf"

  /// What the hidden command `liburna lab __build PLAN` does, as pid 1 of its namespaces.
  static func run(_ path: String) -> Int32 {
    do {
      guard getpid() == 1 else { throw LabError("this command is for building images only") }
      return try Builder(plan: try Kept.read(BuildPlan.self, from: path)).build()
    } catch {
      StandardError.say("liburna lab: \(error)")
      return failed
    }
  }

  private func build() throws -> Int32 {
    try Mounts.makeAllPrivate()
    try mountRoot()
    switch plan.place {
    case .machine:
      // Ours, so that programs find themselves by their own pids.
      try Mounts.new("proc", on: "/proc")
      return try runAttempts()
    case .root:
      let names = try NameServices()
      try mountKernel(plan.root)
      try bind(below: plan.root)
      try enter(plan.root)
      try names.install()
      let policy = try NoDaemons.install()
      defer { if policy { NoDaemons.remove() } }
      return try runAttempts()
    case .workshop:
      try makeWorkshop()
      return try runAttempts()
    }
  }

  // MARK: - Mounts

  private func mountRoot() throws {
    guard !plan.below.isEmpty else {
      // A root to be entered must be a mount.
      if plan.place == .root { try Mounts.bind(plan.root, to: plan.root) }
      return
    }
    for path in [plan.root, plan.work].compactMap({ $0 }) {
      try Files.makeDirectories(path, mode: 0o755)
    }
    var options = "lowerdir=" + plan.below.map(Overlay.escape).joined(separator: ":")
    if let upper = plan.upper, let work = plan.work {
      options += ",upperdir=\(Overlay.escape(upper)),workdir=\(Overlay.escape(work))"
    }
    // Without root, the marks of what was removed are attributes that users may set, as on hosts.
    if Rootless.isActive { options += ",userxattr" }
    if plan.upper == nil && plan.below.count == 1 {
      try Mounts.bind(plan.below[0], to: plan.root)
    } else {
      try Mounts.new("overlay", on: plan.root, options)
    }
  }

  private func mountKernel(_ root: String) throws {
    for name in ["proc", "dev", "run", "tmp"] { try Files.makeDirectories(root + "/" + name) }
    try Mounts.new("proc", on: root + "/proc")
    try Mounts.new("tmpfs", on: root + "/dev", "mode=0755", flags: UInt(MS_NOSUID))
    for name in ["null", "zero", "full", "random", "urandom", "tty"] {
      try Files.write("", to: root + "/dev/" + name)
      try Mounts.bind("/dev/" + name, to: root + "/dev/" + name)
    }
    symlink("/proc/self/fd", root + "/dev/fd")
    try Files.makeDirectories(root + "/dev/pts")
    try Mounts.new("devpts", on: root + "/dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5")
    symlink("pts/ptmx", root + "/dev/ptmx")
    try Mounts.new("tmpfs", on: root + "/run", "mode=0755")
    try Mounts.new("tmpfs", on: root + "/tmp", "mode=1777")
    try Files.makeDirectories(root + "/run/lock")
    try Files.makeDirectories(root + Self.shown)
    try Files.write(plan.aptSettings, to: root + Self.settings)
  }

  private func bind(below root: String) throws {
    for bind in plan.binds {
      let target = root + Self.shown + "/" + bind.name
      if Files.isDirectory(bind.source) {
        try Files.makeDirectories(target)
      } else {
        try Files.write("", to: target)
      }
      try Mounts.bind(bind.source, to: target)
      if bind.readOnly { try Mounts.makeReadOnly(target) }
    }
  }

  private func enter(_ root: String) throws {
    let error = clinux_ns_enter_root(root)
    guard error == 0 else { throw LabError.system("enter", root, error) }
  }

  /// A root with the machine's programs, and nothing of it that could be written to.
  private func makeWorkshop() throws {
    let root = plan.root
    try Mounts.new("tmpfs", on: root, "mode=0755,size=16m")
    for name in ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc"] {
      if let target = Files.linkTarget("/" + name) {
        symlink(target, root + "/" + name)
      } else if Files.isDirectory("/" + name) {
        try Files.makeDirectories(root + "/" + name)
        try Mounts.bind("/" + name, to: root + "/" + name)
        try Mounts.makeReadOnly(root + "/" + name)
      }
    }
    try mountKernel(root)
    try bind(below: root)
    try enter(root)
  }

  // MARK: - Commands

  private func runAttempts() throws -> Int32 {
    var code: Int32 = 0
    for commands in plan.attempts {
      code = 0
      for command in commands where code == 0 { code = try run(command) }
      if code == 0 { return 0 }
    }
    return code
  }

  private func run(_ command: [String]) throws -> Int32 {
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(input) }
    var environment = plan.environment
    if !plan.aptSettings.isEmpty { environment.append("APT_CONFIG=" + Self.settings) }
    let launch = Launch(
      program: .path(command[0], in: HostEntry.searchPath),
      arguments: command, environment: environment,
      descriptors: [input, STDOUT_FILENO, STDERR_FILENO], directory: "/")
    let child = try launch.start()
    while true {
      var waits = [
        pollfd(fd: child.descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: Self.tool, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&waits, 2, -1)
      // Nobody waits for the layer any more; our death ends all that was started here.
      if waits[1].revents != 0 { exit(Self.failed) }
      if waits[0].revents != 0 { return child.wait() }
    }
  }
}

/// How names become addresses on the machine, for package managers in a root file system.
private struct NameServices {
  private let files: [(path: String, content: String)]

  init() throws {
    files = ["/etc/resolv.conf", "/etc/hosts"].compactMap { path in
      (try? Files.readText(path)).map { (path, $0) }
    }
  }

  /// Shows the machine's files in the root that was entered, without changing its own.
  func install() throws {
    for file in files {
      let copy = Builder.shown + "/name" + file.path.replacing("/", with: "-")
      try Files.write(file.content, to: copy)
      // A link leads to /run, which is new and empty here.
      if let place = Files.resolve(file.path) {
        try Mounts.bind(copy, to: place)
      } else if Files.isLink(file.path) {
        try? Files.makeDirectories("/run/systemd/resolve")
        try? Files.write(file.content, to: file.path)
      } else {
        try Files.write(file.content, to: file.path)
      }
    }
  }
}

/// Debian's own way to keep packages from starting their daemons.
private enum NoDaemons {
  private static let policy = "/usr/sbin/policy-rc.d"

  /// False if the root file system has a policy of its own.
  static func install() throws -> Bool {
    guard !Files.exists(policy), Files.isDirectory("/usr/sbin") else { return false }
    try Files.write("#!/bin/sh\nexit 101\n", to: policy)
    guard chmod(policy, 0o755) == 0 else { throw LabError.system("change", policy) }
    return true
  }

  static func remove() { unlink(policy) }
}

extension Files {
  static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// Whether it is an ordinary file, and no link to one.
  static func isFile(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}
