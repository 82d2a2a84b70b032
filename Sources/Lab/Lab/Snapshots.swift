// Known states of a lab: copies of all disks, to which it can be put back any number of times. What is in
// the memory of processes is not kept: services start anew.

import Compositions
import Glibc

extension Lab {
  /// The name of a snapshot that is given none.
  public static let standardSnapshot = "snapshot"

  /// The snapshots there are, sorted.
  public func snapshots() throws -> [String] {
    _ = try existing()
    return Files.list(paths.snapshots)
  }

  /// Keeps the disks of all hosts as they are now. Hosts stand still for as long as that takes.
  public func save(_ snapshot: String) throws {
    try Self.check(snapshot)
    guard let lock = try LabLock(existing: paths.directory) else { throw absent }
    defer { lock.release() }
    let state = try existing()
    let backend = try state.settings.backend.backend(for: self)
    let moving = state.hosts.filter { !$0.isPaused && backend.isAlive($0, in: state) }
    try backend.settle(moving.map(\.name), in: state)
    // Remembered first: whoever comes after a tool that was killed meanwhile finds hosts to be resumed.
    var still = state
    for host in moving { still.update(host.name) { $0.isPaused = true } }
    try still.write(to: paths.state)
    defer {
      for host in moving { try? backend.pause(host.name, false, in: state) }
      try? state.write(to: paths.state)
    }
    for host in moving { try backend.pause(host.name, true, in: state) }
    try Files.makeDirectories(paths.snapshots, mode: 0o700)
    // An old one of the name is none any more as soon as its disks go.
    try Files.removeTree(paths.snapshots + "/" + snapshot)
    try backend.save(snapshot, of: state)
    try state.write(to: paths.snapshots + "/" + snapshot)
  }

  private static func check(_ snapshot: String) throws {
    guard isName(snapshot) else {
      throw LabError(
        "\(snapshot) can't name a snapshot; use 1 to 32 small letters, digits and dashes, "
          + "no dash first")
    }
  }

  /// Puts the lab back to a snapshot: its hosts, their disks, what they share.
  public func reset(
    to snapshot: String, program: String, timeout: Int = 60,
    progress: @escaping (LabProgress) -> Void = { _ in }
  ) throws {
    try Self.check(snapshot)
    guard let lock = try LabLock(existing: paths.directory) else { throw absent }
    defer { lock.release() }
    let now = try existing()
    guard Files.exists(paths.snapshots + "/" + snapshot),
      var then = try LabState(reading: paths.snapshots + "/" + snapshot)
    else {
      let names = Files.list(paths.snapshots)
      throw LabError(
        "lab \(name) has no snapshot \(snapshot)"
          + (names.isEmpty ? "" : "; it has \(names.joined(separator: ", "))"))
    }
    let backend = try now.settings.backend.backend(for: self)
    for host in now.hosts { try backend.end(host.name, in: now) }
    try backend.restore(snapshot, of: now)
    (then.cgroups, then.holder) = (now.cgroups, now.holder)
    for host in then.hosts {
      then.update(host.name) { $0 = .init(name: host.name, role: host.role, index: host.index) }
    }
    try then.write(to: paths.state)
    try start(
      then.settings, .keeping, backend: backend, lock: lock, program: program, timeout: timeout,
      progress: progress)
  }
}
