// What virtual machines start from: a kernel, an image, and a template of the machine, all in the cache.

import Compositions
import Glibc

extension Acceleration {
  /// Where somebody may say how QEMU is to run.
  static let variable = "LIBURNA_LAB_ACCELERATOR"

  /// What somebody said, or nil.
  static func wanted() throws -> Acceleration? {
    guard let text = getenv(variable).map({ String(cString: $0) }), !text.isEmpty else {
      return nil
    }
    guard let wanted = Acceleration(rawValue: text) else {
      throw LabError("\(variable) is \(text); it may be kvm or tcg")
    }
    return wanted
  }

  static var hasDevice: Bool {
    let device = open("/dev/kvm", O_RDWR | O_CLOEXEC)
    if device >= 0 { close(device) }
    return device >= 0
  }
}

extension Hardware {
  init(_ role: Role, _ acceleration: Acceleration) throws {
    let memory = role.memory ?? Self.standardMemory
    let processors = role.processors ?? Self.standardProcessors
    guard Self.memoryLimits.contains(memory) else {
      throw LabError(
        "role \(role.name): the memory of a virtual machine is \(Self.memoryLimits.lowerBound) to "
          + "\(Self.memoryLimits.upperBound) MiB, not \(memory)")
    }
    guard Self.processorLimits.contains(processors) else {
      throw LabError(
        "role \(role.name): a virtual machine has \(Self.processorLimits.lowerBound) to "
          + "\(Self.processorLimits.upperBound) processors, not \(processors)")
    }
    self.init(memory: memory, processors: processors, acceleration: acceleration)
  }
}

extension VirtualBackend {
  /// What an image of virtual machines has to have beside what is composed.
  private static let packages =
    BaseSystem.packages + [
      "systemd", "systemd-sysv", "dbus", "procps", "iproute2", "kmod", "libsqlite3-0", "libpq5",
      "libstdc++6",
    ]
  /// A virtual machine can't begin as this machine does: it takes the release that is tested most.
  private static let standardRoot = RootSource.debian("bookworm")
  /// How long a machine may take to come up the first time, in seconds: a kernel that does not run
  /// under this KVM hangs, and translation takes its time on a machine that does much else.
  private static let kvmPatience = 40
  private static let patience = 600

  func prepareRoot(of role: Role, _ startup: Startup) throws -> PreparedRoot {
    let deadline = Deadline(seconds: ImageStore.patience + Self.patience)
    let cache = MachineCache.standard
    func say(_ text: String) { startup.say(text) }
    let program = try HostProgram.find(
      besides: Files.resolve(startup.program) ?? startup.program)
    let store = try ImageStore(program: startup.program)
    let image = try image(for: role, startup, store)
    let kernel = try Kernel.prepare(cache, deadline: deadline, progress: say)
    let maker = TemplateMaker(
      cache: cache, kernel: kernel, image: try store.squashfs(of: image, progress: say),
      program: program, tool: startup.executable, deadline: deadline, progress: { say($0) })
    let template = try maker.template(for: role, within: (Self.kvmPatience, Self.patience))
    return PreparedRoot(
      directories: [template.directory], accounts: try Accounts(layers: image.directories))
  }
}

extension VirtualBackend {
  /// The role's image with what makes a machine of it.
  private func image(for role: Role, _ startup: Startup, _ store: ImageStore) throws -> Image {
    let composition = startup.composition
    let packages = Self.packages + composition.packages + role.packages
    let work = StoreWork(
      deadline: Deadline(seconds: ImageStore.patience), progress: { startup.say($0) })
    if let installed = startup.settings.image, !installed.directories.isEmpty {
      return try store.withPackages(Set(packages).sorted(), on: installed, work)
    }
    let source = composition.root == .host ? Self.standardRoot : composition.root
    return try store.prepare(source, packages: packages, work)
  }
}

/// Finds or makes the template for the machines of a role.
struct TemplateMaker {
  var cache: MachineCache
  var kernel: Kernel
  var image: String
  var program: String
  var tool: Int32
  var deadline: Deadline
  var progress: (String) -> Void

  func template(for role: Role, within patience: (kvm: Int, tcg: Int)) throws -> Template {
    if let wanted = try Acceleration.wanted() {
      return try make(try Hardware(role, wanted), within: patience.tcg)
    }
    let machine = Files.value("/proc/sys/kernel/osrelease") ?? ""
    let known = Files.value(cache.accelerator)
    guard Acceleration.hasDevice, known != "tcg " + machine else {
      return try make(try Hardware(role, .tcg), within: patience.tcg)
    }
    do {
      let template = try make(
        try Hardware(role, .kvm), within: known == "kvm " + machine ? patience.tcg : patience.kvm)
      try Files.write("kvm \(machine)\n", to: cache.accelerator)
      return template
    } catch  where known != "kvm " + machine {
      progress("KVM does not run this kernel here (\(error)); emulating from now on")
      try Files.write("tcg \(machine)\n", to: cache.accelerator)
      return try make(try Hardware(role, .tcg), within: patience.tcg)
    }
  }

  private func make(_ hardware: Hardware, within seconds: Int) throws -> Template {
    let key = try Digest.of(
      [
        "machine 1", "\(hardware)", kernel.version, try Self.identity(image),
        try Self.identity(program), try Self.identity(ToolRun.find("qemu-system-x86_64") ?? ""),
      ], deadline: deadline)
    let directory = try cache.make(key, in: cache.templates, deadline: deadline) { place in
      let words = hardware.acceleration == .kvm ? "by KVM" : "emulated, about half a minute"
      progress("booting a machine of \(hardware.memory) MiB once (\(words))")
      let recipe = Template.Recipe(
        hardware: hardware, kernel: kernel, image: image, program: program, tool: tool)
      try Template.make(recipe, at: place, deadline: Deadline(seconds: seconds))
    }
    cache.removeOldTemplates()
    return Template(directory: directory)
  }

  /// Tells a file from what it was before it changed.
  private static func identity(_ path: String) throws -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { throw LabError.system("examine", path) }
    return "\(path) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
  }
}
