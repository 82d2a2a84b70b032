// Resources as OAR's structures for programs, and in Liburna's own JSON (Docs/JSON.md).

import ClusterModel
import CommandLine
import Wire

/// Resources as data.
struct ResourceData {
  /// The site's own properties.
  var properties: [PropertyDefinition]

  /// An entry for each resource, keyed by its id: all columns by name, and `jobs` where it has some.
  func entries(_ records: [ResourceRecord]) -> some Sequence<OutputEntry> {
    let columns = sortedColumns
    return records.lazy.map { record in
      var entries = columns.map { column(named: $0, of: record.resource) }
      if !record.jobs.isEmpty {
        let place = entries.firstIndex { $0.key > "jobs" } ?? entries.endIndex
        entries.insert(OutputEntry("jobs", .text(jobList(record))), at: place)
      }
      return OutputEntry(String(record.resource.id), .map(entries))
    }
  }

  /// All columns of a resource by name.
  func structure(of resource: Resource) -> OutputValue {
    .map(sortedColumns.map { column(named: $0, of: resource) })
  }

  /// An entry for each host: its resources' states, keyed by their ids.
  func states(_ records: [ResourceRecord]) -> [OutputEntry] {
    hosts(records).map { host, records in
      OutputEntry(
        host,
        .map(
          records.map {
            OutputEntry(String($0.resource.id), .text($0.resource.state.rawValue))
          }))
    }
  }

  /// A resource in our own form.
  func document(of record: ResourceRecord, now: Instant) -> OutputValue {
    let resource = record.resource
    return [
      "id": .integer(resource.id),
      "type": .text(resource.type),
      "host": .text(resource.networkAddress),
      "state": .text(resource.state.rawValue),
      "standby": .boolean(resource.isStandby(at: now)),
      "suspected_by_server": .boolean(resource.suspectedByServer),
      "cpuset": .text(resource.cpuset),
      "besteffort": .boolean(resource.acceptsBesteffort),
      "deploy": .boolean(resource.acceptsDeploy),
      "desktop_computing": .boolean(resource.acceptsDesktopComputing),
      "drain": .boolean(resource.drain),
      "suspended_jobs": .boolean(resource.suspendedJobs),
      "scheduler_priority": .integer(resource.schedulerPriority),
      "expiry_date": .integer(resource.expiryDate),
      "last_job_date": .integer(resource.lastJobDate),
      "available_upto": .integer(resource.availableUpto),
      "last_available_upto": .integer(resource.lastAvailableUpto),
      "properties": .map(
        properties.map { OutputEntry($0.name, value(resource.properties[$0.name])) }),
      "jobs": .list(record.jobs),
      "lending": .optional(record.lending),
    ]
  }

  private var sortedColumns: [String] {
    (standardResourceColumns + properties.map(\.name)).sorted()
  }

  private func column(named name: String, of resource: Resource) -> OutputEntry {
    OutputEntry(name, value(resource.value(of: name)))
  }

  private func value(_ value: PropertyValue?) -> OutputValue {
    switch value {
    case .integer(let number): .integer(number)
    case .text(let text): .text(text)
    case .null, nil: .null
    }
  }
}
