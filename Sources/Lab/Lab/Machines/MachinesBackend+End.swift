// Ending hosts and labs on machines: everything is undone, on every machine that can be reached.

import Compositions
import Glibc

extension MachinesBackend {
  /// How long machines may take to end a lab, in seconds.
  private static let endPatience = 60

  func end(_ host: String, in state: LabState) throws {
    memory.forgetSurvey()
    let deadline = Deadline(seconds: Self.endPatience)
    guard let answer = try ask([host], in: state, before: deadline, { _ in (.endHost, nil) }).first
    else { return }
    // Without our program there is no host either.
    guard answer.code == 0 || answer.code == Lab.notFound else {
      throw LabError("it can't be ended: \(answer.reason)", host: host)
    }
  }

  /// Machines of hosts that leave are given back as a whole, when their places are chosen anew.
  func discard(_ host: String, in state: LabState) throws {}

  func end(_ state: LabState) throws {
    memory.forgetSurvey()
    guard state.settings.machines != nil else { return }
    let hosts = state.hosts.filter { $0.machine != nil }
    defer { closeConnections(of: hosts, state) }
    try end(hosts, in: state)
  }

  /// Ends everything of the lab on the machines of some hosts.
  func end(_ hosts: [LabState.Host], in state: LabState) throws {
    guard !hosts.isEmpty else { return }
    let (ssh, place) = (try ssh(state.settings), place(state.settings))
    let calls = try hosts.map { host in
      let script = try place.endScript(request(.end, host.name, state.settings))
      return SshCall(
        words: ssh.words(to: host.machine ?? "", MachinePlace.shell),
        input: .bytes(Array(script.utf8)))
    }
    let answers = SshCalls.run(calls, before: Deadline(seconds: Self.endPatience))
    let silent = zip(hosts, answers).filter { $1.code == Ssh.failed }
    try check(
      answers.map { $0.code == Ssh.failed ? SshAnswer(code: 0, words: "") : $0 }, of: hosts,
      "end the lab on")
    try judge(silent.map { ($0.machine ?? "", $1.reason) })
  }

  /// Machines that can't be reached fail an end once. When it is repeated and they are still away, they
  /// are given up: they may never come back, and the lab must not stay for ever.
  private func judge(_ silent: [(machine: String, reason: String)]) throws {
    let path = lab.paths.directory + "/unreached"
    guard !silent.isEmpty else {
      unlink(path)
      return
    }
    let known = Set((try? Files.readText(path))?.split(separator: "\n").map(String.init) ?? [])
    guard silent.contains(where: { !known.contains($0.machine) }) else { return }
    try Files.write(silent.map { $0.machine + "\n" }.joined(), to: path, mode: 0o600)
    throw LabError(
      "\(silent.count) machines can't be reached and may still run hosts of this lab; the others are as "
        + "they were. Do the same again when they answer; if they don't then either, they are given up",
      logTail: silent.map { "\($0.machine): \($0.reason)" })
  }

  /// Ends the shared connections to the machines of some hosts.
  func closeConnections(of hosts: [LabState.Host], _ state: LabState) {
    guard let ssh = try? ssh(state.settings) else { return }
    let shared = hosts.compactMap(\.machine).filter { Files.exists(ssh.socket($0) ?? "") }
    _ = SshCalls.run(
      shared.map { SshCall(words: ssh.words(to: $0, sharing: .ended)) },
      before: Deadline(seconds: Self.patience))
  }
}
