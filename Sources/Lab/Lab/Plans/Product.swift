// The product in a lab: where its programs are seen in every host, and the names they are called by.

import Compositions

enum Product {
  /// OAR's commands: names of the one program.
  static let commandNames = [
    "oarsub", "oarstat", "oardel", "oarhold", "oarresume", "oarnodes", "oarnodesetting",
    "oarproperty", "oarqueue", "oarprint", "oarsh", "oarnotify", "oarremoveresource",
    "oarwalltime", "bebida",
  ]
  static let programs = ["liburna", "liburnad", "liburna-node"]
  /// Where the programs are seen in every host.
  static let directory = "/usr/local/liburna/bin"

  /// What makes the programs commands of a host.
  static var links: [PlannedItem] {
    let commands =
      commandNames.map { ($0, "liburna") } + programs.map { ($0, $0) } + [("bebidad", "liburnad")]
    return commands.map { .link("/usr/local/bin/" + $0.0, to: "\(directory)/\($0.1)") }
  }

  /// A problem with a directory that should hold the programs, or nil.
  static func problem(with directory: String) -> LabError? {
    for program in programs where !Files.isExecutable(directory + "/" + program) {
      return LabError("\(directory)/\(program) is missing; build it, or name another --binaries")
    }
    guard Files.isOpenToAll(directory) else {
      return LabError("\(directory) is not open to ordinary users; chmod o+rx it")
    }
    return nil
  }
}
