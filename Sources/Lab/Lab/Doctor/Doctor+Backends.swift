// Which backends work on a machine, and what keeps the others from it.

extension Doctor {
  static func namespacesBackend(_ readings: Readings) -> Finding {
    let subject = "namespaces"
    var faults = [
      overlay(readings), namespaces(readings), controllers(readings), hosts(Capacity(readings)),
    ]
    faults += tools.filter(\.isNeeded).map { tool($0, readings) }
    if !readings.isRoot {
      var users = userNamespaces(readings)
      // Without numbers for the users of hosts there are no hosts.
      if users.state != .fine { users.state = .missing }
      faults.insert(users, at: 0)
    }
    if let fault = faults.first(where: { $0.state == .missing }) {
      return Finding(subject, .missing, "\(fault.subject): \(fault.fact)", remedy: fault.remedy)
    }
    return Finding(subject, .fine, readings.isRoot ? "works" : "works without root")
  }

  /// podman or docker, by its socket.
  static func engine(_ name: String, _ readings: Readings) -> Finding {
    let sockets = sockets(of: name, readings)
    if let socket = sockets.first(where: { readings.accepts($0) }) {
      return Finding(name, .fine, "answers on \(socket)")
    }
    let package = name == "docker" ? "docker.io" : name
    guard readings.program(name) != nil else {
      return Finding(name, .missing, "not installed", remedy: "apt-get install \(package)")
    }
    let unit = name == "docker" ? "docker" : "podman.socket"
    return Finding(
      name, .missing, "installed; nothing answers on \(sockets.joined(separator: " or "))",
      remedy: readings.isDirectory("/run/systemd/system")
        ? "systemctl \(readings.isRoot ? "" : "--user ")start \(unit)"
        : name == "podman" ? "podman system service --time=0 &" : "dockerd &")
  }

  private static func sockets(of name: String, _ readings: Readings) -> [String] {
    let system = name == "docker" ? "/run/docker.sock" : "/run/podman/podman.sock"
    guard !readings.isRoot, let runtime = readings.variable("XDG_RUNTIME_DIR") else {
      return [system]
    }
    return ["\(runtime)/\(name == "docker" ? "docker.sock" : "podman/podman.sock")", system]
  }

  static func virtualMachines(_ readings: Readings) -> Finding {
    let (program, package) = emulator(readings)
    guard readings.program(program) != nil else {
      return Finding(
        "vm", .missing, "\(program) is missing", remedy: "apt-get install \(package)")
    }
    let kvm = kvm(readings)
    return kvm.state == .fine
      ? Finding("vm", .fine, "works with KVM")
      : Finding("vm", .limited, "works; \(kvm.fact)", remedy: kvm.remedy)
  }

  static func machines(_ readings: Readings) -> Finding {
    readings.program("ssh") == nil
      ? Finding("machines", .missing, "ssh is missing", remedy: "apt-get install openssh-client")
      : Finding("machines", .fine, "works, for machines that ssh reaches as root")
  }
}
