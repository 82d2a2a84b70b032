// The logs of hosts that are machines are on the machines; what is new there is fetched when somebody
// looks.

import Glibc

extension MachinesBackend {
  /// The most bytes that one call brings of a log.
  static let logLimit = 16 << 20

  func fetchLogs(of host: String, in state: LabState) throws {
    let directory = lab.paths.logs(host)
    try Files.makeDirectories(directory, mode: 0o700)
    var sizes: [String: Int] = [:]
    for name in Files.list(directory) {
      var status = stat()
      if stat(directory + "/" + name, &status) == 0 { sizes[name] = Int(status.st_size) }
    }
    let known = sizes
    let deadline = Deadline(seconds: Self.patience)
    guard
      let answer = try ask([host], in: state, before: deadline, { _ in (.logs(known), nil) }).first
    else { return }
    guard answer.code == 0 else {
      throw LabError("its logs can't be fetched: \(answer.reason)", host: host)
    }
    for part in MachineLogs.parts(answer.output) {
      let path = directory + "/" + part.name
      let log = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      guard log >= 0 else { throw LabError.system("open", path) }
      defer { close(log) }
      try Files.writeAll(part.bytes, to: log, path: path)
    }
  }
}

extension Lab {
  /// Brings the logs of hosts, or of all, up to date, where they are kept elsewhere. What can't be had
  /// is left as it is.
  func bringLogs(of hosts: Set<String>) {
    guard let state = try? state(), state.settings.backend == .machines else { return }
    let backend = MachinesBackend(lab: self)
    for host in state.hosts where hosts.isEmpty || hosts.contains(host.name) {
      try? backend.fetchLogs(of: host.name, in: state)
    }
  }
}
