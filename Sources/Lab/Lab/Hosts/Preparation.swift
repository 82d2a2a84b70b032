// The scripts that a host runs at each boot before its services. What they write goes to the log of the
// boot.

import Glibc

enum Preparation {
  /// Runs the scripts of a plan one after the other.
  ///
  /// - Parameter confined: whether the kernel is that of the machine, which they must not change.
  static func run(_ plan: HostPlan, confined: Bool = true) throws {
    guard !plan.prepare.isEmpty else { return }
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(input) }
    for (number, script) in plan.prepare.enumerated() {
      let child = try Launch(
        program: .path("/bin/sh"), arguments: HostPlan.shell(script),
        environment: RunningServices.environment + ["HOME=/root", "USER=root", "LOGNAME=root"]
          + plan.environment,
        descriptors: [input, STDOUT_FILENO, STDERR_FILENO], directory: "/", newSession: true,
        confined: confined, makesDevices: plan.containers
      ).start()
      let code = child.wait()
      guard code == 0 else {
        throw LabError("script \(number + 1) of `prepare` ended with exit code \(code)")
      }
    }
  }
}
