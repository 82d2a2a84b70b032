// What `oarnodes` prints for people: blocks of properties, states by host, host names, events.

import ClusterModel
import CommandLine
import Wire

/// Resources as text.
struct ResourceText {
  /// The site's own properties.
  var properties: [PropertyDefinition]
  var now: Instant

  /// Columns that belong to OAR's own administration and are not shown as properties.
  static let hiddenColumns: Set<String> = [
    "resource_id", "state", "next_state", "finaud_decision", "next_finaud_decision", "state_num",
    "suspended_jobs", "scheduler_priority", "expiry_date", "last_job_date",
  ]

  /// The shown properties in order: the schema's, then the site's.
  var shownColumns: [String] {
    standardResourceColumns.filter { !Self.hiddenColumns.contains($0) } + properties.map(\.name)
  }

  /// A block for each resource, with an empty line after it.
  func blocks(_ records: [ResourceRecord]) -> [UInt8] {
    var bytes: [UInt8] = []
    let columns = shownColumns
    for record in records {
      let resource = record.resource
      let jobs = jobList(record)
      bytes.append(text: "network_address : \(resource.networkAddress)\n")
      bytes.append(text: "resource_id : \(resource.id)\n")
      bytes.append(text: "state : \(stateText(resource))\n")
      if !record.jobs.isEmpty { bytes.append(text: "jobs: \(jobs)\n") }
      if let lending = record.lending {
        bytes.append(printable: "lending : \(lending)")
        bytes.append(text: "\n")
      }
      bytes.append(text: "properties : ")
      var values = columns.map { "\($0)=\(resource.value(of: $0)?.text ?? "")" }
      if !record.jobs.isEmpty { values.append("jobs=\(jobs)") }
      bytes.append(printable: values.joined(separator: ", "))
      bytes.append(text: "\n\n")
    }
    return bytes
  }

  /// What OAR prints for an id that no resource has.
  static let emptyBlock = "network_address : \nresource_id : \nstate : \nproperties : \n\n"

  /// Each host's name, and under it its resources with their states.
  func states(_ records: [ResourceRecord]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (host, records) in hosts(records) {
      bytes.append(text: "\(host)\n")
      for record in records {
        bytes.append(text: "    \(record.resource.id) : \(stateText(record.resource))\n")
      }
    }
    return bytes
  }

  /// The host names, one a line.
  func list(_ records: [ResourceRecord]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (host, _) in hosts(records) where !host.isEmpty { bytes.append(text: "\(host)\n") }
    return bytes
  }

  /// The properties that a job's resources have, as `oarstat -p` prints them and `oarprint` reads them.
  func assignments(_ records: [ResourceRecord]) -> [UInt8] {
    var bytes: [UInt8] = []
    let columns = shownColumns
    for record in records {
      let values = columns.map { "\($0) = '\(record.resource.value(of: $0)?.text ?? "")'" }
      bytes.append(UInt8(ascii: " "))
      bytes.append(printable: values.joined(separator: " , "))
      bytes.append(text: " \n")
    }
    return bytes
  }

  /// The state, with a remark on a resource that sleeps and can be woken.
  func stateText(_ resource: Resource) -> String {
    resource.state.rawValue + (resource.isStandby(at: now) ? " (standby)" : "")
  }
}

/// The records of each host, hosts by name, resources in the given order.
func hosts(_ records: [ResourceRecord]) -> [(host: String, records: [ResourceRecord])] {
  var groups: [String: [ResourceRecord]] = [:]
  for record in records { groups[record.resource.networkAddress, default: []].append(record) }
  return groups.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
}

/// The jobs on a resource as OAR lists them: `59, 60`.
func jobList(_ record: ResourceRecord) -> String {
  record.jobs.map(String.init).joined(separator: ", ")
}
