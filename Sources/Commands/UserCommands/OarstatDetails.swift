// `oarstat -e` and `oarstat -p`: the events of jobs and the properties of their resources.

import ClusterModel
import CommandLine
import Wire

enum OarstatDetails {
  /// Prints the events of the named jobs.
  static func events(_ query: OarstatQuery, _ context: CommandContext) throws -> Int32 {
    try requireJobs(query, option: "--events")
    let jobs = try context.jobs(query.message(full: true))
    context.output.pass(eventText(jobs))
    return 0
  }

  /// Prints the properties of the resources of the named jobs, a line for each resource.
  static func properties(_ query: OarstatQuery, _ context: CommandContext) throws -> Int32 {
    try requireJobs(query, option: "--properties")
    let ids = try context.jobs(query.message(full: false)).flatMap(\.assignedResources)
    guard !ids.isEmpty else { return 0 }
    let answer = try context.ask(.resources(ResourceSelection(ids: ids)))
    guard case .resources(let records, let properties) = answer else {
      throw UnexpectedReply(question: "resources")
    }
    let text = ResourceText(properties: properties, now: LocalDate.now)
    context.output.pass(text.assignments(records))
    return 0
  }

  /// A line for each event: date, job, type, description.
  static func eventText(_ jobs: [JobRecord], zone: DateZone = .local) -> [UInt8] {
    var bytes: [UInt8] = []
    for job in jobs {
      for event in job.events {
        bytes.append(text: "\(LocalDate(event.date, in: zone).text)> [\(job.id)] ")
        bytes.append(printable: "\(event.type): \(event.text)")
        bytes.append(UInt8(ascii: "\n"))
      }
    }
    return bytes
  }

  private static func requireJobs(_ query: OarstatQuery, option: String) throws {
    guard query.selection != nil else {
      throw CommandFailure(
        1, "\(option) can only be used with -j, --array or --sql: name the jobs.")
    }
  }
}
