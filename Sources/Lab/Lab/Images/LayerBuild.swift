// The making of one layer: under a lock, in a directory beside, put in its place when it is complete.
// A tool that dies half way leaves a directory that the next one removes.

import CLinux
import Glibc

/// What a layer is made from and how.
struct LayerRecipe {
  /// Tells layers apart; from ``Digest``.
  var key: String
  /// For people: what it is made from.
  var origin: String
  /// The image that it lies on; nil for one that is a root file system by itself.
  var on: Image?
  /// Bytes of the disk without which it is not begun.
  var needs: Int
  /// What is said while it is made.
  var announcement: String
}

/// The directories of a layer that is being made.
struct LayerSite {
  /// Holds everything of it, and is removed in the end.
  var directory: String
  /// Tells it from other sites.
  var name: String
  var root: String { directory + "/root" }
  /// For files that are needed while it is made.
  var scratch: String { directory + "/scratch" }
  var log: String { directory + "/log" }
  /// Locked, and held by whoever works here.
  var lock: Int32
}

extension ImageStore {
  /// The layer of a recipe: the stored one, or one made now by `fill`, which fills the site's root.
  func layer(
    _ recipe: LayerRecipe, _ work: StoreWork, fill: (LayerSite) throws -> Void
  ) throws -> Image {
    try make(
      recipe.origin, place: recipe.key, needs: recipe.needs, announcement: recipe.announcement,
      work,
      found: { layerRecord(recipe.key).map(image) }
    ) { site in
      try Files.makeDirectories(site.root, mode: 0o755)
      try fill(site)
      return try keep(recipe, site)
    }
  }

  /// What is found, or what is made now, at a site that only one tool at a time has.
  ///
  /// - Parameters:
  ///   - what: what it is, for messages.
  ///   - place: tells sites apart.
  ///   - needs: bytes of the disk without which it is not begun.
  func make<Made>(
    _ what: String, place name: String, needs: Int, announcement: String, _ work: StoreWork,
    found: () -> Made?, by build: (LayerSite) throws -> Made
  ) throws -> Made {
    if let found = found() { return found }
    guard geteuid() == 0 else {
      throw LabError(
        "\(what) is not in \(directory), and making it needs root; run this command with sudo")
    }
    try Files.makeDirectories(directory + "/building", mode: 0o700)
    let place = building(name)
    let lock = try StoreLock(making: place, work, of: what)
    defer { lock.release() }
    defer { try? Leftovers.remove(place) }
    // Another tool may have made it while we waited.
    if let found = found() { return found }
    for name in Files.list(place) { try Leftovers.remove(place + "/" + name) }
    try Disk.require(needs, in: directory, for: what)
    work.progress(announcement)
    let site = LayerSite(directory: place, name: name, lock: lock.descriptor)
    do {
      try Files.makeDirectories(site.scratch, mode: 0o700)
      return try build(site)
    } catch {
      throw explain(error, what, site)
    }
  }

  /// Puts a complete layer in its place.
  private func keep(_ recipe: LayerRecipe, _ site: LayerSite) throws -> Image {
    try Leftovers.remove(site.scratch)
    try Leftovers.remove(site.log)
    let below = recipe.on?.directories ?? []
    let own = below.compactMap { path in
      path.hasPrefix(directory + "/layers/") && path.hasSuffix("/root")
        ? String(path.dropFirst((directory + "/layers/").count).dropLast("/root".count)) : nil
    }
    let record = LayerRecord(
      key: recipe.key, origin: recipe.origin, below: own,
      outside: Array(below.dropFirst(own.count)), size: Disk.usage(of: site.root),
      made: Int(time(nil)))
    try Kept.write(record, to: site.directory + "/record")
    // A record alone makes a layer, so whatever is there without one is no layer.
    try Files.makeDirectories(directory + "/layers", mode: 0o755)
    try Leftovers.remove(layer(recipe.key))
    guard rename(site.directory, layer(recipe.key)) == 0 else {
      throw LabError.system("put in place", layer(recipe.key))
    }
    return image(record)
  }

