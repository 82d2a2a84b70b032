// Dependencies between jobs, the values of `-a`: `id[,min[,max]]`.

import ClusterModel

/// A job that must come first, and how long after its start the dependent job may start.
public struct JobDependency: Hashable, Sendable {
  public var job: JobID
  /// Not earlier than so many seconds after that job's start; `nil` for no such bound.
  public var earliest: Seconds?
  /// Not later than so many seconds after that job's start; `nil` for no such bound.
  public var latest: Seconds?

  public init(job: JobID, earliest: Seconds? = nil, latest: Seconds? = nil) {
    self.job = job
    self.earliest = earliest
    self.latest = latest
  }

  /// The dependency as users write it.
  public var text: String {
    switch (earliest, latest) {
    case (nil, nil): "\(job)"
    case (let earliest?, nil): "\(job),\(earliest)"
    case (let earliest, let latest?): "\(job),\(earliest.map(String.init) ?? ""),\(latest)"
    }
  }

  /// Reads one dependency; an empty bound is none.
  ///
  /// - Throws: ``RequestError`` for anything else, and if the bounds contradict each other.
  public init(parsing text: String) throws(RequestError) {
    try RequestLimits.check(text, in: "dependency")
    func refuse(_ kind: RequestError.Kind, _ problem: String) -> RequestError {
      RequestError(
        kind, in: "dependency", value: text, problem: problem,
        allowed: "job id[,min[,max]] in whole numbers, such as 42 or 42,0,3600")
    }
    let fields = text.split(separator: ",", omittingEmptySubsequences: false)
      .map { String($0).trimmed }
    guard fields.count <= 3 else { throw refuse(.malformed, "has too many fields") }
    job = try JobDependency.jobID(fields.first ?? "")
    func bound(_ index: Int) throws(RequestError) -> Seconds? {
      guard fields.indices.contains(index), !fields[index].isEmpty else { return nil }
      guard let seconds = Int(fields[index]) else {
        throw refuse(.malformed, "has a bound that is not a whole number of seconds")
      }
      let limit = RequestLimits.largestNumber
      guard (-limit...limit).contains(seconds) else {
        throw refuse(.outOfRange, "has a bound of more than \(limit) seconds")
      }
      return seconds
    }
    earliest = try bound(1)
    latest = try bound(2)
    if let earliest, let latest, earliest > latest {
      throw refuse(.outOfRange, "has its lower bound above its upper bound")
    }
  }

  /// Reads the number of a job.
  public static func jobID(_ text: String) throws(RequestError) -> JobID {
    try RequestLimits.check(text, in: "job id")
    let digits = text.trimmed
    guard digits.isAllDigits, let id = Int(digits), id > 0, id <= RequestLimits.largestNumber else {
      throw RequestError(
        digits.isAllDigits ? .outOfRange : .malformed, in: "job id", value: text,
        problem: text.isEmpty ? "the job id is missing" : "is not a job id",
        allowed: "a number from 1 to \(RequestLimits.largestNumber)")
    }
    return id
  }
}
