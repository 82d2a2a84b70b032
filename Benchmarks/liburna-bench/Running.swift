// How fast jobs run: many in a row, and one on an idle cluster.

import ClusterModel
import Glibc
import Wire

/// An array of jobs that do nothing, from its submission to the recorded end of the last.
func measureThroughput(_ arguments: Arguments) throws -> [Figure] {
  let count = try arguments.integer("count", default: 20_000)
  let slurm = try arguments.number("slurm")
  let server = try Server()
  let submission = try Server.submission(
    "true", resources: "/core=1,walltime=0:1:0", array: count)
  let processor = try ServerProcess.processorTime()
  let began = Clock.milliseconds
  let array = try server.submit(submission).arrayID
  var halfway = began
  try server.awaitIdleness(interval: 20, patience: 600) { status in
    if status.jobsWaiting + status.jobsRunning > count / 2 { halfway = Clock.milliseconds }
  }
  let ended = Clock.milliseconds
  let each = (try ServerProcess.processorTime() - processor) / Double(count)
  try requireSuccess(of: array, count: count, server)
  let rate = Double(count) / (ended - began) * 1000
  let first = Double(count / 2) / (halfway - began) * 1000
  let second = Double(count - count / 2) / (ended - halfway) * 1000
  let name = "true jobs, submitted, run and recorded"
  let detail =
    "n=\(count), 3 hosts × 4 cores, all with exit code 0; "
    + "first half \(decimal(first))/s, second \(decimal(second))/s; "
    + "\(decimal(each)) ms of the server's processor time each"
  var figures = [
    Figure(name: name, value: rate, unit: "/s", target: .atLeast(500), detail: detail)
  ]
  if let slurm {
    figures.append(
      Figure(
        name: "… compared with Slurm", value: rate / slurm, unit: "×", target: .atLeast(5),
        detail: "Slurm: \(decimal(slurm))/s in the same run"))
  }
  return figures
}

private func requireSuccess(of array: JobID, count: Int, _ server: Server) throws {
  var query = JobQuery()
  query.selection = JobSelection(arrays: [array])
  let jobs = try server.jobs(query)
  let good = jobs.filter { $0.state == .terminated && $0.exitCode == 0 }.count
  guard good == count else {
    throw BenchmarkError("\(count) jobs were submitted, \(good) ended well: the figure is void")
  }
}

/// From the return of `oarsub` to the first command of the user's shell, one job at a time.
func measureLatency(_ arguments: Arguments) throws -> [Figure] {
  let count = try arguments.integer("count", default: 200)
  let server = try Server()
  var afterReturn = Samples()
  var afterCall = Samples()
  let file = "latency.out"
  // The shell's own clock: no process of ours delays the job's first word.
  let words = [
    "oarsub", "-l", "/core=1,walltime=0:1:0", "-O", file, "-E", "/dev/null", "echo $EPOCHREALTIME",
  ]
  for round in 0..<(count + 5) {
    unlink(file)
    let called = Clock.wall
    _ = try Spawner.time(words)
    let returned = Clock.wall
    try server.awaitIdleness(interval: 3, patience: 30)
    let started = try startTime(in: file)
    // The first few find nothing in any cache.
    if round >= 5 {
      afterReturn.append(started - returned)
      afterCall.append(started - called)
    }
  }
  unlink(file)
  return [
    Figure(
      name: "oarsub's return to the job's start, p50", value: afterReturn.median, unit: "ms",
      target: .atMost(15), detail: afterReturn.detail),
    Figure(
      name: "oarsub's return to the job's start, p99", value: afterReturn.quantile(0.99),
      unit: "ms", target: .atMost(50)),
    Figure(
      name: "oarsub's call to the job's start, p50", value: afterCall.median, unit: "ms",
      detail: afterCall.detail),
  ]
}

/// The milliseconds since the epoch that a job wrote as seconds with a fraction.
private func startTime(in path: String) throws -> Double {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw BenchmarkError("the job left no \(path)") }
  defer { close(descriptor) }
  var bytes = [UInt8](repeating: 0, count: 64)
  let count = read(descriptor, &bytes, bytes.count)
  let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  guard let seconds = Double(text.split(separator: "\n").first ?? "") else {
    throw BenchmarkError("the job wrote \"\(text)\" instead of $EPOCHREALTIME: is its shell bash?")
  }
  return seconds * 1000
}
