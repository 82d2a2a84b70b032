// Labs without root. An ordinary user's tool makes a user namespace in which it is root and all other
// namespaces of the lab belong to it; later calls join that one. Then everything is done as root does it.

import CLinux
import Glibc

enum Rootless {
  /// Whether we are root in a user namespace only, not on the machine.
  static var isActive: Bool {
    let map = Files.value("/proc/self/uid_map") ?? ""
    return geteuid() == 0 && map.split(separator: " ") != ["0", "0", "4294967295"]
  }

  /// Where an ordinary user's labs are kept.
  static var place: String {
    let runtime = getenv("XDG_RUNTIME_DIR").map { String(cString: $0) } ?? ""
    return runtime.hasPrefix("/") && Files.isDirectory(runtime)
      ? runtime + "/liburna-lab" : "\(publicPlace)\(geteuid())"
  }
  /// Anybody may make such a directory, so its owner counts.
  private static let publicPlace = "/tmp/liburna-lab-"

  /// Makes this process root in the lab's user namespace: that of a lab that runs, else a new one. Does
  /// nothing for root. The process must have one thread.
  static func enter(_ lab: Lab) throws {
    guard geteuid() != 0 else { return }
    // Whoever asks later where labs are kept must get the same answer.
    setenv(Lab.placeVariable, lab.place, 1)
    setenv(ImageStore.placeVariable, ImageStore.place, 1)
    // All labs of a user share one namespace: whoever works on several can be in one only.
    let states = ([lab] + Lab.all(in: lab.place)).lazy.compactMap { try? $0.state() }
    let processes = states.flatMap { state in
      ([state.holder] + state.hosts.map(\.first)).compactMap(\.self)
    }
    if let process = processes.first(where: { $0.isAlive && isOwn($0.pid) }) {
      try join(process)
    } else {
      try makeNamespace()
    }
  }

  /// Refuses a directory of labs that another user has put in the place of ours.
  static func checkPlace(_ place: String) throws {
    guard place.hasPrefix(publicPlace) else { return }
    var status = stat()
    guard lstat(place, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
      status.st_mode & 0o022 == 0
    else {
      throw LabError(
        "\(place) belongs to somebody else, or others may write there; remove it, or name another "
          + "directory in \(Lab.placeVariable)")
    }
  }

  private static func isOwn(_ pid: pid_t) -> Bool {
    var status = stat()
    return stat("/proc/\(pid)", &status) == 0 && status.st_uid == geteuid()
  }

  private static func join(_ process: KnownProcess) throws {
    let path = "/proc/\(process.pid)/ns/user"
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LabError.system("open", path) }
    defer { close(descriptor) }
    // Opened first, then checked: what we hold is the lab's own.
    guard process.isAlive else { throw LabError("the lab has just ended") }
    let error = clinux_ns_join_user(descriptor)
    guard error == 0 else { throw LabError.system("join", "the lab's user namespace", error) }
  }

  // MARK: - A new user namespace

  private static func makeNamespace() throws {
    if let problem = RootlessNeeds.problem { throw problem }
    let user = RootlessNeeds.user
    let maps = try [
      ("newuidmap", "/etc/subuid", geteuid()), ("newgidmap", "/etc/subgid", getegid()),
    ]
    .map { program, file, own in
      [try RootlessNeeds.find(program), String(getpid()), "0", String(own), "1"]
        + (try SubordinateIDs(file: file).words(of: user))
    }
    var ends: [Int32] = [-1, -1]
    guard clinux_pipe(&ends, 0) == 0 else { throw LabError.system("open", "a pipe") }
    defer { close(ends[0]) }
    let lists = maps.map { $0.map { strdup($0) } + [nil] }
    defer { for list in lists { list.forEach { free($0) } } }
    var step: UnsafePointer<CChar>?
    let error = clinux_ns_become_root(lists[0], lists[1], ends[1], &step)
    close(ends[1])
    guard error == 0 else {
      let complaints = Files.rest(of: ends[0])
      throw RootlessNeeds.explain(error, at: step.map { String(cString: $0) } ?? "", complaints)
    }
  }
}

/// A file that says which further ids users may give out: lines of name (or uid), first id, count.
struct SubordinateIDs {
  var file: String
  private var ranges: [(user: Substring, first: UInt32, count: UInt32)]

  /// A host has accounts up to nobody's, 65534.
  static let needed: UInt32 = 65_536
  private static let firstFree: UInt32 = 100_000

  init(file: String) { self.init(file: file, text: Files.value(file) ?? "") }

  init(file: String, text: String) {
    self.file = file
    ranges = text.split(separator: "\n").compactMap { line in
      let parts = line.split(separator: ":")
      guard parts.count == 3, let first = UInt32(parts[1]), let count = UInt32(parts[2]),
        first <= .max - count
      else { return nil }
      return (parts[0], first, count)
    }
  }

  /// The words that let a mapping program give ids from 1 on to a user.
  func words(of user: (name: String, id: uid_t)) throws -> [String] {
    let own = ranges.filter { $0.user == user.name || $0.user == String(user.id) }
    let total = own.reduce(UInt64(0)) { $0 + UInt64($1.count) }
    guard total >= UInt64(Self.needed) else { throw refusal(user.name, total) }
    var next: UInt32 = 1
    return own.flatMap { range -> [String] in
      let count = min(range.count, Self.needed + 1 - next)
      defer { next += count }
      return count == 0 ? [] : [String(next), String(range.first), String(count)]
    }
  }

  private func refusal(_ name: String, _ total: UInt64) -> LabError {
    let free = ranges.reduce(Self.firstFree) { max($0, $1.first + $1.count) }
    return LabError(
      "labs without root need \(Self.needed) further ids, and \(file) gives \(name) \(total); let root "
        + "add the line \(name):\(free):\(Self.needed) to it, or run this command with sudo")
  }
}
