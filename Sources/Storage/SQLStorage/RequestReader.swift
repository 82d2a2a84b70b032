// Requests from OAR's rows: moldables, groups and levels, and equal requests as one object.

import ClusterModel

/// Reads the moldables of jobs.
struct RequestReader {
  let connection: Connection

  /// The moldables of one job, ended or not, with the number of the first.
  func moldables(of job: JobID) throws -> (moldables: [Moldable], first: MoldableID) {
    var builder = MoldableBuilder()
    try connection.statement(
      """
      SELECT moldable_id, moldable_walltime, res_group_id, res_group_property,
        res_job_resource_type, res_job_value, res_job_order
      FROM moldable_job_descriptions
        JOIN job_resource_groups ON res_group_moldable_id = moldable_id
        JOIN job_resource_descriptions ON res_job_group_id = res_group_id
      WHERE moldable_job_id = ? ORDER BY moldable_id, res_group_id
      """
    ).bind(job).forEachRow { builder.add($0) }
    return (builder.moldables, builder.first)
  }

  /// The moldables of all jobs that have not ended.
  func liveShapes() throws -> LiveShapes {
    var shapes = LiveShapes()
    var job: JobID = 0
    var first: MoldableID = 0
    var firstGroup = 0
    var fingerprint = Fingerprint()
    func finishJob() throws {
      guard first != 0 else { return }
      try shapes.add(job, fingerprint, firstMoldable: first) { try moldables(of: job).moldables }
      fingerprint.removeAll()
    }
    try connection.statement(
      """
      SELECT moldable_job_id, moldable_id, moldable_walltime, res_group_id, res_group_property,
        res_job_resource_type, res_job_value, res_job_order
      FROM moldable_job_descriptions
        JOIN job_resource_groups ON res_group_moldable_id = moldable_id
        JOIN job_resource_descriptions ON res_job_group_id = res_group_id
      WHERE moldable_index = 'CURRENT' ORDER BY moldable_id, res_group_id
      """
    ).forEachRow { row in
      if row.integer(0) != job {
        try finishJob()
        (job, first, firstGroup) = (row.integer(0), row.integer(1), row.integer(3))
      }
      fingerprint.add(row.integer(1) - first)
      fingerprint.add(row.integer(2))
      fingerprint.add(row.integer(3) - firstGroup)
      fingerprint.add(row.textBytes(4))
      fingerprint.add(row.textBytes(5))
      fingerprint.add(row.integer(6))
      fingerprint.add(row.integer(7))
    }
    try finishJob()
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
  func liveWalltimeChanges() throws -> [JobID: WalltimeChange] {
    guard connection.hasTable("walltime_change") else { return [:] }
    var changes: [JobID: WalltimeChange] = [:]
    try connection.statement(
      """
      SELECT pending, force, delay_next_jobs, granted, granted_with_force,
        granted_with_delay_next_jobs, job_id
      FROM walltime_change JOIN jobs USING (job_id)
      WHERE jobs.state NOT IN ('Terminated', 'Error')
      """
    ).forEachRow { changes[$0.integer(6)] = Self.change($0) }
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

/// Puts moldables together from rows in the order of moldable and group.
private struct MoldableBuilder {
  private(set) var moldables: [Moldable] = []
  private(set) var first: MoldableID = 0
  private var moldable: MoldableID = 0
  private var group = 0
  /// The order of the levels of the present group; the key gives them by name.
  private var orders: [Int] = []

  /// A row with moldable, walltime, group, property, type, value and order.
  mutating func add(_ row: Statement) {
    if moldables.isEmpty { first = row.integer(0) }
    if moldables.isEmpty || row.integer(0) != moldable {
      moldable = row.integer(0)
      moldables.append(Moldable(walltime: row.integer(1), groups: []))
      group = 0
    }
    let last = moldables.count - 1
    if row.integer(2) != group {
      group = row.integer(2)
      moldables[last].groups.append(RequestGroup(properties: row.text(3), levels: []))
      orders.removeAll()
    }
    let level = RequestLevel(row.text(4), BlockCount(stored: row.integer(5)))
    let place = orders.firstIndex { $0 > row.integer(6) } ?? orders.count
    orders.insert(row.integer(6), at: place)
    moldables[last].groups[moldables[last].groups.count - 1].levels.insert(level, at: place)
  }
}

/// The moldables of many jobs; equal ones are kept once.
struct LiveShapes {
  /// What a job may run in.
  struct Entry {
    /// The place of its moldables in ``shapes``.
    var shape: Int
    var firstMoldable: MoldableID
  }

  private(set) var shapes: [[Moldable]] = []
  private(set) var entries: [JobID: Entry] = [:]
  private var places: [Fingerprint: Int] = [:]
  /// The last job's: most jobs are like the one before, and comparing is cheaper than hashing.
  private var last: (fingerprint: Fingerprint, shape: Int)?

  /// Adds a job whose rows, in order, have this fingerprint; `read` is asked only for a new one.
  mutating func add(
    _ job: JobID, _ fingerprint: Fingerprint, firstMoldable: MoldableID,
    read: () throws -> [Moldable]
  ) rethrows {
    let shape = try place(of: fingerprint, read: read)
    entries[job] = Entry(shape: shape, firstMoldable: firstMoldable)
  }

  private mutating func place(
    of fingerprint: Fingerprint, read: () throws -> [Moldable]
  ) rethrows -> Int {
    if let last, last.fingerprint == fingerprint { return last.shape }
    let place: Int
    if let known = places[fingerprint] {
      place = known
    } else {
      shapes.append(try read())
      place = shapes.count - 1
      places[fingerprint] = place
    }
    last = (fingerprint, place)
    return place
  }
}

/// The bytes of some columns, to tell equal rows without making values of them.
struct Fingerprint: Hashable {
  private var bytes: [UInt8] = []

  mutating func add(_ number: Int) {
    withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
  }

  mutating func add(_ text: UnsafeBufferPointer<UInt8>) {
    add(text.count)
    bytes.append(contentsOf: text)
  }

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
}
