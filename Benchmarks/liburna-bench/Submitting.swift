// How fast jobs are accepted. An acknowledged job is in the database, on disk.

import ClusterModel
import Glibc
import Wire

/// Submissions over one connection, many in flight. The jobs are held, so that no planning or
/// running is measured with them.
func measureSubmissions(_ arguments: Arguments) throws -> [Figure] {
  let count = try arguments.integer("count", default: 20_000)
  let server = try Server()
  let submission = try Server.submission("true", resources: "/core=1,walltime=0:1:0", hold: true)
  let before = try server.status()
  let processor = try ServerProcess.processorTime()
  let began = Clock.milliseconds
  try server.submit(submission, times: count)
  let seconds = (Clock.milliseconds - began) / 1000
  let each = (try ServerProcess.processorTime() - processor) / Double(count)
  let commits = try server.status().commits - before.commits
  return [
    Figure(
      name: "durable submissions over one connection", value: Double(count) / seconds, unit: "/s",
      target: .atLeast(5000),
      detail: "n=\(count), each acknowledged, in \(commits) commits; "
        + "\(decimal(each)) ms of the server's processor time each")
  ]
}

/// Processes of `oarsub`, as many at a time as keep the processors busy while others wait for the disk.
func measureCommandSubmissions(_ arguments: Arguments) throws -> [Figure] {
  let count = try arguments.integer("count", default: 600)
  let parallel = try arguments.integer("parallel", default: 8)
  let words = ["oarsub", "--hold", "-l", "/core=1,walltime=0:1:0", "true"]
  for _ in 0..<5 { _ = try Spawner.time(words) }
  let together = try Spawner.rate(words, count: count, parallel: parallel)
  let alone = try Spawner.rate(words, count: count, parallel: 1)
  let note = arguments.text("note").map { ", \($0)" } ?? ""
  return [
    Figure(
      name: "separate oarsub processes, \(parallel) at a time\(note)", value: together, unit: "/s",
      target: .atLeast(300), detail: "n=\(count)"),
    Figure(
      name: "separate oarsub processes, one by one\(note)", value: alone, unit: "/s",
      detail: "n=\(count), \(decimal(1000 / alone)) ms each"),
  ]
}

/// One large array, until its id is answered.
func measureArray(_ arguments: Arguments) throws -> [Figure] {
  let count = try arguments.integer("count", default: 100_000)
  let words = [
    "oarsub", "--hold", "--array", String(count), "-l", "/core=1,walltime=0:1:0", "true",
  ]
  let milliseconds = try Spawner.time(words)
  let server = try Server()
  let held = try server.status().jobsWaiting
  guard held == count else {
    throw BenchmarkError("an array of \(count) was acknowledged, but \(held) jobs are there")
  }
  return [
    Figure(
      name: "array of \(count) accepted", value: milliseconds / 1000, unit: "s",
      target: .atMost(1), detail: "n=1, from the start of oarsub to its end")
  ]
}
