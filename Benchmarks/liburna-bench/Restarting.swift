// How long the server is away when it dies. Its supervisor starts it again at once.

import ClusterModel
import Glibc
import Wire

/// From `kill -9` of the server to its next answer, beside whatever jobs it has.
func measureRestart(_ arguments: Arguments) throws -> [Figure] {
  let rounds = try arguments.integer("rounds", default: 5)
  let before = try Server().status()
  var samples = Samples()
  for _ in 0..<rounds {
    guard let pid = ServerProcess.find() else { throw BenchmarkError("no liburnad runs here") }
    guard kill(pid, SIGKILL) == 0 else {
      throw BenchmarkError("cannot kill process \(pid): \(String(cString: strerror(errno)))")
    }
    let began = Clock.milliseconds
    let after = try awaitAnswer(patience: 60, notBefore: pid)
    samples.append(Clock.milliseconds - began)
    guard after.jobsWaiting + after.jobsRunning == before.jobsWaiting + before.jobsRunning else {
      throw BenchmarkError("the server forgot jobs: the figure is void")
    }
    // Agents connect again before the next round.
    try awaitHosts()
  }
  return [
    Figure(
      name: "kill -9 of the server to its next answer", value: samples.median / 1000, unit: "s",
      target: .atMost(1),
      detail: "\(before.jobsWaiting) jobs waiting, none forgotten; " + samples.detail)
  ]
}

/// Asks the server to end, and waits until the next one answers and reaches all hosts.
func awaitReadiness(_ arguments: Arguments) throws -> [Figure] {
  if let pid = ServerProcess.find() {
    kill(pid, SIGTERM)
    _ = try awaitAnswer(patience: 60, notBefore: pid)
  }
  try awaitHosts()
  return []
}

/// Waits for an answer of a server other than the process `old`.
private func awaitAnswer(patience seconds: Double, notBefore old: pid_t) throws -> ServerStatus {
  let end = Clock.milliseconds + seconds * 1000
  while Clock.milliseconds < end {
    if kill(old, 0) != 0, let status = try? Server().status() { return status }
    Clock.sleep(milliseconds: 1)
  }
  throw BenchmarkError("the server did not come back within \(decimal(seconds)) s")
}

private func awaitHosts() throws {
  let end = Clock.milliseconds + 30_000
  while Clock.milliseconds < end {
    if let status = try? Server().status(), status.hostsLost.isEmpty,
      !status.hostsConnected.isEmpty
    {
      return
    }
    Clock.sleep(milliseconds: 20)
  }
  throw BenchmarkError("the hosts' agents did not answer within 30 s")
}
