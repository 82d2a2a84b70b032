// What oarnodesetting prints about a change, in OAR's words.

import ClusterModel
import CommandLine
import Wire

/// A change of resources that was done.
struct ChangeReport {
  var setting: ResourceSetting
  /// The resources as they were before.
  var records: [ResourceRecord]
  var result: ResourceSettingResult
  /// The hosts, if resources were named by host.
  var hosts: [String]?
  /// Whether the jobs that had to go were waited for.
  var checksJobs: Bool

  /// The lines; `remaining` are the jobs that have not ended yet.
  func text(remaining: Set<JobID>) -> String {
    var lines: [String] = []
    if let maintenance = setting.maintenance {
      for record in records {
        lines += maintenanceLines(maintenance, on: record, remaining: remaining)
      }
    }
    if let state = setting.state { lines += stateLines(state, remaining: remaining) }
    if let drain = setting.drain {
      let changed = records.filter { $0.resource.drain != drain }.count
      lines.append(line(property: "drain", value: drain ? "YES" : "NO", updated: changed))
    }
    for (property, updated) in zip(setting.properties, result.updated) {
      lines.append(line(property: property.name, value: property.value, updated: updated))
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func maintenanceLines(
    _ maintenance: Bool, on record: ResourceRecord, remaining: Set<JobID>
  ) -> [String] {
    let resource = record.resource
    let mode = maintenance ? "ON" : "OFF"
    let title = "Maintenance mode set to \"\(mode)\" on resource \(resource.id)"
    guard maintenance else {
      let restored = String(resource.lastAvailableUpto)
      return [title, line(property: "available_upto", value: restored, updated: 1)]
    }
    let saved = String(resource.availableUpto)
    return [
      title, line(property: "available_upto", value: "0", updated: 1),
      line(property: "last_available_upto", value: saved, updated: 1),
    ] + check([record], title: "resource \(resource.id)", remaining: remaining)
  }

  private func stateLines(_ state: ResourceState, remaining: Set<JobID>) -> [String] {
    let endsJobs = state == .dead || state == .absent
    if let hosts {
      return hosts.flatMap { host -> [String] in
        let here = records.filter { $0.resource.networkAddress == host }
        return ["\(host) --> \(state.rawValue)"]
          + (endsJobs ? check(here, title: "node \(host)", remaining: remaining) : [])
      }
    }
    let ids = records.map { String($0.resource.id) }.joined(separator: ",")
    let title = "(\(ids)) --> \(state.rawValue)"
    guard endsJobs, checksJobs else { return [title, "Done"] }
    return [title]
      + records.flatMap {
        check([$0], title: "resource \($0.resource.id)", remaining: remaining)
      }
  }

  /// The lines about the jobs on some resources; none if they were not waited for.
  private func check(
    _ records: [ResourceRecord], title: String, remaining: Set<JobID>
  ) -> [String] {
    guard checksJobs else { return [] }
    let ending = Set(result.endedJobs)
    let jobs = Set(records.flatMap(\.jobs)).filter(ending.contains).sorted()
    let lines = jobs.map { "\t\($0) . \(remaining.contains($0) ? "not ended" : "Deleted")" }
    return ["Check jobs to delete on \(title):"] + lines + ["Check done"]
  }

  private func line(property: String, value: String, updated: Int) -> String {
    "Set property \(property) to '\(value)'... \(updated) resource(s) updated."
  }
}
