// What the server costs and how it answers when it knows many jobs.

import ClusterModel
import Glibc
import Wire

/// Wall times of commands, beside a history of ended jobs that `Benchmarks/run` has made.
func measureCommands(_ arguments: Arguments) throws -> [Figure] {
  let count = try arguments.integer("count", default: 50)
  let server = try Server()
  let present = 30
  let sleepers = try Server.submission(
    "sleep 1000", resources: "/core=1,walltime=1:0:0", array: present)
  let kept = try server.submit(sleepers)
  let victims = try server.submit(
    try Server.submission("true", resources: "/core=1,walltime=1:0:0", array: count, hold: true))
  let history = kept.first - 1
  let commands: [(name: String, words: [String])] = [
    ("oarstat", ["oarstat"]), ("oarstat -j, ended job", ["oarstat", "-j", String(history / 2)]),
    ("oarstat -f -j, ended job", ["oarstat", "-f", "-j", String(history / 2)]),
    ("oarnodes", ["oarnodes"]), ("oarnodes -s", ["oarnodes", "-s"]),
  ]
  var figures: [Figure] = []
  for (name, words) in commands {
    let samples = try sample(count) { _ in words }
    figures.append(figure(name, samples, history))
  }
  let deletions = try sample(count) { ["oardel", String(victims.first + $0)] }
  figures.append(figure("oardel", deletions, history))
  try server.delete(JobSelection(arrays: [kept.arrayID]))
  return figures
}

private func sample(_ count: Int, _ words: (Int) -> [String]) throws -> Samples {
  var samples = Samples()
  for index in 0..<count { samples.append(try Spawner.time(words(index))) }
  return samples
}

private func figure(_ name: String, _ samples: Samples, _ history: Int) -> Figure {
  Figure(
    name: "\(name), beside \(history) ended jobs", value: samples.median, unit: "ms",
    target: .atMost(15), detail: samples.detail)
}

/// The server's memory with many waiting jobs that have nothing in common: each was submitted alone.
func measureMemory(_ arguments: Arguments) throws -> [Figure] {
  let count = try arguments.integer("count", default: 100_000)
  let server = try Server()
  let began = Clock.milliseconds
  try server.submit(
    try Server.submission("sleep 1000", resources: "/core=12,walltime=2:0:0"), times: count + 1)
  let seconds = (Clock.milliseconds - began) / 1000
  // The plan is made when the last are in.
  var status = try server.status()
  var passes = -1
  while passes != status.passes {
    passes = status.passes
    Clock.sleep(milliseconds: 1500)
    status = try server.status()
  }
  return [
    Figure(
      name: "server's memory with \(status.jobsWaiting) waiting jobs",
      value: Double(status.residentBytes) / 1e6, unit: "MB", target: .atMost(200),
      detail: "resident, submitted one by one at \(decimal(Double(count) / seconds))/s "
        + "while planning; a pass takes \(decimal(status.lastPassMilliseconds)) ms")
  ]
}
