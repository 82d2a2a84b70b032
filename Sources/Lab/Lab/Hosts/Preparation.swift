// The scripts that a host runs at each boot before its services.

import Glibc

enum Preparation {
  /// Runs the scripts of a plan one after the other; what they write goes to a log in `logs`.
  static func run(_ plan: HostPlan, logs: Int32) throws {
    guard !plan.prepare.isEmpty else { return }
    let log = try RunningServices.log(name, in: logs)
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer {
      close(log)
      close(input)
    }
    for (number, script) in plan.prepare.enumerated() {
      let child = try Launch(
        program: .path("/bin/sh"), arguments: HostPlan.shell(script),
        environment: RunningServices.environment + ["HOME=/root", "USER=root", "LOGNAME=root"]
          + plan.environment,
        descriptors: [input, log, log], directory: "/", newSession: true, confined: true
      ).start()
      let code = child.wait()
      guard code == 0 else {
        throw LabError("the script \(number + 1) of `prepare` ended with exit code \(code)")
      }
    }
  }

  /// The log's name without its ending.
  static let name = "prepare"
}
