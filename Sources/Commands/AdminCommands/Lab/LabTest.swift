// `liburna lab test`: a script on a lab that is made for it, and its exit code; what CI calls.

import CommandLine
import Compositions
import Glibc
import Lab

/// The command `lab test`.
enum LabTest: LabVerb {
  static let keep = Key<Bool>.flag("-k", "--keep", help: "Leave the lab there afterwards")
  static let host = Key<String?>.text(
    "--on", value: "HOST", help: "Where the script is run [frontend, or the first host]")

  static let words = 0...Int.max
  /// Where hosts see the directory of the script.
  static let directory = "/test"

  static let definition = CommandDefinition(
    "liburna lab test", "Run a script on a lab made for it, and end with its exit code",
    synopsis: ["[OPTIONS] [SCRIPT [ARGUMENT...]]"], operands: .command,
    options: CompositionOption.all + LabMachineOptions.all + [
      keep, host, LabOption.user, StartOption.binaries, StartOption.timeout, LabOption.name,
    ],
    details: [
      "The lab has a name of its own, unless --name says otherwise, so that tests can run beside "
        + "other labs. Without SCRIPT, the test of the composition is run. All hosts see the "
        + "directory of SCRIPT as \(directory), which they can't change. "
        + "The script is run as user1, if -l does not name another."
    ],
    examples: [("liburna lab test -n 4 tests/smoke.sh", "and $? says how it went")],
    exitCodes: [
      (0, "those of the script"), (1, "or the lab could not be made, as the message says"),
    ])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try Lab(name: arguments[LabOption.name] ?? "test-\(getpid())")
    var settings = try StartOption.settings(arguments, before: nil, of: lab)
    let command = try command(arguments, &settings)
    let hosts = settings.composition.hosts
    let usual = hosts.contains(LabConnect.standardHost) ? LabConnect.standardHost : hosts.first
    guard let host = arguments[host] ?? usual, hosts.contains(host) else {
      throw UsageError(["--on names no host; the hosts are \(HostSet.fold(hosts))"])
    }
    defer {
      if !arguments[keep] {
        do {
          try lab.stop()
        } catch {
          context.errors.line("[ERROR] \(error)")
        }
      }
    }
    try StartOption.start(lab, settings, .anew, arguments, isEnd: false, in: context)
    let code = try lab.exec(command, on: host, terminal: false)
    context.errors.line(code == 0 ? "The test passed." : "The test ended with exit code \(code).")
    return code
  }

  /// The command that is the test; hosts will see its script.
  private static func command(
    _ arguments: ParsedArguments, _ settings: inout LabSettings
  ) throws -> HostCommand {
    let user = arguments[LabOption.user] ?? LabConnect.standardUser
    guard let script = arguments.operands.first else {
      guard let test = settings.composition.test else {
        throw UsageError(["\(settings.composition.name) has no test; name a script"])
      }
      return HostCommand(["/bin/sh", "-euc", test], user: user)
    }
    let path = LabOption.resolved(script)
    guard access(path, R_OK) == 0, !LabOption.isDirectory(path) else {
      throw UsageError(["The script \(shortened(script)) can't be read"])
    }
    settings.composition.volumes.append(
      Volume(source: LabOption.directory(of: path), target: directory, mode: .ro))
    let name = path.split(separator: "/").last ?? ""
    let call = ["\(directory)/\(name)"] + arguments.operands.dropFirst()
    return HostCommand((access(path, X_OK) == 0 ? [] : ["/bin/sh", "-eu"]) + call, user: user)
  }
}
