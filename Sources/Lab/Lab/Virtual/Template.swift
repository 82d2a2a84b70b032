// The template of a machine: booted once until systemd runs and our service waits for its orders, then
// kept with its memory, the state of its devices and its disk. Hosts are copies of it, which go on
// from there.

import Glibc

/// A template in the cache.
struct Template: Equatable {
  var directory: String

  var kernel: String { directory + "/kernel" }
  var initialDisk: String { directory + "/initial" }
  var image: String { directory + "/image" }
  var modules: String { directory + "/modules" }
  var disk: String { directory + "/disk" }
  var memory: String { directory + "/memory" }
  var state: String { directory + "/state" }
  private var hardwareFile: String { directory + "/hardware" }

  func hardware() throws -> Hardware { try Kept.read(Hardware.self, from: hardwareFile) }

  /// How large the disk of a host may become; only what is written takes room.
  private static let diskSize = 8 << 30

  /// What a template is made from.
  struct Recipe {
    var hardware: Hardware
    var kernel: Kernel
    /// A squashfs file, which stays where it is.
    var image: String
    /// The static program that becomes the guest's part of the lab.
    var program: String
    /// The tool, which starts QEMU so that it does not outlive it.
    var tool: Int32
  }

  /// Makes the directory of a template: what every boot needs, and then the memory.
  static func make(_ recipe: Recipe, at directory: String, deadline: Deadline) throws {
    let template = Template(directory: directory)
    try Disk.require(
      (recipe.hardware.memory << 20) + (64 << 20), in: directory, for: "a virtual machine")
    // Links to what is shared with other templates, which may be removed in their own time.
    for (target, name) in [
      (recipe.kernel.image, template.kernel), (recipe.kernel.modules, template.modules),
      (recipe.image, template.image),
    ] {
      guard link(target, name) == 0 || symlink(target, name) == 0 else {
        throw LabError.system("link", name)
      }
    }
    try InitialDisk.write(
      program: recipe.program, modules: recipe.kernel.early, to: template.initialDisk)
    try template.makeDisk(deadline)
    try Files.makeDirectories(directory + "/export")
    try Kept.write(recipe.hardware, to: template.hardwareFile)
    try template.boot(recipe, deadline)
  }

  private func makeDisk(_ deadline: Deadline) throws {
    let file = open(disk, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0, ftruncate(file, off_t(Self.diskSize)) == 0 else {
      throw LabError.system("make", disk)
    }
    close(file)
    guard ToolRun.find("mkfs.ext4") != nil else {
      throw LabError("mkfs.ext4 is missing; apt-get install e2fsprogs")
    }
    // A small journal, and nothing that is written later in the background.
    try Kernel.run(
      [
        "mkfs.ext4", "-q", "-F", "-m", "0", "-N", "262144", "-J", "size=8", "-E",
        "lazy_itable_init=0,lazy_journal_init=0,nodiscard", "-O", "^resize_inode,^huge_file", disk,
      ], "make a file system in \(disk)", deadline)
  }

  // MARK: - The memory

  private func boot(_ recipe: Recipe, _ deadline: Deadline) throws {
    let log = open(directory + "/console", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    let (line, theirs) = try ControlChannel.pair()
    defer { for descriptor in [log, input, line.descriptor] { close(descriptor) } }
    var files = MachineFiles(
      kernel: "kernel", initialDisk: "initial", image: "image", modules: "modules", disk: "disk",
      memory: "memory", export: "export")
    files.keepsMemory = true
    let child = try Launch(
      program: .descriptor(recipe.tool),
      arguments: ["liburna", "lab", GuestLaunch.templateCommand]
        + recipe.hardware.command(files),
      environment: RunningServices.environment, descriptors: [input, log, log, theirs],
      directory: directory, newSession: true
    ).start()
    close(theirs)
    defer {
      kill(child.pid, SIGKILL)
      _ = child.wait()
      unlink(directory + "/" + MachineFiles.monitor)
    }
    try awaitReadiness(line.descriptor, child, deadline)
    try keep(child, deadline)
  }

  private func awaitReadiness(_ line: Int32, _ child: Child, _ deadline: Deadline) throws {
    do {
      guard try ByteStream.line(from: line, before: deadline) == GuestService.greeting else {
        throw LabError("the machine ended")
      }
    } catch {
      throw LabError(
        "a virtual machine does not come up: \(error)",
        logTail: Console.tail(directory + "/console"))
    }
  }

  private func keep(_ child: Child, _ deadline: Deadline) throws {
    let monitor = try Monitor(directory + "/" + MachineFiles.monitor)
    try monitor.run("migrate-set-capabilities", Self.ignoreShared)
    // As fast as can be: it is a file.
    try monitor.run("migrate-set-parameters", "{\"max-bandwidth\": 100000000000}")
    try monitor.run("migrate", "{\"uri\": \"exec:cat > state\"}")
    while true {
      let answer = try monitor.run("query-migrate")
      switch answer["status"]?.string {
      case "completed": return
      case "failed", "cancelled":
        throw LabError("QEMU can't keep a machine: \(answer["error-desc"]?.string ?? "no reason")")
      default: break
      }
      guard !deadline.isOver else { throw LabError("QEMU does not get ready to keep a machine") }
      usleep(20_000)
    }
  }

  /// The memory is a file already: only the state of the devices is told.
  static let ignoreShared =
    "{\"capabilities\": [{\"capability\": \"x-ignore-shared\", \"state\": true}]}"
}
