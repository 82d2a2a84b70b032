// Resources, queues and jobs, as we would have them in memory.

import ClusterModel
import Controller
import Storage

extension Judge {
  // MARK: Resources

  func resources() -> [SiteFinding] {
    guard let cluster else {
      return (survey?.clusterFailure).map {
        [SiteFinding("rows", .problem, "resources, queues and jobs can't be read: \($0)")]
      } ?? []
    }
    let hosts = Set(cluster.resources.map(\.networkAddress)).subtracting([""])
    let properties = cluster.properties.map(\.name)
    let names = properties.isEmpty ? "" : ": \(Self.list(properties))"
    return [
      cluster.resources.isEmpty
        ? SiteFinding("resources", .note, "none", remedy: "oarnodesetting -a")
        : SiteFinding("resources", .ok, "\(cluster.resources.count) of \(hosts.count) hosts"),
      SiteFinding("properties", .ok, "\(properties.count) of the site's own\(names)"),
    ] + labels(cluster) + namedColumns(cluster)
  }

  private func labels(_ cluster: StoredCluster) -> [SiteFinding] {
    let subject = "HIERARCHY_LABELS"
    let value = configuration["HIERARCHY_LABELS"] ?? ""
    guard !value.isEmpty else {
      let usual = ["resource_id", "cpu", "core", "gpu", "switch"].filter { name in
        name == "resource_id" || cluster.properties.contains { $0.name == name }
      }
      let chain = HierarchyLabels.order(of: Set(usual + ["network_address"]), in: cluster)
      return [
        SiteFinding(
          subject, .note, "not set: levels are what the resources show",
          remedy: "HIERARCHY_LABELS=\"\(chain.reversed().joined(separator: ","))\"",
          for: [.kamelot])
      ]
    }
    let remarks = HierarchyLabels(configuration).remarks(on: cluster)
    return remarks.isEmpty
      ? [SiteFinding(subject, .ok, "\(value): columns that lie in each other")]
      : remarks.map {
        SiteFinding(
          subject, .note, $0, remedy: "oarproperty -l lists the properties; \(subject)=\"\(value)\""
        )
      }
  }

  /// Variables that name columns of `resources`.
  private func namedColumns(_ cluster: StoredCluster) -> [SiteFinding] {
    let columns = Set(standardResourceColumns + cluster.properties.map(\.name))
    let variables: [(name: String, parts: Set<SitePart>)] = [
      ("JOB_RESOURCE_MANAGER_PROPERTY_DB_FIELD", [.server]), ("LIBURNA_MEMORY_PROPERTY", [.server]),
      ("OARSUB_NODES_RESOURCES", [.server]),
      ("SCHEDULER_PRIORITY_HIERARCHY_ORDER", [.kao]),
      ("SCHEDULER_RESOURCE_ORDER", Set(SitePart.allCases)),
      ("SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS", [.kao, .server]),
    ]
    return variables.compactMap { name, parts in
      let words = (configuration[name] ?? "").split { $0 == "," || $0 == "/" }
      let missing = words.compactMap { $0.split(whereSeparator: \.isWhitespace).first }
        .map { $0.lowercased() }.filter { !columns.contains($0) }
      guard !missing.isEmpty else { return nil }
      return SiteFinding(
        name, .note, "\(Self.list(missing)): no column of resources", remedy: "oarproperty -l",
        for: parts)
    }
  }

  // MARK: Queues

  func queues() -> [SiteFinding] {
    guard let cluster else { return [] }
    if cluster.queues.isEmpty { return [SiteFinding("queues", .problem, "there are none")] }
    return cluster.queues.map { queue($0) } + [order(cluster.queues)].compactMap { $0 }
  }

  private func queue(_ queue: Queue) -> SiteFinding {
    let subject = "queue \(queue.name)"
    let fact = "priority \(queue.priority), \(queue.policy)"
    let isOurs = queue.policy == "kamelot" || queue.policy == "kao"
    if let there = readings.schedulers, !there.contains(queue.policy) {
      return isOurs ? missingLink(subject, fact) : missingScheduler(queue, subject, fact)
    }
    return queue.isActive
      ? SiteFinding(subject, .ok, fact)
      : SiteFinding(
        subject, .note, "\(fact): not active, so its jobs don't start", remedy: "oarnotify -E")
  }

  /// kao plans such queues itself, OAR's metascheduler looks for the program.
  private func missingLink(_ subject: String, _ fact: String) -> SiteFinding {
    let program = readings.ownPrograms["kamelot"] ?? "\(readings.directory)/kamelot"
    let isPlanned = configuration["META_SCHED_CMD"] == "kao"
    return SiteFinding(
      subject, isPlanned ? .ok : .problem,
      isPlanned ? "\(fact): planned by kao" : "\(fact): \(Self.missing(readings))",
      remedy: "ln -s \(program) \(readings.schedulersDirectory)/kamelot",
      for: isPlanned ? Set(SitePart.allCases) : [.kamelot])
  }

  /// Both metaschedulers make such a queue inactive.
  private func missingScheduler(
    _ queue: Queue, _ subject: String, _ fact: String
  ) -> SiteFinding {
    let isNeeded = configuration["METASCHEDULER_MODE"] != "internal"
    return SiteFinding(
      subject, isNeeded ? .problem : .note, "\(fact): \(Self.missing(readings))",
      remedy: "oarnotify --remove-queue \(queue.name); oarnotify --add-queue "
        + "\(queue.name),\(queue.priority),kamelot",
      for: [.kao])
  }

  private static func missing(_ readings: SiteReadings) -> String {
    "no such program in \(readings.schedulersDirectory), so its jobs don't start"
  }

  /// Fair shares are in the scheduler's name with OAR 2, and in a variable with us.
  private func order(_ queues: [Queue]) -> SiteFinding? {
    let fair = queues.filter { $0.policy.contains("fairsharing") }.map(\.name)
    guard !fair.isEmpty, configuration["JOB_PRIORITY"] == nil else { return nil }
    return SiteFinding(
      "fair shares", .note,
      "the schedulers of \(Self.list(fair)) share fairly; ours does if JOB_PRIORITY says so",
      remedy: "JOB_PRIORITY=\"FAIRSHARE\"; without it: first come, first served",
      for: [.kamelot, .server])
  }

  // MARK: Jobs

  /// More rows than this are counted only.
  private static let shownRows = 10

  func jobs() -> [SiteFinding] {
    guard let cluster else { return [] }
    var counts: [JobState: Int] = [:]
    for job in cluster.jobs { counts[job.state, default: 0] += 1 }
    let states = JobState.allCases.compactMap { state in
      counts[state].map { "\($0) \(state.rawValue)" }
    }
    var findings = [
      SiteFinding(
        "jobs", .ok, states.isEmpty ? "none waits or runs" : states.joined(separator: ", "))
    ]
    let tokens = cluster.jobs.filter { $0.state == .waiting && $0.hasType("token") }
    if !tokens.isEmpty {
      findings.append(
        SiteFinding(
          "jobs", .note, "\(tokens.count) of the type token have no place with us, and are told so")
      )
    }
    findings += cluster.problems.prefix(Self.shownRows).map {
      SiteFinding("set aside", .note, $0)
    }
    let rest = cluster.problems.count - Self.shownRows
    if rest > 0 { findings.append(SiteFinding("set aside", .note, "\(rest) more rows")) }
    if cluster.problems.isEmpty {
      findings.append(SiteFinding("set aside", .ok, "no row: all are understood"))
    }
    return findings
  }
}
