// The shared parts of the lab's tests: a lab of a test's own, and what the machine must look like
// when it is gone.

import Compositions
import Glibc
import Testing

@testable import Lab

/// All tests that make labs run one after the other: they compare the machine before and after.
@Suite(
  "labs", .serialized, .enabled(if: geteuid() == 0, "making hosts needs root"))
enum LabSuite {}

/// A lab in a directory of its own, with a name that no other has.
struct TestLab {
  let lab: Lab
  /// Where labs of this test are kept.
  let place: String

  /// The most seconds a start may take on a machine that does much else.
  static let patience = 120

  init(_ name: String) throws {
    place = "/tmp/liburna-lab-tests-\(getpid())-\(name)"
    lab = try Lab(name: "test-\(name)-\(getpid())", directory: place + "/lab")
  }

  /// The `liburna` that was built together with these tests.
  static var program: String {
    get throws {
      let maps = try Files.readText("/proc/self/maps")
      let own = maps.split(separator: "\n").first { $0.hasSuffix(".xctest") }
      let path = try #require(own?.split(separator: " ").last, "no test bundle is loaded")
      let directory = path[..<(try #require(path.lastIndex(of: "/")))]
      return directory + "/liburna"
    }
  }

  func start(
    _ composition: Composition = .plain(nodes: 1), _ beginning: Lab.Beginning = .keeping
  ) throws {
    try lab.start(
      LabSettings(composition), beginning, program: try Self.program, timeout: Self.patience)
  }

  /// Runs a shell's command in a host and gives its output, which must be all there is to say.
  func sh(_ host: String, _ command: String, user: String = "root") throws -> String {
    let (code, text) = try lab.output(
      of: HostCommand(["sh", "-ec", command], user: user), on: host)
    guard code == 0 else {
      throw LabError("\(command): exit code \(code)", host: host, logTail: [text])
    }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// Runs the body on a started lab, stops it, and checks that nothing of it is left.
  static func run(
    _ name: String, _ composition: Composition = .plain(nodes: 1),
    _ body: (TestLab) throws -> Void
  ) throws {
    let before = Machine.now
    let test = try TestLab(name)
    do {
      try test.start(composition)
      try body(test)
    } catch {
      try? test.lab.stop()
      throw error
    }
    try test.lab.stop()
    #expect(Machine.changes(since: before) == [])
    #expect(test.remains == [])
  }

  /// Whatever still belongs to the lab: processes, cgroups, files.
  var remains: [String] {
    var found = Files.exists(place) ? [place] : []
    for mount in MountEntry.parse((try? Files.readText("/proc/self/mountinfo")) ?? "")
    where mount.type.hasPrefix("cgroup") {
      found += groups(below: mount.point)
    }
    for name in Files.list("/proc") where name.allSatisfy(\.isNumber) {
      let words = (try? Files.readText("/proc/\(name)/cmdline")) ?? ""
      let groups = (try? Files.readText("/proc/\(name)/cgroup")) ?? ""
      // A dead process waits for the machine's own first process, which takes its time.
      let isDead = (try? Files.readText("/proc/\(name)/stat"))?.contains(") Z ") ?? true
      if !isDead, (words.contains(place) && words.contains("__")) || groups.contains(lab.name) {
        found.append("process \(name): \(words.replacing("\0", with: " "))")
      }
    }
    return found
  }

  private func groups(below directory: String) -> [String] {
    Files.list(directory).filter { Files.isDirectory(directory + "/" + $0) }.flatMap { name in
      name.contains(lab.name)
        ? [directory + "/" + name] : groups(below: directory + "/" + name)
    }
  }
}

/// What a lab must leave as it was.
struct Machine {
  private var facts: Set<String>

  static var now: Machine {
    var facts: Set<String> = []
    // Other tests, which run meanwhile, mount things of their own below /tmp.
    for mount in MountEntry.parse((try? Files.readText("/proc/self/mountinfo")) ?? "")
    where !mount.point.hasPrefix("/tmp/") || mount.point.contains("liburna-lab") {
      facts.insert("mount \(mount.point) \(mount.type) \(mount.root) \(mount.options)")
    }
    for name in Files.list("/sys/class/net") { facts.insert("interface \(name)") }
    for path in ["/etc/passwd", "/etc/group", "/etc/hosts", "/etc/hostname", "/etc/oar/oar.conf"] {
      facts.insert("\(path): \((try? Files.readText(path)) ?? "none")")
    }
    facts.insert("name \(Files.value("/proc/sys/kernel/hostname") ?? "")")
    return Machine(facts: facts)
  }

  /// What has come and gone since.
  static func changes(since before: Machine) -> [String] {
    let now = Machine.now
    return now.facts.subtracting(before.facts).map { "new: " + $0 }
      + before.facts.subtracting(now.facts).map { "gone: " + $0 }
  }
}

extension Composition {
  /// Lets all hosts see the programs that were built together with these tests, whatever their root is.
  mutating func share(programs program: String) throws {
    let end = try #require(program.lastIndex(of: "/"))
    volumes.append(
      Volume(source: String(program[..<end]), target: "/usr/local/liburna/bin", mode: .ro))
    // Programs that were built for development need the Swift library of this machine.
    let maps = try Files.readText("/proc/self/maps")
    let file = maps.split(separator: "\n").first { $0.hasSuffix("/libswiftCore.so") }
    guard let path = file?.split(separator: " ").last else { return }
    let library = String(path.dropLast("/libswiftCore.so".count))
    volumes.append(Volume(source: library, target: library, mode: .ro))
  }
}
