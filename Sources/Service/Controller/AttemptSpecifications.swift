// What hosts are told about a job.

import ClusterModel
import Storage
import Wire

extension ServerSettings {
  /// The cgroup of all jobs, as agents name it.
  var groupRoot: String { String(cgroupPath.drop { $0 == "/" }) }
}

extension ClusterState {
  /// The terminal of an interactive job whose submitter's is not known (any more).
  private static let standardTerminal = TerminalSpecification(
    type: "xterm", size: TerminalSize(rows: 24, columns: 80))

  /// The confinement of a job on one of its hosts.
  func confinement(of job: Job, on host: String, settings: ServerSettings) -> Confinement {
    let here = job.assignedResources.compactMap { resources[$0] }
      .filter { $0.networkAddress == host }
    let isFree = job.hasType("deploy") || job.hasType("cosystem")
    return Confinement(
      path: "\(settings.groupRoot)/\(job.request.user)_\(job.id)",
      cpus: isFree ? [] : settings.cpusetProperty.map { cpus(of: here, property: $0) } ?? [],
      memoryLimit: isFree ? nil : settings.memoryProperty.flatMap { memory(of: here, property: $0) }
    )
  }

  /// The PU numbers of resources, which stand in a property separated by `+`, `,` or blanks.
  private func cpus(of resources: [Resource], property: String) -> [Int] {
    let texts = resources.compactMap { $0.value(of: property)?.text }
    let numbers = texts.flatMap { $0.split { "+, ".contains($0) } }.compactMap { Int($0) }
    return Set(numbers.filter { $0 >= 0 }).sorted()
  }

  /// The shares of memory of resources together, in bytes; `nil` if one of them has none.
  private func memory(of resources: [Resource], property: String) -> Int? {
    var total = 0
    for resource in resources where resource.type == "default" {
      guard case .integer(let mebibytes)? = resource.value(of: property),
        (1...(1 << 30)).contains(mebibytes)
      else { return nil }
      total += mebibytes << 20
    }
    return total > 0 ? total : nil
  }

  /// One line a resource of the job: its host, in the order of hosts.
  func nodeFile(of job: Job) -> [String] {
    job.assignedResources.compactMap { resources[$0] }
      .filter { $0.type == "default" && !$0.networkAddress.isEmpty }
      .map(\.networkAddress).sorted()
  }

  /// One line a resource of the job: ` name = 'value' , name = 'value' `.
  func resourceFile(of job: Job) -> [String] {
    let columns =
      standardResourceColumns.filter { Self.publicColumns.contains($0) }
      + properties.map(\.name)
    return job.assignedResources.compactMap { resources[$0] }.map { resource in
      columns.compactMap { column in
        resource.value(of: column).map { " \(column) = '\($0.text ?? "")' " }
      }.joined(separator: ",")
    }
  }

  /// Standard columns that a job sees of its resources.
  private static let publicColumns: Set<String> = [
    "resource_id", "type", "network_address", "state", "cpuset", "besteffort", "deploy",
    "available_upto", "last_available_upto", "drain", "desktop_computing",
  ]

  /// The variables of a job that the server knows.
  func environment(of job: Job, settings: ServerSettings) -> [String: String] {
    let request = job.request
    let id = String(job.id)
    let array = String(job.arrayID)
    let index = String(job.arrayIndex)
    return [
      "OAR_JOBID": id, "OAR_JOB_ID": id, "OAR_ARRAYID": array, "OAR_ARRAY_ID": array,
      "OAR_ARRAYINDEX": index, "OAR_ARRAY_INDEX": index, "OAR_USER": request.user,
      "OAR_JOB_USER": request.user, "OAR_JOB_NAME": request.name ?? "",
      "OAR_PROJECT_NAME": request.project,
      "OAR_JOB_WALLTIME": job.walltime.hoursMinutesSeconds,
      "OAR_JOB_WALLTIME_SECONDS": String(job.walltime),
      "OAR_CPUSET": "\(settings.cgroupPath)/\(request.user)_\(id)",
    ]
  }

  /// Everything the first host needs to start a job.
  func specification(
    of job: Job, attempt: AttemptID, head: String, terminal: TerminalSpecification?,
    opensOwnSession: Bool = false, secrets: JobSecrets? = nil, settings: ServerSettings
  ) -> AttemptSpecification {
    let record = record(of: job)
    let isInteractive = job.request.kind == .interactive
    return AttemptSpecification(
      attempt: attempt, user: job.request.user,
      command: isInteractive ? nil : job.holdsOnly ? "exec sleep infinity" : job.command,
      directory: job.request.directory, stdout: record.stdout, stderr: record.stderr,
      environment: environment(of: job, settings: settings), nodeFile: nodeFile(of: job),
      resourceFile: resourceFile(of: job),
      confinement: confinement(of: job, on: head, settings: settings), walltime: job.walltime,
      checkpoint: job.request.checkpoint, checkpointSignal: job.request.checkpointSignal,
      terminal: isInteractive && !opensOwnSession ? terminal ?? Self.standardTerminal : nil,
      oar2: oar2Attempt(of: job, secrets, settings: settings))
  }

  /// A session in a job on one of its hosts.
  func session(
    in job: Job, on host: String, _ request: SessionRequest, settings: ServerSettings
  ) -> SessionSpecification {
    SessionSpecification(
      job: job.id, user: job.request.user, command: request.command,
      directory: job.request.directory, environment: environment(of: job, settings: settings),
      nodeFile: nodeFile(of: job), resourceFile: resourceFile(of: job),
      confinement: confinement(of: job, on: host, settings: settings), terminal: request.terminal)
  }
}

extension Job {
  /// Whether it is a reservation without a command: it has its resources until its walltime is over.
  var holdsOnly: Bool { reservation != .none && command.isEmpty }
}
