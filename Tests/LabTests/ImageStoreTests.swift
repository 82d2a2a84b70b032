// The store of images over time: several tools at once, tools that die, a disk that fills up, and
// what is removed when.

import Compositions
import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("the store of images")
  struct ImageStoreTests {
    private static let system = ["etc/motd": "hello", "bin/true": ""]

    @Test("two that want the same image at once make it once, and both have it")
    func together() async throws {
      let test = try TestStore("together")
      defer { try? Leftovers.remove(test.place) }
      let store = test.store
      let images = try await withThrowingTaskGroup(of: Image.self) { group in
        for _ in 0..<2 { group.addTask { try Self.makeShared(in: store) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(images.count == 2)
      #expect(images[0] == images[1])
      // A line for every time that it was made.
      #expect(try Files.readText(test.place + "/made") == "made\n")
      #expect(Files.list(test.store.directory + "/building") == [])
    }

    private static func makeShared(in store: ImageStore) throws -> Image {
      try store.layer(recipe("shared"), work) { site in
        let script = "echo made >> \(store.directory)/../made"
        let plan = BuildPlan(
          place: .machine, root: site.root, attempts: [[["/bin/sh", "-c", script]]])
        try store.build(plan, at: site, "echo", work)
      }
    }

    @Test("what the builder started ends with the tool, and its leftovers go with the next one")
    func killed() throws {
      try TestStore.run("killed") { test in
        let building = test.store.directory + "/building"
        // What a tool does up to the point where it dies.
        let lock = try StoreLock(making: building + "/abc", Self.work, of: "abc")
        let site = LayerSite(directory: building + "/abc", name: "abc", lock: lock.descriptor)
        try Files.makeDirectories(site.scratch)
        let mark = site.scratch + "/running"
        let script = "(trap '' TERM HUP; while :; do sleep 1000; done) & echo $! > \(mark); wait"
        let plan = BuildPlan(
          place: .machine, root: site.root, attempts: [[["/bin/sh", "-c", script]]],
          environment: ToolRun.environment)
        let (builder, channel) = try test.store.startBuilder(plan, at: site)
        let deadline = TestStore.deadline
        while !Files.exists(mark) {
          try #require(!deadline.isOver, "the builder has not begun")
          usleep(2000)
        }
        lock.release()
        // The builder itself holds the place as long as it lives.
        test.store.clean()
        #expect(Files.exists(mark))
        close(channel)
        #expect(builder.ends(within: 60_000))
        _ = builder.wait()
        #expect(Self.processes(with: mark) == [])
        #expect(Files.exists(mark))
        test.store.clean()
        #expect(Files.list(building) == [])
        #expect(test.store.layers() == [])
      }
    }

    /// The words of processes that name this path.
    private static func processes(with path: String) -> [String] {
      Files.list("/proc").filter { $0.allSatisfy(\.isNumber) }
        .compactMap { try? Files.readText("/proc/\($0)/cmdline") }.filter { $0.contains(path) }
    }

    @Test("a layer that is just being made is left alone by those who clean up")
    func busy() throws {
      try TestStore.run("busy") { test in
        let image = try test.store.layer(Self.recipe("busy"), Self.work) { site in
          try Files.makeDirectories(site.root + "/etc")
          test.store.clean()
          #expect(Files.isDirectory(site.root + "/etc"))
        }
        #expect(Files.isDirectory(image.directories[0] + "/etc"))
      }
    }

    @Test("a full disk is told with what was needed and what is free, and nothing half-made stays")
    func full() throws {
      try TestStore.run("full") { test in
        let disk = test.place + "/disk"
        try Files.makeDirectories(disk)
        try Mounts.new("tmpfs", on: disk, "size=8m")
        defer { umount2(disk, Int32(MNT_DETACH)) }
        let store = try ImageStore(directory: disk + "/images", program: try TestLab.program)
        let early = try #require(throws: LabError.self) { try store.prepare(.debian("bookworm")) }
        #expect(early.message.contains("debian:bookworm needs about 400 MiB"), "\(early)")
        #expect(early.message.contains("\(disk) has only 8 MiB free"), "\(early)")
        // Small as a file, large when unpacked.
        let root = try test.root("root", Self.system)
        try Files.write([UInt8](repeating: 0, count: 16 << 20), to: root + "/etc/zeros")
        let archive = try test.tar(root, "--gzip")
        let late = try #require(throws: LabError.self) { try store.prepare(.archive(archive)) }
        #expect(late.message.contains("the disk is full"), "\(late)")
        #expect(late.message.contains(disk), "\(late)")
        #expect(store.layers() == [])
        #expect(Files.list(disk + "/images/building") == [])
        #expect(Disk.free(disk) > 7 << 20)
      }
    }

    @Test("a failure shows the end of its log and where the whole is; time that is over is told")
    func failure() throws {
      try TestStore.run("failure") { test in
        func attempt(_ command: [String], seconds: Int) throws -> LabError {
          let work = StoreWork(deadline: Deadline(seconds: seconds), progress: { _ in })
          return try #require(throws: LabError.self) {
            try test.store.layer(Self.recipe("failing"), work) { site in
              let plan = BuildPlan(place: .machine, root: site.root, attempts: [[command]])
              try test.store.build(plan, at: site, "the maker", work)
            }
          }
        }
        let error = try attempt(["/bin/sh", "-c", "seq 100; exit 3"], seconds: 60)
        #expect(error.message.hasPrefix("failing: the maker failed with exit code 3"))
        #expect(error.logTail.last == "100")
        let log = try #require(error.message.split(separator: " ").last)
        #expect(try Files.readText(String(log)).hasPrefix("1\n2\n"))
        let late = try attempt(["/bin/sleep", "1000"], seconds: 1)
        #expect(late.message.contains("the maker did not end in time"))
        #expect(Files.list(test.store.directory + "/building") == [])
      }
    }

    @Test("layers are listed, removed from the top, and not while a host has them")
    func removal() throws {
      try TestStore.run("removal") { test in
        let base = try test.store.prepare(
          .archive(try test.tar(try test.root("base", Self.system))))
        let top = try test.store.layer(Self.recipe("top", on: base), Self.work) { site in
          try Files.makeDirectories(site.root + "/opt")
        }
        #expect(Set(test.store.layers().map(\.origin)) == [base.origin, "top"])
        #expect(test.store.layers().allSatisfy { $0.size > 0 && $0.made <= Int(time(nil)) })
        let needed = try #require(throws: LabError.self) { try test.store.remove(base.key) }
        #expect(needed.message.contains("is needed by top"))
        #expect(throws: LabError.self) { try test.store.remove("") }
        #expect(throws: LabError.self) { try test.store.remove("no such") }
        // A mount in whatever namespace keeps its layers.
        let mount = test.place + "/mount"
        try Files.makeDirectories(mount)
        try Mounts.new("overlay", on: mount, "lowerdir=" + top.directories.joined(separator: ":"))
        #expect(throws: LabError.self) { try test.store.remove(top.key) }
        #expect(try test.store.removeUnused() == 0)
        #expect(umount2(mount, 0) == 0)
        #expect(try test.store.removeUnused(keeping: [top.key]) == 0)
        #expect(test.store.layers().count == 2)
        try test.store.remove(String(top.key.prefix(12)))
        #expect(test.store.layers().map(\.key) == [base.key])
        #expect(try test.store.removeUnused() > 0)
        try test.store.removeAll()
        #expect(!Files.exists(test.store.directory))
      }
    }

    @Test("an image that no engine has is refused with its name and the engines' own words")
    func engines() throws {
      // Engines mount what they like when they are asked for the first time.
      let test = try TestStore("engines")
      defer { try? Leftovers.remove(test.place) }
      for name in ["-v", "a b", "x;y", ""] {
        #expect(throws: LabError.self) { try test.store.prepare(.image(name)) }
      }
      let name = "localhost:1/no/such:image"
      let error = try #require(throws: LabError.self) { try test.store.prepare(.image(name)) }
      #expect(error.message.contains("image " + name), "\(error)")
      #expect(error.message.contains("podman: "), "\(error)")
      #expect(error.message.contains("`root: ./FILE`"), "\(error)")
    }

    @Test("an image that podman has becomes a root file system, and another when it changes")
    func podman() throws {
      let test = try TestStore("podman")
      defer { try? Leftovers.remove(test.place) }
      let name = "localhost/liburna-test-\(getpid())"
      defer { try? test.run(["podman", "rmi", "--force", name]) }
      var found: [Image] = []
      for motd in ["hello", "bye"] {
        let root = try test.root(motd, ["etc/motd": motd, "bin/true": ""])
        try test.run(["podman", "import", "--quiet", try test.tar(root), name])
        let image = try test.store.prepare(.image(name))
        #expect(try test.content(of: image) == ["etc/motd": motd, "bin/true": ""])
        #expect(try test.store.prepare(.image(name)) == image)
        found.append(image)
      }
      #expect(found[0] != found[1])
    }

    static var work: StoreWork { StoreWork(deadline: TestStore.deadline, progress: { _ in }) }

    static func recipe(_ name: String, on image: Image? = nil) -> LayerRecipe {
      let digits = name.utf8.map { String($0, radix: 16) }.joined()
      return LayerRecipe(key: digits, origin: name, on: image, needs: 0, announcement: name)
    }
  }
}