  /// The failure with the log that explains it, which is kept.
  private func explain(_ error: any Error, _ what: String, _ site: LayerSite) -> LabError {
    var failure = error as? LabError ?? LabError("\(error)")
    // A layer that this one needed says all about itself.
    guard failure.logTail.isEmpty else { return failure }
    failure.logTail = Files.tail(site.log, lines: Startup.logLines)
    let isFull = (failure.logTail + [failure.message]).contains {
      $0.contains("No space left on device")
    }
    if isFull || Disk.isFull(directory) {
      failure.message = Disk.full(directory, used: Disk.usage(of: site.directory), for: what)
      return failure
    }
    failure.message = "\(what): \(failure.message)"
    guard !failure.logTail.isEmpty else { return failure }
    try? Files.makeDirectories(directory + "/logs", mode: 0o700)
    if rename(site.log, log(site.name)) == 0 {
      failure.message += "; the whole log is \(log(site.name))"
    }
    return failure
  }

  /// Runs a builder and returns when it has done all that the plan says.
  ///
  /// - Parameter what: what fails if it does, such as "mmdebstrap".
  func build(_ plan: BuildPlan, at site: LayerSite, _ what: String, _ work: StoreWork) throws {
    let (child, channel) = try startBuilder(plan, at: site)
    let ended = child.ends(before: work.deadline)
    if !ended { kill(child.pid, SIGKILL) }
    let code = child.wait()
    close(channel)
    guard ended else { throw LabError("\(what) did not end in time and was stopped") }
    guard code == 0 else { throw LabError("\(what) failed with exit code \(code)") }
  }

  /// Starts a builder, which ends with everything that it started when the descriptor that is given
  /// with it closes.
  func startBuilder(_ plan: BuildPlan, at site: LayerSite) throws -> (Child, channel: Int32) {
    let file = site.scratch + "/plan"
    try Kept.write(plan, to: file)
    let log = open(site.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else { throw LabError.system("open", site.log) }
    defer { close(log) }
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(input) }
    let (channel, theirs) = try ControlChannel.pair()
    defer { close(theirs) }
    let launch = Launch(
      program: .path(program), arguments: ["liburna", "lab", Self.buildCommand, file],
      environment: ToolRun.environment,
      // The lock goes along: it is free when the builder, and not just the tool, is gone.
      descriptors: [input, log, log, theirs, site.lock],
      makes: clinux_ns_mount | clinux_ns_pid | clinux_ns_ipc, directory: "/", newSession: true)
    do {
      return (try launch.start(), channel.descriptor)
    } catch {
      close(channel.descriptor)
      throw LabError("\(error)")
    }
  }
}

/// The lock of the making of one layer: on the directory in which it is made.
struct StoreLock {
  let descriptor: Int32

  /// How often a lock that another tool holds is tried again, in microseconds.
  private static let pause: UInt32 = 50_000

  /// Locks a directory, which is made if need be, as soon as nobody else has it.
  init(making directory: String, _ work: StoreWork, of origin: String) throws {
    var said = false
    while true {
      try Files.makeDirectories(directory, mode: 0o700)
      if let lock = Self.take(directory) {
        descriptor = lock
        return
      }
      if !said { work.progress("\(origin): another tool is just making it") }
      said = true
      guard !work.deadline.isOver else {
        throw LabError("\(origin): another tool has been making it for too long; try again later")
      }
      usleep(Self.pause)
    }
  }

  /// Locks a directory if it is there and nobody has it.
  init?(free directory: String) {
    guard let lock = Self.take(directory) else { return nil }
    descriptor = lock
  }

  private static func take(_ directory: String) -> Int32? {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    var held = stat()
    var named = stat()
    // It may have been removed, or put in its place, before the lock was ours.
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &held) == 0,
      stat(directory, &named) == 0, held.st_ino == named.st_ino, held.st_dev == named.st_dev
    {
      return descriptor
    }
    close(descriptor)
    return nil
  }

  func release() { close(descriptor) }
}

/// What a layer's making leaves behind.
enum Leftovers {
  /// How often a removal is tried while processes of a dead builder still write, 20 ms apart.
  private static let attempts = 50

  static func remove(_ path: String) throws {
    for _ in 1..<attempts {
      if (try? Files.removeTree(path)) != nil { return }
      usleep(20_000)
    }
    try Files.removeTree(path)
  }
}
