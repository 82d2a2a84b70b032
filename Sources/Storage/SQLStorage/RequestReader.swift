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
    var last: MoldableID = 0
    var firstGroup = 0
    var fingerprint = Fingerprint()
    try connection.statement(
      """
      SELECT moldable_job_id, moldable_id, moldable_walltime, res_group_id, res_group_property,
        res_job_resource_type, res_job_value, res_job_order
      FROM moldable_job_descriptions
        JOIN job_resource_groups ON res_group_moldable_id = moldable_id
        JOIN job_resource_descriptions ON res_job_group_id = res_group_id
      WHERE moldable_index = 'CURRENT' ORDER BY moldable_job_id, moldable_id, res_group_id
      """
    ).forEachRow { row in
      // Two commands that submit at once may share the numbers out among them: what is apart is a run of
      // its own.
      if row.integer(0) != job || row.integer(1) > last + 1 {
        if first != 0 { shapes.add(job, fingerprint, firstMoldable: first) }
        fingerprint.removeAll()
        (job, first, firstGroup) = (row.integer(0), row.integer(1), row.integer(3))
      }
      last = row.integer(1)
      fingerprint.add(row.integer(1) - first)
      fingerprint.add(row.integer(2))
      fingerprint.add(row.integer(3) - firstGroup)
      fingerprint.add(row.textBytes(4))
      fingerprint.add(row.textBytes(5))
      fingerprint.add(row.integer(6))
      fingerprint.add(row.integer(7))
    }
    if first != 0 { shapes.add(job, fingerprint, firstMoldable: first) }
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
  /// What a row says.
  struct Level {
    var moldable: MoldableID
    var walltime: Seconds
    var group: Int
    var property: String
    var type: String
    var value: Int
    var order: Int
  }

  private(set) var moldables: [Moldable] = []
  private(set) var first: MoldableID = 0
  private var moldable: MoldableID = 0
  private var group = 0
  /// The order of the levels of the present group; the key gives them by name.
  private var orders: [Int] = []

  /// A row with moldable, walltime, group, property, type, value and order.
  mutating func add(_ row: Statement) {
    add(
      Level(
        moldable: row.integer(0), walltime: row.integer(1), group: row.integer(2),
        property: row.text(3), type: row.text(4), value: row.integer(5), order: row.integer(6)))
  }

  mutating func add(_ row: Level) {
    if moldables.isEmpty { first = row.moldable }
    let isNew = moldables.isEmpty || row.moldable != moldable
    if isNew {
      moldable = row.moldable
      moldables.append(Moldable(walltime: row.walltime, groups: []))
    }
    let last = moldables.count - 1
    if isNew || row.group != group {
      group = row.group
      moldables[last].groups.append(RequestGroup(properties: row.property, levels: []))
      orders.removeAll()
    }
    let level = RequestLevel(row.type, BlockCount(stored: row.value))
    let place = orders.firstIndex { $0 > row.order } ?? orders.count
    orders.insert(row.order, at: place)
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
  /// Further moldables of jobs whose moldables have numbers that are apart.
  private(set) var others: [JobID: [Entry]] = [:]
  private var places: [Fingerprint: Int] = [:]
  /// The last job's: most jobs are like the one before, and comparing is cheaper than hashing.
  private var last: (fingerprint: Fingerprint, shape: Int)?

  /// Adds a job whose rows, in order, have this fingerprint.
  mutating func add(_ job: JobID, _ fingerprint: Fingerprint, firstMoldable: MoldableID) {
    let entry = Entry(shape: place(of: fingerprint), firstMoldable: firstMoldable)
    if entries[job] == nil {
      entries[job] = entry
    } else {
      others[job, default: []].append(entry)
    }
  }

  private mutating func place(of fingerprint: Fingerprint) -> Int {
    if let last, last.fingerprint == fingerprint { return last.shape }
    let place: Int
    if let known = places[fingerprint] {
      place = known
    } else {
      shapes.append(Self.moldables(fingerprint))
      place = shapes.count - 1
      places[fingerprint] = place
    }
    last = (fingerprint, place)
    return place
  }

  /// The moldables of rows, from their fingerprint: the rows are gone, and to ask for them again would cost a
  /// message to and fro.
  private static func moldables(_ fingerprint: Fingerprint) -> [Moldable] {
    var reader = fingerprint.reader
    var builder = MoldableBuilder()
    while !reader.isAtEnd {
      builder.add(
        MoldableBuilder.Level(
          moldable: reader.number(), walltime: reader.number(), group: reader.number(),
          property: reader.text(), type: reader.text(), value: reader.number(),
          order: reader.number()))
    }
    return builder.moldables
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

  /// Gives back what was added, in the same order.
  var reader: FingerprintReader { FingerprintReader(bytes: bytes) }
}

/// Reads the bytes of a fingerprint.
struct FingerprintReader {
  fileprivate let bytes: [UInt8]
  private var place = 0

  fileprivate init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { place >= bytes.count }

  mutating func number() -> Int {
    let end = min(bytes.count, place + MemoryLayout<Int>.size)
    guard end - place == MemoryLayout<Int>.size else {
      place = bytes.count
      return 0
    }
    defer { place = end }
    return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: Int.self) }
  }

  mutating func text() -> String {
    let count = number()
    let end = min(bytes.count, place + max(0, count))
    defer { place = end }
    return String(decoding: bytes[place..<end], as: UTF8.self)
  }
}
