// Starting a process in chosen namespaces and cgroups, and waiting for its end.

import CLinux
import Glibc

/// How to start one process. Its descriptors are 0, 1, 2 … in the order given; nothing else leaks.
struct Launch {
  enum Program {
    case path(String)
    /// A name looked for in these directories in turn.
    case search(String, in: [String])
    /// A path, or a name to be looked for, whichever the word is.
    static func path(_ word: String, in directories: [String]) -> Program {
      word.contains("/") ? .path(word) : .search(word, in: directories)
    }
    /// An open executable, so that it runs whatever the file system looks like to the child.
    case descriptor(Int32)
  }

  /// Who the process runs as.
  struct Identity: Equatable, Sendable {
    var user: uid_t
    var group: gid_t
    var groups: [gid_t]
    static let root = Identity(user: 0, group: 0, groups: [0])
  }

  var program: Program
  var arguments: [String]
  var environment: [String] = []
  var descriptors: [Int32] = []
  /// Where the process lives: entered before namespaces are made, and after.
  var cgroup = CgroupEntry()
  /// A process (by pidfd) whose namespaces of these kinds are joined.
  var join: (process: Int32, kinds: UInt64)?
  var makes: UInt64 = 0
  var directory: String?
  var identity: Identity?
  var newSession = false
  var controllingTerminal = false
  /// Gives up the capabilities that could reach past a host to the machine.
  var confined = false
  /// Keeps the one to make device nodes all the same, as programs that run containers need it.
  var makesDevices = false
  /// It dies with the thread that starts it, until it decides to outlive it.
  var bound = false

  /// Starts the process. It is a child of the caller, who must wait for it.
  ///
  /// - Throws: ``StartError``
  func start() throws -> Child {
    var launch = clinux_ns_launch()
    launch.program = -1
    launch.birth_cgroup = cgroup.birth ?? -1
    launch.join = join?.process ?? -1
    launch.join_kinds = join?.kinds ?? 0
    launch.make_kinds = makes
    launch.new_session = newSession
    launch.controlling_terminal = controllingTerminal
    launch.confine = confined
    launch.makes_devices = makesDevices
    launch.bound = bound
    if let identity {
      launch.change_user = true
      launch.user = identity.user
      launch.group = identity.group
    }
    switch program {
    case .path(let path): return try start(&launch, paths: [path], named: path)
    case .search(let name, let directories):
      return try start(&launch, paths: directories.map { $0 + "/" + name }, named: name)
    case .descriptor(let descriptor):
      launch.program = descriptor
      return try start(&launch, paths: [], named: arguments.first ?? "")
    }
  }

  private func start(
    _ launch: inout clinux_ns_launch, paths: [String], named name: String
  ) throws -> Child {
    let lists = [paths, arguments, environment].map(CLists.strings)
    let numbers = [descriptors, cgroup.memberships, cgroup.leaves].map(CLists.numbers)
    let groups = CLists.numbers(identity?.groups ?? [])
    let place = directory.flatMap { strdup($0) }
    defer {
      lists.forEach(CLists.free)
      for list in numbers { list.deallocate() }
      groups.deallocate()
      Glibc.free(place)
    }
    (launch.paths, launch.arguments) = (.init(lists[0]), .init(lists[1]))
    launch.environment = .init(lists[2])
    launch.descriptors = .init(numbers[0].baseAddress)
    launch.descriptor_count = Int32(descriptors.count)
    launch.memberships = .init(numbers[1].baseAddress)
    launch.membership_count = Int32(cgroup.memberships.count)
    launch.leaves = .init(numbers[2].baseAddress)
    launch.leaf_count = Int32(cgroup.leaves.count)
    launch.groups = .init(groups.baseAddress)
    launch.group_count = Int32(groups.count)
    launch.directory = .init(place)
    return try Self.start(launch, named: name)
  }

  private static func start(_ launch: clinux_ns_launch, named name: String) throws -> Child {
    var launch = launch
    var pid: pid_t = 0
    var descriptor: Int32 = -1
    var step: UnsafePointer<CChar>?
    let error = clinux_ns_start(&launch, &pid, &descriptor, &step)
    guard error == 0 else {
      let step = step.map { String(cString: $0) } ?? "start"
      throw StartError(
        code: error, message: "\(name): cannot \(step): \(String(cString: strerror(error)))")
    }
    return Child(pid: pid, descriptor: descriptor)
  }
}

/// A process that could not be started, with the kernel's reason.
struct StartError: Error, CustomStringConvertible {
  var code: Int32
  var message: String
  var description: String { message }
}

/// A started process: its pid as seen from here, and a descriptor that is readable at its end.
struct Child {
  var pid: pid_t
  var descriptor: Int32

  /// Waits for the end and gives the exit code, 128 + n for a death by signal n.
  func wait() -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    close(descriptor)
    return exitCode(ofStatus: status)
  }

  /// True once the process has ended, or false when the time is over first.
  func ends(within milliseconds: Int32) -> Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return Glibc.poll(&poll, 1, milliseconds) == 1
  }
}

extension Child {
  /// Starts a process without input and gives its exit code and what it wrote to standard output and
  /// error, the first `limit` bytes; what comes after them is read, so that it ends, and forgotten.
  static func output(
    limit: Int, _ start: ([Int32]) throws -> Child
  ) throws -> (code: Int32, text: String) {
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0
    else { throw LabError.system("open", "a socket pair") }
    defer { close(ends[0]) }
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(input) }
    let child: Child
    do {
      defer { close(ends[1]) }
      child = try start([input, ends[1], ends[1]])
    }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let got = read(ends[0], &chunk, chunk.count)
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { break }
      text.append(contentsOf: chunk[0..<min(got, limit - text.count)])
    }
    return (child.wait(), String(decoding: text, as: UTF8.self))
  }
}

extension Launch {
  /// Starts the process without input and gives its exit code and what it wrote, at most `limit` bytes.
  func output(limit: Int) throws -> (code: Int32, text: String) {
    try Child.output(limit: limit) { descriptors in
      var launch = self
      launch.descriptors = descriptors
      return try launch.start()
    }
  }
}

/// The exit code a shell would show for a wait status.
func exitCode(ofStatus status: Int32) -> Int32 {
  let signal = status & 0x7f
  return signal == 0 ? (status >> 8) & 0xff : 128 + signal
}

/// Lists as C wants them, which live until they are freed.
private enum CLists {
  typealias Strings = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

  /// Copies of the strings, and a null pointer behind the last.
  static func strings(_ strings: [String]) -> Strings {
    let list = Strings.allocate(capacity: strings.count + 1)
    for (place, string) in strings.enumerated() {
      (list + place).initialize(to: strdup(string))
    }
    (list + strings.count).initialize(to: nil)
    return list
  }

  static func free(_ list: Strings) {
    var place = list
    while let string = place.pointee {
      Glibc.free(string)
      place += 1
    }
    list.deallocate()
  }

  static func numbers<Number>(_ numbers: [Number]) -> UnsafeMutableBufferPointer<Number> {
    let list = UnsafeMutableBufferPointer<Number>.allocate(capacity: numbers.count)
    _ = list.initialize(from: numbers)
    return list
  }
}
