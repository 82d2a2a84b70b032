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

    @Test("an image is exported as one squashfs and one tar file, with all layers merged, once")
    func exports() throws {
      let store = try TestStore.shared
      let image = try store.prepare(.debian("bookworm"), packages: TestStore.packages)
      let tar = try store.tarball(of: image)
      let names = Set(
        try TarList.names(in: tar, deadline: TestStore.deadline).map(TarList.clean))
      #expect(names.isSuperset(of: ["usr/sbin/munged", "etc/os-release", "usr/bin/apt-get"]))
      let squashfs = try store.squashfs(of: image)
      let list = try ToolRun.run(
        ["unsquashfs", "-l", "-d", "", squashfs], deadline: TestStore.deadline)
      #expect(list.output.contains("/usr/sbin/munged\n"))
      #expect(list.output.contains("/etc/os-release\n"))
      var said: [String] = []
      #expect(try store.squashfs(of: image, progress: { said.append($0) }) == squashfs)
      #expect(said == [])
      #expect(throws: LabError.self) { try store.squashfs(of: .host) }
    }

    @Test("where layers can't be kept apart, an image with packages is a copy")
    func copies() throws {
      // An overlay, as containers have it for their root.
      try TestStore.run("copies") { test in
        let place = test.place
        for name in ["lower", "upper", "work", "images"] {
          try Files.makeDirectories(place + "/" + name)
        }
        try Mounts.new(
          "overlay", on: place + "/images",
          "lowerdir=\(place)/lower,upperdir=\(place)/upper,workdir=\(place)/work")
        defer { umount2(place + "/images", Int32(MNT_DETACH)) }
        let base = try TestStore.shared.prepare(.debian("bookworm"))
        let image = try test.store.prepare(
          .directory(base.directories[0]), packages: ["iproute2"])
        #expect(image.directories.count == 1)
        #expect(Files.exists(image.directories[0] + "/usr/bin/apt-get"))
        #expect(Files.exists(image.directories[0] + "/sbin/ip"))
        #expect(!Files.exists(base.directories[0] + "/sbin/ip"))
      }
    }

    @Test("a directory is used as it is, if it holds a system")
    func directory() throws {
      try TestStore.run("directory") { test in
        let root = try test.root("root", ["etc/motd": "hello", "usr/bin/true": ""])
        let image = try test.store.prepare(.directory(root))
        #expect(image.directories == [root])
        #expect(try test.store.prepare(.directory(root)) == image)
        let lacking = try #require(throws: LabError.self) {
          try test.store.prepare(.directory(root), packages: ["munge"])
        }
        #expect(lacking.message.contains("no apt-get, so munge can't be installed"))
        let empty = try test.root("empty", ["opt/x": ""])
        for path in [empty, "root", "/", test.place + "/none"] {
          #expect(throws: LabError.self) { try test.store.prepare(.directory(path)) }
        }
        #expect(!Files.exists(test.store.directory))
      }
    }
  }
}

/// A store of a test's own, gone with the test.
struct TestStore {
  let store: ImageStore
  let place: String

  /// Small, and with a daemon that must not be started.
  static let packages = ["munge", "iproute2"]

  static var deadline: Deadline { Deadline(seconds: 120) }

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

  // MARK: - Root file systems and archives

  /// A directory with these files.
  func root(_ name: String, _ files: [String: String]) throws -> String {
    let root = place + "/" + name
    for (path, content) in files {
      let whole = root + "/" + path
      let slash = try #require(whole.lastIndex(of: "/"))
      try Files.makeDirectories(String(whole[..<slash]))
      try Files.write(content, to: whole)
    }
    return root
  }

  /// A tar file of what is in a directory.
  @discardableResult
  func tar(_ directory: String, _ options: String...) throws -> String {
    let archive = directory + ".tar"
    try run(["tar", "--create", "--file=" + archive, "--directory=" + directory] + options + ["."])
    return archive
  }

  func run(_ arguments: [String]) throws {
    let answer = try ToolRun.run(arguments, deadline: Self.deadline)
    guard answer.code == 0 else { throw LabError("\(arguments): \(answer.complaint)") }
  }

  /// Every file of an image with its content, by its path; links as `-> target`.
  func content(of image: Image) throws -> [String: String] {
    var found: [String: String] = [:]
    func walk(_ directory: String, _ name: String) throws {
      for child in Files.list(directory) {
        let path = directory + "/" + child
        if Files.isDirectory(path) {
          try walk(path, name + child + "/")
        } else if Files.isLink(path) {
          found[name + child] = "-> " + (Files.resolve(path) ?? "nowhere")
        } else {
          found[name + child] = try Files.readText(path)
        }
      }
    }
    for directory in image.directories { try walk(directory, "") }
    return found
  }
}
