// The services of a host whose first process is systemd: its plan as units. A pure function, and the
// step into systemd.

import Compositions
import Glibc

enum SystemdUnits {
  static let program = "/sbin/init"
  /// What brings it to an image.
  static let packages = ["systemd-sysv", "dbus"]
  private static let directory = "/etc/systemd/system/"
  /// The units of services are wanted by it.
  static let target = "multi-user.target"

  /// Units that can't work in a host that has no devices, clock, keyboard or kernel of its own.
  static let masked = [
    "systemd-udevd.service", "systemd-udevd-kernel.socket", "systemd-udevd-control.socket",
    "systemd-udev-trigger.service", "systemd-modules-load.service", "systemd-timesyncd.service",
    "systemd-networkd.service", "systemd-networkd-wait-online.service", "systemd-resolved.service",
    "systemd-sysctl.service", "systemd-journald-audit.socket", "systemd-random-seed.service",
    "systemd-remount-fs.service", "getty.target", "console-getty.service", "getty@.service",
    "serial-getty@.service", "systemd-logind.service", "sys-kernel-config.mount",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-fs-fuse-connections.mount",
    "dev-hugepages.mount", "dev-mqueue.mount", "tmp.mount", "apt-daily.timer",
    "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
    "man-db.timer", "networking.service", "ifupdown-pre.service", "systemd-firstboot.service",
  ]
  /// Units that come with packages and would do what the lab's own do.
  static let replaced = ["ssh.service", "ssh.socket", "munge.service"]

  /// What makes systemd start the services of a plan.
  ///
  /// - Parameters:
  ///   - masksDevices: whether the host is a container rather than a machine with a kernel.
  ///   - logs: the directory of logs in the host.
  static func items(
    _ plan: HostPlan, masksDevices: Bool = true, logs: String = GuestPaths.logs
  ) -> [PlannedItem] {
    let units =
      [boot(plan), prepare(plan, logs), serve(logs)] + plan.services.map { unit($0, plan, logs) }
    let masks = replaced + (masksDevices ? masked : [])
    return units.compactMap(\.self).flatMap { unit in
      [
        .file(directory + unit.name, unit.text),
        .link("\(directory)\(target).wants/\(unit.name)", to: directory + unit.name),
      ]
    } + masks.map { .link(directory + $0, to: "/dev/null") }
      + [.link(directory + "default.target", to: "/lib/systemd/system/" + target)]
  }

  private struct Unit {
    var name: String
    var text: String
  }

  /// The name of a service's unit.
  static func name(_ service: String) -> String { "lab-\(service).service" }

  private static func unit(
    _ service: PlannedService, _ plan: HostPlan, _ logs: String
  ) -> Unit {
    let account = service.account
    let variables =
      RunningServices.environment
      + ["HOME=\(account.home)", "USER=\(account.name)", "LOGNAME=\(account.name)"]
      + plan.environment
    let lines =
      [
        "[Unit]", "Description=\(service.name) of the lab",
        "After=lab-boot.service lab-prepare.service", "StartLimitIntervalSec=0", "[Service]",
        // Whatever is in the words, systemd takes them as they are: `:` turns variables off.
        "ExecStart=:" + service.arguments.map(quoted).joined(separator: " "),
        "User=\(account.name)", "WorkingDirectory=/",
        "Restart=\(service.isKept ? "always" : "no")", "RestartSec=100ms",
        "StandardOutput=append:\(logs)/\(service.name).log",
        "StandardError=append:\(logs)/\(service.name).log", "KillMode=process",
      ] + variables.map { "Environment=" + quoted($0) } + ["[Install]", "WantedBy=\(target)"]
    return Unit(name: name(service.name), text: lines.joined(separator: "\n") + "\n")
  }

  /// Directories that do not survive a boot: systemd makes /run anew after we have gone.
  private static func boot(_ plan: HostPlan) -> Unit {
    let made = plan.boot.filter { $0.kind == .directory }.map { item in
      let mode = String(item.mode, radix: 8)
      return "ExecStart=:/usr/bin/install -d -m \(mode) -o \(item.user) -g \(item.group) "
        + quoted(item.path)
    }
    let lines =
      [
        "[Unit]", "Description=Directories of the lab", "[Service]", "Type=oneshot",
        "RemainAfterExit=yes",
      ] + (made.isEmpty ? ["ExecStart=/bin/true"] : made) + ["[Install]", "WantedBy=\(target)"]
    return Unit(name: "lab-boot.service", text: lines.joined(separator: "\n") + "\n")
  }

  private static func prepare(_ plan: HostPlan, _ logs: String) -> Unit? {
    guard !plan.prepare.isEmpty else { return nil }
    let log = "\(logs)/\(LabPaths.bootLog).log"
    let lines =
      [
        "[Unit]", "Description=Preparations of the lab", "After=lab-boot.service", "[Service]",
        "Type=oneshot", "RemainAfterExit=yes", "StandardOutput=append:\(log)",
        "StandardError=append:\(log)",
      ]
      + plan.prepare.map {
        "ExecStart=:" + HostPlan.shell($0).map(quoted).joined(separator: " ")
      }
      + (RunningServices.environment + ["HOME=/root", "USER=root", "LOGNAME=root"]
      + plan.environment).map { "Environment=" + quoted($0) }
      + ["[Install]", "WantedBy=\(target)"]
    return Unit(name: "lab-prepare.service", text: lines.joined(separator: "\n") + "\n")
  }

  /// Requests are taken as before, by a process of their own.
  private static func serve(_ logs: String) -> Unit {
    let lines = [
      "[Unit]", "Description=The line to the lab",
      "ConditionPathIsDirectory=\(GuestPaths.lineDirectory)", "[Service]",
      "ExecStart=\(GuestPaths.program) serve --listen \(GuestPaths.lineSocket)",
      "Restart=always", "RestartSec=100ms", "KillMode=process",
      "StandardOutput=append:\(logs)/\(LabPaths.bootLog).log",
      "StandardError=append:\(logs)/\(LabPaths.bootLog).log", "[Install]", "WantedBy=\(target)",
    ]
    return Unit(name: "lab-line.service", text: lines.joined(separator: "\n") + "\n")
  }

  /// A word as unit files have it: in quotes, with percent signs doubled.
  static func quoted(_ word: String) -> String {
    var text = "\""
    for character in word.unicodeScalars {
      switch character {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "%": text += "%%"
      default: text.unicodeScalars.append(character)
      }
    }
    return text + "\""
  }

  /// Becomes systemd. Only returns, with the kernel's error, if that fails.
  static func run() -> Int32 {
    resetSignals()
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(program), nil]
    defer { free(arguments[0]) }
    execv(program, &arguments)
    return errno
  }

  /// systemd begins with no signal blocked.
  private static func resetSignals() {
    signal(SIGPIPE, SIG_DFL)
    var none = sigset_t()
    sigemptyset(&none)
    sigprocmask(SIG_SETMASK, &none, nil)
  }
}
