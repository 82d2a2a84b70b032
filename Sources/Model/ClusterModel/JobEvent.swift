// Something that happened to a job or a host, as users and admins read it (`event_logs`).

/// One line of the event log.
public struct JobEvent: Hashable, Codable, Sendable {
  /// OAR's word, such as `FRAG_JOB_REQUEST` or `CPUSET_ERROR`; at most 50 characters.
  public var type: String
  /// The job concerned; 0 for none.
  public var job: JobID
  public var date: Instant
  public var text: String
  /// The hosts concerned (`event_log_hostnames`).
  public var hosts: [String]

  public init(_ type: String, job: JobID, at date: Instant, _ text: String, hosts: [String] = []) {
    self.type = type
    self.job = job
    self.date = date
    self.text = text
    self.hosts = hosts
  }
}
