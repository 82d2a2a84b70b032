// Images: made once from what they are said to begin as, shared, whole or not there at all.

import Compositions
import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("images")
  struct ImageTests {
    @Test("the machine's own root is no image; packages that it lacks are named with what to type")
    func host() throws {
      try TestStore.run("host") { test in
        #expect(try test.store.prepare(.host) == .host)
        #expect(try test.store.prepare(.host, packages: ["coreutils", "bash"]) == .host)
        let error = try #require(throws: LabError.self) {
          try test.store.prepare(.host, packages: ["no-such-b", "bash", "no-such-a"])
        }
        #expect(error.message.contains("does not have: no-such-a, no-such-b;"))
        #expect(
          error.message.contains(
            "`apt-get install --no-install-recommends no-such-a no-such-b`"))
        #expect(!Files.exists(test.store.directory))
      }
    }

    @Test("words that are no names of packages or releases are refused before anything runs")
    func names() throws {
      try TestStore.run("names") { test in
        for name in ["-y", "a b", "../x", "Big", "x", "$(reboot)"] {
          #expect(throws: LabError.self) { try test.store.prepare(.host, packages: [name]) }
          #expect(throws: LabError.self) { try test.store.prepare(.debian(name + "/")) }
        }
      }
    }

    @Test("a release of Debian is a system with apt, and packages lie on it in a layer")
    func debian() throws {
      let store = try TestStore.shared
      var said: [String] = []
      let base = try store.prepare(.debian("bookworm")) { said.append($0) }
      #expect(base.directories.count == 1)
      let root = base.directories[0]
      #expect(try Files.readText(root + "/etc/os-release").contains("bookworm"))
      #expect(Files.exists(root + "/usr/bin/apt-get"))
      #expect(!Files.exists(root + "/etc/hostname"))
      let image = try store.prepare(.debian("bookworm"), packages: TestStore.packages)
      #expect(Array(image.directories.dropFirst()) == base.directories)
      #expect(Files.exists(image.directories[0] + "/usr/sbin/munged"))
      #expect(!Files.exists(image.directories[0] + "/etc/munge/munge.key"))
      #expect(!Files.exists(image.directories[0] + "/usr/sbin/policy-rc.d"))
      // From now on it is only looked up.
      said = []
      let again = try store.prepare(
        .debian("bookworm"), packages: TestStore.packages.reversed()
      ) { said.append($0) }
      #expect(again == image)
      #expect(said == [])
    }
  }
}

/// A store of a test's own, gone with the test.
struct TestStore {
  let store: ImageStore
  let place: String

  /// Small, and with a daemon that must not be started.
  static let packages = ["munge", "iproute2"]

  init(_ name: String) throws {
    place = "/tmp/liburna-image-tests-\(getpid())-\(name)"
    store = try ImageStore(directory: place + "/images", program: try TestLab.program)
  }

  /// The store of this machine, so that a release is made once for all tests, and all runs.
  static var shared: ImageStore {
    get throws { try ImageStore(program: try TestLab.program) }
  }

  /// Runs the body on a store, removes it, and checks that nothing of it is left.
  static func run(_ name: String, _ body: (TestStore) throws -> Void) throws {
    let before = Machine.now
    let test = try TestStore(name)
    defer { try? Leftovers.remove(test.place) }
    try Files.makeDirectories(test.place, mode: 0o700)
    try body(test)
    #expect(Machine.changes(since: before) == [])
  }
}
