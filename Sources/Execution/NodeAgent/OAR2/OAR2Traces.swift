// The files by which OAR 2's commands and modules find a job on this host. Their names and forms are OAR's.

import ClusterModel
import Glibc
import Wire

/// The names of a job's files in OAR's directory.
struct OAR2Names: Equatable {
  let directory: String
  let user: String
  let job: JobID

  var nodes: String { "\(directory)/\(job)" }
  var resources: String { "\(directory)/\(job)_resources" }
  /// The variables, for `oarsh`.
  var environment: String { "\(directory)/\(user)_\(job).env" }
  /// The process that takes signals from OAR's account.
  var process: String { "\(directory)/pid_of_oarexec_for_jobId_\(job)" }
  /// The name of the signal that `oardel -s` wants sent.
  var signal: String { "\(directory)/USER_SIGNAL_\(job)" }
  /// Sessions of `oarsub -I` and `oarsub -C`.
  var sessions: String { "\(directory)/oarsub_connections_\(job)" }
  /// The job's private key.
  var key: String { "\(directory)/\(user)_\(job).jobkey" }

  /// Removes every file, whoever made it.
  func remove() {
    for path in [process, sessions, signal, nodes, resources, environment, key] { unlink(path) }
  }
}

/// A job's files in OAR's directory, to be made for an account.
struct OAR2Traces {
  let names: OAR2Names
  private let files: OAR2Files
  private let account: Account
  /// What lets the job's key in; `nil` for a job without one.
  let keyLine: OAR2KeyLine?

  init(_ job: JobID, _ files: OAR2Files, _ account: Account) {
    names = OAR2Names(directory: files.directory, user: files.user, job: job)
    self.files = files
    self.account = account
    keyLine = files.key.map {
      OAR2KeyLine($0, cpuset: files.cpuset, user: files.user, of: account)
    }
  }

  /// Makes all of it on a host, and remembers it in the spool first.
  func make(in spool: Spool, _ groups: any ControlGroups, _ path: String) throws(SystemError) {
    if let keyLine, !keyLine.isSound {
      throw SystemError("the key of job \(names.job) is no line of letters", code: EINVAL)
    }
    try spool.mark(names, keyLine)
    if files.cpuset != nil { try groups.share(path, with: account) }
    try make()
  }

  /// Makes what every host of the job has.
  func make() throws(SystemError) {
    try create(names.nodes, fileLines(files.nodeFile))
    try create(names.resources, fileLines(files.resourceFile))
    try create(names.environment, fileLines(environmentLines))
    guard let key = files.key, let keyLine else { return }
    try create(names.key, Array(key.privateKey.utf8), mode: 0o600)
    try keyLine.add()
  }

  /// Says where signals for the job go.
  func announce(_ process: pid_t) throws(SystemError) {
    unlink(names.signal)
    try create(names.process, Array(String(process).utf8))
  }

  /// The variables as OAR writes them: `export NAME='value'`.
  var environmentLines: [String] {
    var variables = files.environment
    variables["OAR_FILE_NODES"] = names.nodes
    variables["OAR_RESOURCE_PROPERTIES_FILE"] = names.resources
    let values = Self.variables.map { name in
      // What would end the quoted text or the line can't be told there.
      let value = (variables[name] ?? "").filter { $0 != "'" && $0 != "\n" }
      return "export \(name)='\(value)'"
    }
    return values + Self.aliases.map { "export \($0.0)=$\($0.1)" }
  }

  private static let variables = [
    "OAR_JOBID", "OAR_ARRAYID", "OAR_ARRAYINDEX", "OAR_USER", "OAR_WORKDIR", "OAR_JOB_NAME",
    "OAR_PROJECT_NAME", "OAR_STDOUT", "OAR_STDERR", "OAR_FILE_NODES",
    "OAR_RESOURCE_PROPERTIES_FILE", "OAR_JOB_WALLTIME", "OAR_JOB_WALLTIME_SECONDS",
  ]

  private static let aliases = [
    ("OAR_NODEFILE", "OAR_FILE_NODES"), ("OAR_NODE_FILE", "OAR_FILE_NODES"),
    ("OAR_RESOURCE_FILE", "OAR_RESOURCE_PROPERTIES_FILE"), ("OAR_O_WORKDIR", "OAR_WORKDIR"),
    ("OAR_WORKING_DIRECTORY", "OAR_WORKDIR"), ("OAR_JOB_ID", "OAR_JOBID"),
    ("OAR_ARRAY_ID", "OAR_ARRAYID"), ("OAR_ARRAY_INDEX", "OAR_ARRAYINDEX"),
  ]

  /// A file of OAR's account that everybody may read. The directory is that account's: what stands there
  /// under the name goes first, whatever it is.
  private func create(
    _ path: String, _ bytes: [UInt8], mode: mode_t = 0o644
  ) throws(SystemError) {
    unlink(path)
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
    let file = open(path, flags, mode)
    guard file >= 0 else { throw SystemError("cannot make \(path)") }
    defer { close(file) }
    try Descriptors.write(file, bytes, named: path)
    guard fchown(file, account.uid, account.gid) == 0 else {
      throw SystemError("cannot give \(path) to \(account.name)")
    }
  }
}

extension Spool {
  private func markPath(_ job: JobID) -> String { jobDirectory(job) + "/oar2" }

  /// Remembers, for agents to come, that a job of this host is ours and has files in OAR's directory.
  func mark(_ names: OAR2Names, _ key: OAR2KeyLine?) throws(SystemError) {
    try Files.makeDirectories(jobDirectory(names.job), mode: 0o711)
    let lines = [names.directory, names.user] + (key.map { [$0.path, $0.text] } ?? [])
    // Only root may write what is there already.
    try Files.create(markPath(names.job), fileLines(lines), owner: 0)
  }

  /// Removes what OAR 2's commands find of a job that an agent of ours began.
  func removeTraces(of job: JobID) {
    guard let lines = marks(of: job) else { return }
    names(of: job)?.remove()
    if lines.count == 4 { OAR2KeyLine(path: lines[2], text: lines[3]).remove() }
  }

  private func marks(of job: JobID) -> [String]? {
    guard let text = Files.text(markPath(job)) else { return nil }
    let lines = text.split(separator: "\n").map(String.init)
    return lines.count == 2 || lines.count == 4 ? lines : nil
  }

  /// The files in OAR's directory of a job that an agent of ours began; `nil` for other jobs.
  func names(of job: JobID) -> OAR2Names? {
    marks(of: job).map { OAR2Names(directory: $0[0], user: $0[1], job: job) }
  }

  /// The jobs that have a directory here.
  func jobs() -> [JobID] { Files.names(in: "\(run)/jobs").compactMap { JobID($0) } }
}
