// The block of `oarstat -f`: every field of a job on a line of its own, in OAR's order, which the
// tools that parse it rely on.

import ClusterModel
import CommandLine

/// The full description of jobs as text.
struct JobDescription {
  var zone = DateZone.local

  /// The blocks of some jobs, each with an empty line after it.
  func text(_ jobs: [JobRecord]) -> [UInt8] {
    var bytes: [UInt8] = []
    for job in jobs { append(job, to: &bytes) }
    return bytes
  }

  private func append(_ job: JobRecord, to bytes: inout [UInt8]) {
    bytes.append(text: "Job_Id: \(job.id)\n")
    for (name, value) in fields(of: job) {
      bytes.append(text: "    \(name) = ")
      bytes.append(printable: value)
      bytes.append(UInt8(ascii: "\n"))
    }
    for event in job.events {
      bytes.append(text: LocalDate(event.date, in: zone).text)
      bytes.append(text: "> ")
      bytes.append(printable: "\(event.type):\(event.text)")
      bytes.append(UInt8(ascii: "\n"))
    }
    bytes.append(UInt8(ascii: "\n"))
  }

  private func fields(of job: JobRecord) -> [(String, String)] {
    [
      ("job_array_id", String(job.arrayID)),
      ("job_array_index", String(job.arrayIndex)),
      ("name", job.name ?? ""),
      ("project", job.project),
      ("owner", job.user),
      ("state", job.state.rawValue),
      ("wanted_resources", wantedResources(of: job)),
      ("types", job.types.joined(separator: ", ")),
      ("dependencies", job.dependencies.map(String.init).joined(separator: " ")),
      ("assigned_resources", isReserved(job) ? "" : joined(job.assignedResources)),
      ("assigned_hostnames", isReserved(job) ? "" : job.assignedHosts.joined(separator: "+")),
      ("queue", job.queue),
      ("command", job.command),
    ] + exitCode(of: job) + [
      ("launchingDirectory", job.directory),
      ("stdout_file", job.stdout),
      ("stderr_file", job.stderr),
      ("jobType", job.kind.rawValue),
      ("properties", job.properties),
      ("reservation", job.reservation.rawValue),
    ] + times(of: job) + [
      ("cpuset_name", job.cpusetName),
      ("initial_request", job.initialRequest ?? ""),
      ("message", job.message),
      ("scheduledStart", plannedStart(of: job).map(date) ?? "no prediction"),
      ("resubmit_job_id", String(job.resubmittedFrom)),
    ] + walltimeChange(of: job) + [("events", "")]
  }

  /// Not among OAR's fields: what is asked of the walltime and not granted yet.
  private func walltimeChange(of job: JobRecord) -> [(String, String)] {
    guard let change = job.walltimeChange, change.pending != 0, !job.state.isFinal else {
      return []
    }
    let ways = (change.force ? ", force" : "") + (change.delayNextJobs ? ", delay next jobs" : "")
    return [("walltime_change", "\(change.pending.signedDuration) pending\(ways)")]
  }

  private func exitCode(of job: JobRecord) -> [(String, String)] {
    guard let status = job.exitCode else { return [] }
    let (code, signal, core) = (status >> 8, status & 0x7F, (status >> 7) & 1)
    return [("exit_code", "\(status) (\(code),\(signal),\(core))")]
  }

  private func times(of job: JobRecord) -> [(String, String)] {
    var times: [(String, String)] = []
    if isReserved(job) { times.append(("reserved_resources", joined(job.assignedResources))) }
    times.append(("walltime", job.walltime.hoursMinutesSeconds))
    times.append(("submissionTime", date(job.submissionTime)))
    if job.startTime > 0 { times.append(("startTime", date(job.startTime))) }
    if job.stopTime > 0 { times.append(("stopTime", date(job.stopTime))) }
    return times
  }

  /// Whether its resources are set aside for a reservation that has not begun.
  private func isReserved(_ job: JobRecord) -> Bool {
    job.reservation == .scheduled && job.state == .waiting && !job.assignedResources.isEmpty
  }

  private func joined(_ ids: [ResourceID]) -> String {
    ids.map(String.init).joined(separator: "+")
  }

  private func date(_ instant: Instant) -> String { LocalDate(instant, in: zone).text }
}

/// The request of a job as `-l` options; each ends with a blank, as in OAR.
func wantedResources(of job: JobRecord) -> String {
  var text = ""
  for moldable in job.moldables {
    let groups = moldable.groups.map { group in
      let levels = group.levels.map { "/\($0.property)=\($0.count.text)" }.joined()
      return group.properties.isEmpty ? levels : "{\(group.properties)}\(levels)"
    }
    let walltime = moldable.walltime.hoursMinutesSeconds
    text += "-l \"\(groups.joined(separator: "+")),walltime=\(walltime)\" "
  }
  return text
}

/// When the plan lets a job start; OAR goes on saying it while the job runs.
func plannedStart(of job: JobRecord) -> Instant? {
  job.scheduledStart ?? (job.state.holdsResources && job.startTime > 0 ? job.startTime : nil)
}
