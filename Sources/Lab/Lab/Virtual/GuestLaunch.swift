// Processes that become QEMU: one for a template, and one for each host, which first makes what the
// machine is connected to. They are started where the lab's network and disks are.

import CLinux
import Compositions
import Glibc

enum GuestLaunch {
  /// Hidden commands of `liburna lab`.
  static let templateCommand = "__template"
  static let machineCommand = "__guest"

  /// Becomes the QEMU of a template, which dies with the tool that started it.
  static func runTemplate(_ words: [String]) -> Int32 {
    guard clinux_vm_die_with(getppid()) else { return 1 }
    return become(words)
  }

  /// What `liburna lab __guest DIRECTORY HOST` does, with the line as descriptor 3.
  static func runMachine(_ paths: LabPaths, host: String) -> Int32 {
    do {
      let plan = try Kept.read(HostPlan.self, from: paths.plan(host))
      let files = try prepare(paths, plan)
      let template = try Kept.read(MachineRecord.self, from: paths.machine(host) + "/record")
        .template
      return become(try template.hardware().command(files))
    } catch {
      return StandardError.say("\(error)")
    }
  }

  private static func prepare(_ paths: LabPaths, _ plan: HostPlan) throws -> MachineFiles {
    let record = try Kept.read(MachineRecord.self, from: paths.machine(plan.name) + "/record")
    let template = record.template
    try Mounts.makeAllPrivate()
    let export = try MachineExport(paths: paths, plan: plan).make()
    let disk = paths.disk(plan.name) + "/disk"
    if record.isCopy { try copy(template.disk, to: disk) }
    let plug = plugName(plan.index)
    let tap = clinux_vm_tap(plug)
    guard tap >= 0 else { throw LabError.system("make the interface", plug) }
    try Netlink().plug(plug)
    var files = MachineFiles(
      kernel: template.kernel, initialDisk: template.initialDisk, image: template.image,
      modules: template.modules, disk: disk, memory: template.memory, export: export)
    files.network = tap
    if record.isCopy {
      // Stays open in QEMU, which is told to read it once it runs.
      files.state = open(template.state, O_RDONLY)
      guard files.state >= 0 else { throw LabError.system("open", template.state) }
      guard dup2(files.state, MachineRecord.stateDescriptor) >= 0 else {
        throw LabError.system("pass", template.state)
      }
    } else {
      // A boot from the beginning: memory that is nobody else's.
      files.memory = paths.disk(plan.name) + "/memory"
      unlink(files.memory)
      files.keepsMemory = true
    }
    return files
  }

  /// The end on the switch of the host of that place.
  static func plugName(_ index: Int) -> String { "vm\(index)" }

  private static func copy(_ path: String, to target: String) throws {
    let from = open(path, O_RDONLY | O_CLOEXEC)
    let to = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    defer { for file in [from, to] where file >= 0 { close(file) } }
    guard from >= 0, to >= 0 else { throw LabError.system("copy", path) }
    let error = clinux_vm_copy_sparse(from, to)
    guard error == 0 else { throw LabError.system("copy \(path) to", target, error) }
  }

  private static func become(_ words: [String]) -> Int32 {
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    arguments.append(nil)
    for directory in HostCommand.searchPath { execv(directory + "/" + words[0], &arguments) }
    return StandardError.say("cannot run \(words[0]): \(String(cString: strerror(errno)))")
  }
}

/// What the process that becomes a host's QEMU must know beside the plan.
struct MachineRecord: Codable {
  private var directory: String
  /// Whether the machine goes on from the template, rather than booting with its own disk.
  var isCopy: Bool

  var template: Template { Template(directory: directory) }

  init(_ template: Template, isCopy: Bool) {
    (directory, self.isCopy) = (template.directory, isCopy)
  }

  /// Where QEMU finds the state of the template.
  static let stateDescriptor: Int32 = 9
}

extension LabPaths {
  /// What belongs to the virtual machine of a host.
  func machine(_ host: String) -> String { directory + "/machines/" + host }
  func monitor(_ host: String) -> String { machine(host) + "/" + MachineFiles.monitor }
}

/// What a guest may mount: one directory with all that it shares with this machine.
struct MachineExport {
  var paths: LabPaths
  var plan: HostPlan

  /// Names in the export.
  static let hosts = "hosts"
  static let logs = "logs"
  static func shared(_ number: Int) -> String { "shared/\(number)" }
  static func volume(_ number: Int) -> String { "volumes/\(number)" }

  /// Makes the directory, in a mount namespace of QEMU's own.
  func make() throws -> String {
    let export = paths.disk(plan.name) + "/export"
    try Files.makeDirectories(export)
    try Mounts.new("tmpfs", on: export, "mode=0755,size=1m")
    try show(paths.hostsFile, as: Self.hosts, in: export)
    try show(paths.logs(plan.name), as: Self.logs, in: export)
    for (number, directory) in plan.shared.enumerated() {
      try show(paths.shared(directory), as: Self.shared(number), in: export)
    }
    for (number, volume) in plan.volumes.enumerated() {
      let target = try show(volume.source, as: Self.volume(number), in: export)
      if volume.mode != .rw { try Mounts.makeReadOnly(target) }
    }
    return export
  }

  @discardableResult
  private func show(_ source: String, as name: String, in export: String) throws -> String {
    let target = export + "/" + name
    try Mounts.makePlace(target, for: source)
    try Mounts.bind(source, to: target, deep: true)
    return target
  }
}
