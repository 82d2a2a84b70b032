// Checks of the programs that labs are made with, each with the Debian package that brings it.

extension Doctor {
  struct Tool: Sendable {
    var program: String
    var package: String
    /// What it is for, as in "… is missing, which shows many hosts".
    var purpose: String
    /// Whether every lab on the machine's own root needs it.
    var isNeeded = false
  }

  static let tools = [
    Tool(
      program: "sshd", package: "openssh-server", purpose: "log in from host to host",
      isNeeded: true),
    Tool(
      program: "ssh-keygen", package: "openssh-client", purpose: "keys of a lab", isNeeded: true),
    Tool(
      program: "munged", package: "munge", purpose: "who asks, from host to host", isNeeded: true),
    Tool(program: "tmux", package: "tmux", purpose: "connect to many hosts"),
    Tool(program: "mmdebstrap", package: "mmdebstrap", purpose: "images of Debian"),
    Tool(program: "git", package: "git", purpose: "install git+URL"),
  ]

  static func tool(_ tool: Tool, _ readings: Readings) -> Finding {
    if let path = readings.program(tool.program) { return Finding(tool.program, .fine, path) }
    return Finding(
      tool.program, tool.isNeeded ? .missing : .limited, "missing; for: \(tool.purpose)",
      remedy: "apt-get install \(tool.package)")
  }

  // MARK: - Virtual machines

  static func emulator(_ readings: Readings) -> (program: String, package: String) {
    switch readings.processor {
    case "aarch64": ("qemu-system-aarch64", "qemu-system-arm")
    case "ppc64le": ("qemu-system-ppc64", "qemu-system-ppc")
    default: ("qemu-system-x86_64", "qemu-system-x86")
    }
  }

  static func kvm(_ readings: Readings) -> Finding {
    let subject = "KVM"
    let slow = "virtual machines are emulated, which is many times slower"
    if readings.isDirectory("/sys/module/kvm_pvm"), !readings.isDirectory("/sys/module/kvm_intel"),
      !readings.isDirectory("/sys/module/kvm_amd")
    {
      return Finding(
        subject, .limited, "only a kind (pvm) that does not run stock kernels; \(slow)")
    }
    if readings.opens("/dev/kvm") { return Finding(subject, .fine, "/dev/kvm can be used") }
    if readings.text("/proc/misc")?.contains(" kvm") == true {
      return Finding(
        subject, .limited, "/dev/kvm can't be opened; \(slow)",
        remedy: "adduser \(readings.userName) kvm, and log in again")
    }
    return Finding(
      subject, .limited, "the machine has none; \(slow)",
      remedy: "turn virtualisation on in the firmware, or nested virtualisation in its host")
  }
}
