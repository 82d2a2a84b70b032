// Arrays that were accepted as one row each, and how they become OAR's rows: in the background, and
// at once for a job that something happens to.

import ClusterModel
import Storage

/// The arrays of which some jobs have no rows yet.
struct PendingArrays {
  /// Arrays of fewer jobs are written as rows at once.
  static let smallest = 64
  /// The rows of how many jobs are written between two looks at the clock.
  private static let step = 16

  let connection: Connection
  private let rows: JobRows
  /// By the id of their first job.
  private(set) var arrays: [StoredArray]

  /// Reads what an earlier server left.
  init(connection: Connection) throws {
    self.connection = connection
    rows = JobRows(connection: connection)
    arrays = connection.takesWholeArrays ? try StoredArray.all(in: connection) : []
  }

  var isEmpty: Bool { arrays.isEmpty }

  // MARK: Changes; inside a transaction

  /// Accepts new jobs, as rows or as arrays.
  mutating func submit(_ submissions: [[Job]]) throws {
    var others: [Job] = []
    for jobs in submissions {
      if connection.takesWholeArrays, jobs.count >= Self.smallest, let array = StoredArray(jobs) {
        try array.insert(into: connection)
        arrays.append(array)
      } else {
        others += jobs
      }
    }
    if !others.isEmpty { try rows.insert(others) }
  }

  /// Sees to it that a job that is to be changed has rows.
  func ensureRows(of job: JobID) throws {
    if let job = try jobWithoutRows(job) { try rows.insert(CollectionOfOne(job)) }
  }

  /// Writes rows until the deadline, at least a few.
  mutating func writeSome(until deadline: Deadline) throws {
    guard var array = arrays.first else { return }
    repeat {
      let end = min(array.count, array.nextIndex + Self.step)
      let missing = try (array.nextIndex..<end).filter { try !hasRows(array.first + $0) }
      try rows.insert(missing.map { array.job(at: $0) })
      array.nextIndex = end
    } while !array.isComplete && !deadline.isOver
    try array.updateProgress(in: connection)
    if array.isComplete { arrays.removeFirst() } else { arrays[0] = array }
  }

  // MARK: Questions

  /// The jobs without rows, by id.
  func jobsWithoutRows() throws -> [Job] {
    try arrays.flatMap { try jobsWithoutRows(of: $0, limit: .max) }
  }

  /// The first jobs of an array that have no rows.
  func jobsWithoutRows(of array: StoredArray, limit: Int) throws -> [Job] {
    let rest = array.first + array.nextIndex..<array.jobs.upperBound
    let written = Set(
      try connection.statement("SELECT job_id FROM jobs WHERE job_id >= ? AND job_id < ?")
        .bind(rest.lowerBound).bind(rest.upperBound).rows { $0.integer(0) })
    let missing = rest.lazy.filter { !written.contains($0) }
    return missing.prefix(limit).map { array.job(at: $0 - array.first) }
  }

  /// The job, if it has no rows yet.
  func jobWithoutRows(_ job: JobID) throws -> Job? {
    guard let (array, index) = place(of: job), try !hasRows(job) else { return nil }
    return array.job(at: index)
  }

  private func place(of job: JobID) -> (StoredArray, Int)? {
    for array in arrays where array.jobs.contains(job) {
      let index = job - array.first
      return index >= array.nextIndex ? (array, index) : nil
    }
    return nil
  }

  private func hasRows(_ job: JobID) throws -> Bool {
    try connection.statement("SELECT 1 FROM jobs WHERE job_id = ?")
      .bind(job).firstRow { _ in true } ?? false
  }
}
