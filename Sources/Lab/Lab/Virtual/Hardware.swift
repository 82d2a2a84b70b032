// What a virtual machine consists of, and how QEMU is told: a pure function, the same words for the
// template of a machine and for its copies, whose devices must match.

/// How QEMU runs the instructions of its guest.
enum Acceleration: String, Codable, Sendable {
  case kvm
  /// By translation: works everywhere, ten times slower.
  case tcg
}

/// A machine without its files.
struct Hardware: Equatable, Codable, Sendable {
  /// MiB.
  var memory: Int
  var processors: Int
  var acceleration: Acceleration

  /// What systemd, sshd and a few small services need.
  static let standardMemory = 256
  static let standardProcessors = 1
  static let memoryLimits = 96...65_536
  static let processorLimits = 1...64
  /// What QEMU takes for itself beside the memory of its guest, in MiB.
  static let overhead = 110
  /// Room for translated code, in MiB. Less makes a guest slow, more only makes QEMU large.
  private static let translations = 64

  /// The words that choose the machine and its processors.
  var words: [String] {
    // Processors are those of the smallest that programs are built for: vector instructions beyond
    // that are slow to translate.
    let accelerator =
      acceleration == .kvm
      ? ["-accel", "kvm", "-cpu", "host,migratable=on"]
      : [
        "-accel", "tcg,tb-size=\(Self.translations)", "-cpu", "Nehalem-v1,+rdrand,+rdtscp",
      ]
    return accelerator + [
      "-machine", "pc,memory-backend=memory,vmport=off", "-m", "\(memory)M",
      "-smp", "\(processors)", "-nodefaults", "-no-user-config", "-display", "none",
      "-no-reboot",
    ]
  }
}

/// The files and ends of one machine.
struct MachineFiles: Equatable {
  /// Absolute or relative to where QEMU is started.
  var kernel: String
  var initialDisk: String
  /// The image, and the kernel's modules.
  var image: String
  var modules: String
  /// What the machine writes to.
  var disk: String
  /// The file that its memory is read from, or kept in.
  var memory: String
  /// Whether what the machine writes to its memory goes to that file.
  var keepsMemory = false
  /// The directory of this machine that the guest may mount.
  var export: String
  /// Descriptors that QEMU inherits: the line, the network (-1 for none), the state of a template
  /// (-1 for a boot from the beginning).
  var line: Int32 = BootChannel.descriptor
  var network: Int32 = -1
  var state: Int32 = -1

  /// The names by which the guest finds things.
  static let lineName = "lab"
  static let exportName = "lab"
  static let monitor = "monitor"
}

extension Hardware {
  /// All words of a QEMU.
  func command(_ files: MachineFiles) -> [String] {
    func word(_ text: String) -> String { text.replacing(",", with: ",,") }
    var words = ["qemu-system-x86_64"] + self.words
    words += [
      "-object",
      "memory-backend-file,id=memory,size=\(memory)M,mem-path=\(word(files.memory)),"
        + "share=\(files.keepsMemory ? "on" : "off")",
      "-kernel", files.kernel, "-initrd", files.initialDisk, "-append", Self.kernelWords,
      "-chardev", "file,id=console,path=/proc/self/fd/1,append=on", "-serial", "chardev:console",
      "-qmp", "unix:\(MachineFiles.monitor),server=on,wait=off",
    ]
    let disks = [("image", files.image), ("modules", files.modules)]
    for (name, path) in disks {
      words += [
        "-blockdev",
        "driver=raw,node-name=\(name),read-only=on,file.driver=file,file.read-only=on,"
          + "file.filename=\(word(path)),file.locking=off",
        "-device", "virtio-blk-pci,drive=\(name)",
      ]
    }
    words += [
      "-blockdev",
      "driver=raw,node-name=disk,discard=unmap,file.driver=file,file.cache.no-flush=on,"
        + "file.discard=unmap,file.filename=\(word(files.disk)),file.locking=off",
      "-device", "virtio-blk-pci,drive=disk",
      "-netdev",
      files.network < 0
        ? "hubport,id=network,hubid=0" : "tap,id=network,fd=\(files.network),vhost=off",
      "-device", "virtio-net-pci,netdev=network,id=link,romfile=",
      "-device", "virtio-serial-pci",
      "-chardev", "socket,id=line,fd=\(files.line)",
      "-device", "virtserialport,chardev=line,name=\(MachineFiles.lineName)",
      "-fsdev",
      "local,id=export,path=\(word(files.export)),security_model=passthrough,multidevs=remap",
      "-device", "virtio-9p-pci,fsdev=export,mount_tag=\(MachineFiles.exportName)",
    ]
    if files.state >= 0 { words += ["-incoming", "defer"] }
    return words
  }

  /// The kernel's own words: its messages go to the console, where a log keeps them; a kernel that
  /// panics ends the machine.
  private static let kernelWords =
    "console=ttyS0 quiet loglevel=4 panic=-1 net.ifnames=0 mitigations=off "
    + "systemd.unified_cgroup_hierarchy=1 systemd.show_status=0"
}
