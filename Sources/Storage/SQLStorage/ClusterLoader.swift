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
    try loadResources(into: &cluster)
    cluster.queues = try queues()
    var jobs = try LiveJobLoader(connection: connection, problems: cluster.problems)
    cluster.jobs = try jobs.load()
    cluster.problems = jobs.problems
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

  func queues() throws -> [Queue] {
    try connection.statement(
      """
      SELECT queue_name, priority, scheduler_policy, state FROM queues
      ORDER BY priority DESC, queue_name
      """
    ).rows { row in
      Queue(
        name: row.text(0), priority: row.integer(1), policy: row.text(2),
        isActive: row.text(3) == "Active")
    }
  }

  // MARK: Resources

  func loadResources(into cluster: inout StoredCluster) throws {
    let standard = Set(standardResourceColumns)
    cluster.properties = try connection.columns(of: "resources").map { column in
      PropertyDefinition(name: column.name, kind: column.isInteger ? .integer : .text)
    }.filter { !standard.contains($0.name) }
    let columns = standardResourceColumns + cluster.properties.map(\.name)
    let names = connection.list(columns, of: "resources")
    let sites = cluster.properties
    var problems: [String] = []
    cluster.resources = try connection.prepare(
      "SELECT \(names) FROM resources ORDER BY resource_id"
    ).rows { row -> Resource? in
      let resource = self.resource(row, sites)
      if resource == nil { problems.append("resource \(row.integer(0)) has an unknown state") }
      return resource
    }.compactMap { $0 }
    cluster.problems += problems
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
