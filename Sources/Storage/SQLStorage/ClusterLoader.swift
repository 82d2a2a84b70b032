// Everything that a server needs in memory, read from OAR's rows.

import ClusterModel
import Storage

/// Reads resources, queues and live jobs.
struct ClusterLoader {
  let connection: Connection

  /// The states of jobs that have not ended, as a list for SQL.
  static let liveStates = JobState.allCases.filter { !$0.isFinal }

  func load(_ pending: PendingArrays) throws -> StoredCluster {
    var cluster = StoredCluster()
    try loadProperties(into: &cluster)
    let resources = try askResources(cluster.properties)
    let queues = try askQueues()
    let questions = try LiveJobQuestions(connection: connection)
    try loadResources(resources, into: &cluster)
    cluster.queues = try queues.rows(queue)
    var jobs = try LiveJobLoader(questions, problems: cluster.problems)
    cluster.jobs = try jobs.load()
    cluster.problems = jobs.problems
    judgeQueues(of: &cluster)
    let withoutRows = try pending.jobsWithoutRows()
    if !withoutRows.isEmpty {
      cluster.jobs += withoutRows
      cluster.jobs.sort { $0.id < $1.id }
    }
    let arrays = pending.arrays
    cluster.nextJob = max(
      arrays.map(\.jobs.upperBound).max() ?? 1, try connection.nextID("job_id", "jobs"))
    cluster.nextMoldable = max(
      arrays.map(\.nextMoldable).max() ?? 1,
      try connection.nextID("moldable_id", "moldable_job_descriptions"))
    cluster.nextResource = try connection.nextID("resource_id", "resources")
    return cluster
  }

  // MARK: Queues

  func queues() throws -> [Queue] { try askQueues().rows(queue) }

  private func askQueues() throws -> Statement {
    try connection.statement(
      """
      SELECT queue_name, priority, scheduler_policy, state FROM queues
      ORDER BY priority DESC, queue_name
      """
    ).ask()
  }

  private func queue(_ row: Statement) -> Queue {
    Queue(
      name: row.text(0), priority: row.integer(1), policy: row.text(2),
      isActive: row.text(3) == "Active")
  }

  /// A job that waits in no queue stays what it is, and somebody should know; the list of what is wrong gets
  /// an end.
  private func judgeQueues(of cluster: inout StoredCluster) {
    let names = Set(cluster.queues.map(\.name))
    for job in cluster.jobs where job.state == .waiting && !names.contains(job.queue) {
      cluster.problems.append(
        "job \(job.id) waits in the queue \"\(job.queue)\", which does not exist")
    }
    let rest = cluster.problems.count - Self.problemLimit
    guard rest > 0 else { return }
    cluster.problems.removeLast(rest)
    cluster.problems.append("\(rest) more rows can't be understood")
  }

  /// More sentences than this help nobody.
  private static let problemLimit = 100

  // MARK: Resources

  /// Reads the resources and the site's properties.
  func loadResources(into cluster: inout StoredCluster) throws {
    if !connection.isShared { try connection.columnsMayHaveChanged() }
    try loadProperties(into: &cluster)
    try loadResources(askResources(cluster.properties), into: &cluster)
  }

  private func loadProperties(into cluster: inout StoredCluster) throws {
    if connection.isShared { try connection.columnsMayHaveChanged() }
    let standard = Set(standardResourceColumns)
    cluster.properties = try connection.columns(of: "resources").map { column in
      PropertyDefinition(name: column.name, kind: column.isInteger ? .integer : .text)
    }.filter { !standard.contains($0.name) }
  }

  private func askResources(_ properties: [PropertyDefinition]) throws -> Statement {
    let columns = standardResourceColumns + properties.map(\.name)
    return try connection.prepare(
      "SELECT \(connection.list(columns, of: "resources")) FROM resources ORDER BY resource_id"
    ).ask()
  }

  private func loadResources(_ answer: Statement, into cluster: inout StoredCluster) throws {
    let sites = cluster.properties
    try answer.forEachRow { row in
      row.hasBrokenText = false
      let resource = resource(row, sites)
      let problem =
        resource == nil
        ? "its state \"\(row.text(3))\" is not known"
        : row.integer(0) <= 0
          ? "its number is not positive"
          : row.hasBrokenText ? "one of its texts is not in UTF-8" : nil
      if let problem {
        cluster.problems.append("resource \(row.integer(0)) was set aside: \(problem)")
      } else if let resource {
        cluster.resources.append(resource)
      }
    }
  }

  /// Reads a row with the columns of `standardResourceColumns` and then the site's.
  private func resource(_ row: Statement, _ sites: [PropertyDefinition]) -> Resource? {
    guard let state = ResourceState(rawValue: row.text(3)) else { return nil }
    var resource = Resource(id: row.integer(0))
    resource.type = row.text(1)
    resource.networkAddress = row.text(2)
    resource.state = state
    resource.suspectedByServer = row.isYes(5)
    resource.suspendedJobs = row.isYes(8)
    resource.schedulerPriority = row.integer(9)
    resource.cpuset = row.text(10)
    resource.acceptsBesteffort = row.isYes(11)
    resource.acceptsDeploy = row.isYes(12)
    resource.expiryDate = row.integer(13)
    resource.acceptsDesktopComputing = row.isYes(14)
    resource.lastJobDate = row.integer(15)
    resource.availableUpto = row.integer(16)
    resource.lastAvailableUpto = row.integer(17)
    resource.drain = row.isYes(18)
    for (index, site) in sites.enumerated() {
      resource.properties[site.name] =
        switch row.value(standardResourceColumns.count + index) {
        case .integer(let number): .integer(number)
        case .text(let text): .text(text)
        case .null: .null
        }
    }
    return resource
  }
}
