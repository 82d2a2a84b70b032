// What else can be done to hosts that are machines, and what can't.

import Glibc

extension MachinesBackend {
  func pause(_ host: String, _ isPaused: Bool, in state: LabState) throws {
    let deadline = Deadline(seconds: Self.patience)
    let answers = try ask([host], in: state, before: deadline) { _ in (.pause(isPaused), nil) }
    try check(answers, of: state.hosts.filter { $0.name == host }, "pause")
  }

  func link(_ host: String, _ link: LinkState, in state: LabState) throws {
    throw LabError(
      "its link is that of the machine, over which the machine itself is reached: it stays as it is",
      host: host)
  }

  func save(_ snapshot: String, of state: LabState) throws { throw Self.noSnapshots }

  func restore(_ snapshot: String, of state: LabState) throws { throw Self.noSnapshots }

  private static var noSnapshots: LabError {
    LabError(
      "disks of hosts on machines are in their memory and can't be kept; use another backend")
  }
}
