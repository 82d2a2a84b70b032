// Requests from OAR's rows: moldables, groups and levels, and equal requests as one object.

import ClusterModel

/// Reads the moldables of jobs.
struct RequestReader {
  let connection: Connection

  /// The moldables of one job, ended or not, with their numbers.
  func moldables(of job: JobID) throws -> (moldables: [Moldable], ids: [MoldableID]) {
    var builder = MoldableBuilder()
    var ids: [MoldableID] = []
    try connection.statement(
      """
      SELECT moldable_id, moldable_walltime, res_group_id, res_group_property,
        res_job_resource_type, res_job_value, res_job_order
      FROM moldable_job_descriptions
        JOIN job_resource_groups ON res_group_moldable_id = moldable_id
        JOIN job_resource_descriptions ON res_job_group_id = res_group_id
      WHERE moldable_job_id = ? ORDER BY moldable_id, res_group_id
      """
    ).bind(job).forEachRow { row in
      if ids.last != row.integer(0) { ids.append(row.integer(0)) }
      builder.add(
        row.integer(0), walltime: row.integer(1), group: row.integer(2), properties: row.text(3),
        RequestLevel(row.text(4), BlockCount(stored: row.integer(5))), order: row.integer(6))
    }
    return (builder.moldables, ids)
  }

  /// The moldables of all jobs that have not ended.
  func liveShapes(_ rows: LiveRequestRows) throws -> LiveShapes {
    var shapes = LiveShapes()
    var job: JobID?
    var ids: [MoldableID] = []
    var (group, groups) = (0, 0)
    var fingerprint = Fingerprint()
    func finishJob() {
      if let job { shapes.add(job, fingerprint, ids: ids) }
      fingerprint.removeAll()
      ids.removeAll(keepingCapacity: true)
      groups = 0
    }
    try rows.forEachRow { row in
      if row.job != job {
        finishJob()
        job = row.job
      }
      if ids.last != row.moldable { ids.append(row.moldable) }
      if groups == 0 || row.group != group { groups += 1 }
      group = row.group
      fingerprint.add(ids.count)
      fingerprint.add(row.walltime)
      fingerprint.add(groups)
      fingerprint.add(row.properties)
      fingerprint.add(row.property)
      fingerprint.add(row.value)
      fingerprint.add(row.order)
    }
    finishJob()
    return shapes
  }
}

// Changes of walltimes.
extension RequestReader {
  /// What was asked of the walltime of a job; `nil` if nothing was.
  func walltimeChange(of job: JobID) throws -> WalltimeChange? {
    guard connection.hasTable("walltime_change") else { return nil }
    return try connection.statement(
      """
      SELECT pending, force, delay_next_jobs, granted, granted_with_force,
        granted_with_delay_next_jobs
      FROM walltime_change WHERE job_id = ?
      """
    ).bind(job).firstRow { Self.change($0) }
  }

  /// The same of all jobs that have not ended.
  func askLiveWalltimeChanges() throws -> Statement? {
    guard connection.hasTable("walltime_change") else { return nil }
    return try connection.statement(
      """
      SELECT pending, force, delay_next_jobs, granted, granted_with_force,
        granted_with_delay_next_jobs, job_id
      FROM walltime_change JOIN jobs USING (job_id)
      WHERE jobs.state NOT IN ('Terminated', 'Error')
      """
    ).ask()
  }

  func liveWalltimeChanges(_ answer: Statement?) throws -> [JobID: WalltimeChange] {
    var changes: [JobID: WalltimeChange] = [:]
    try answer?.forEachRow { changes[$0.integer(6)] = Self.change($0) }
    return changes
  }

  static func change(_ row: Statement) -> WalltimeChange {
    var change = WalltimeChange(
      pending: row.integer(0), force: row.isYes(1), delayNextJobs: row.isYes(2))
    change.granted = row.integer(3)
    change.grantedWithForce = row.integer(4)
    change.grantedWithDelayNextJobs = row.integer(5)
    return change
  }
}

/// The host in `jobs.info_type`: OAR writes `host:port`, and the port only while somebody waits there.
func submissionHost(ofInfo text: String) -> String {
  guard let colon = text.lastIndex(of: ":") else { return text }
  return String(text[..<colon])
}
