// Reads a whole scenario document.

import ClusterModel
import Encoding
import Kamelot

/// The reading of one document.
struct DocumentReader {
  private enum DocumentKey: String, CaseIterable {
    case name, now, resources, hierarchy, platform, config, quotas, queues, karma, jobs
    case priorityFile = "priority_file"
  }

  private(set) var scenario = Scenario()
  private var found: Set<DocumentKey> = []
  /// Where the list of jobs begins, and the document of the quotas.
  private var jobs: JSONReader?
  private var quotas: JSONReader?

  /// Reads everything, the jobs last: what they leave out depends on the rest.
  mutating func read(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.object(DocumentKey.self) { reader, key throws(ReadingError) in
      found.insert(key)
      try read(key, &reader)
    }
    try reader.end()
    try requireKeys()
    guard var jobs else { throw problem("the key \"jobs\" is missing") }
    var list = JobList(now: scenario.now)
    do throws(ReadingError) { try list.read(&jobs) } catch {
      var problem = error
      problem.putInside("jobs")
      throw problem
    }
    list.hand(to: &scenario)
    if var quotas { scenario.quotas = try readQuotas(&quotas) }
    try chooseOrder()
    addQueuesOfJobs()
  }

  private mutating func read(
    _ key: DocumentKey, _ reader: inout JSONReader
  ) throws(ReadingError) {
    switch key {
    case .name: scenario.name = try reader.text()
    case .now: scenario.now = try reader.instant()
    case .resources: scenario.resources = try ResourceReader.list(&reader)
    case .hierarchy:
      try reader.list { reader, _ throws(ReadingError) in
        scenario.hierarchy.append(try reader.text())
      }
    case .platform:
      let platform = try ShortPlatform(&reader)
      scenario.resources = platform.resources
      scenario.hierarchy = platform.hierarchy
    case .config: try readConfiguration(&reader)
    case .quotas:
      quotas = reader
      try reader.skip()
    case .queues: try readQueues(&reader)
    case .karma: scenario.karma = try readKarma(&reader)
    case .priorityFile: scenario.priorityFile = try reader.text()
    case .jobs:
      jobs = reader
      try reader.skip()
    }
  }

  private func problem(_ text: String) -> ReadingError { ReadingError(.document, text, at: 0) }

  private mutating func requireKeys() throws(ReadingError) {
    guard found.contains(.now) else { throw problem("the key \"now\" is missing") }
    guard found.contains(.resources) != found.contains(.platform) else {
      throw problem("it needs either \"resources\" or \"platform\"")
    }
    guard !found.contains(.platform) || !found.contains(.hierarchy) else {
      throw problem("\"hierarchy\" belongs to \"resources\": the levels of \"platform\" say it")
    }
    let columns = scenario.resources.reduce(into: Set(standardResourceColumns)) {
      $0.formUnion($1.properties.keys)
    }
    for level in scenario.hierarchy where !columns.contains(level) {
      throw problem("hierarchy: no resource has the property \"\(level)\"")
    }
    let order = scenario.configuration["SCHEDULER_RESOURCE_ORDER"]
    try sortResources(by: order)
  }

  /// Without a word about their order, resources are preferred as they stand in the document.
  private mutating func sortResources(by order: String?) throws(ReadingError) {
    guard let order else { return }
    do throws(ConfigurationError) {
      scenario.resources = try ResourceOrder(order).sorted(scenario.resources)
    } catch {
      throw problem("config: \(error)")
    }
  }

  private mutating func chooseOrder() throws(ReadingError) {
    do {
      scenario.order = try ScenarioSettings.order(of: scenario)
    } catch let error as PriorityFileError {
      throw problem("priority_file: \(error)")
    } catch {
      throw problem("config: \(error)")
    }
  }

  private mutating func addQueuesOfJobs() {
    var known = Set(scenario.queues.map(\.name))
    for job in scenario.waiting where !known.contains(job.queue) {
      let priority = job.queue == "besteffort" ? 0 : Scenario.ordinaryPriority
      scenario.queues.append(Queue(name: job.queue, priority: priority))
      known.insert(job.queue)
    }
  }
}

// The parts that are short.
extension DocumentReader {
  private mutating func readConfiguration(_ reader: inout JSONReader) throws(ReadingError) {
    let start = reader
    try reader.members { reader, name throws(ReadingError) in
      scenario.configuration[name] =
        reader.startsNumber
        ? String(try reader.integer())
        : try reader.text(rule: "it must be a text or a whole number")
    }
    do throws(ConfigurationError) {
      scenario.settings = try ScenarioSettings.settings(scenario.configuration)
      scenario.reservationOrder = try ResourceOrder.ofReservations(scenario.configuration)
    } catch {
      throw ReadingError(.document, error.description, at: start.offset)
    }
  }

  /// The quotas; `ALL` is all ordinary resources, as a rule those that are not dead.
  private func readQuotas(_ reader: inout JSONReader) throws(ReadingError) -> Quotas {
    let start = reader.offset
    let bytes = try reader.raw()
    let all = scenario.resources.count {
      $0.type == "default" && ($0.state != .dead || scenario.settings.quotasCountDead)
    }
    do {
      return try Quotas(
        JSONReader.read(bytes), allResources: all,
        clock: LocalClock(utcOffset: scenario.settings.utcOffset))
    } catch {
      throw ReadingError(.document, "\(error)", at: start)
    }
  }

  private enum QueueKey: String, CaseIterable {
    case name, priority
  }

  private mutating func readQueues(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.list { reader, _ throws(ReadingError) in
      var (name, priority) = (String?.none, Scenario.ordinaryPriority)
      let start = reader.offset
      try reader.object(QueueKey.self) { reader, key throws(ReadingError) in
        switch key {
        case .name: name = try reader.text()
        case .priority: priority = try reader.integer(in: -endOfTime...endOfTime)
        }
      }
      guard let name else { throw ReadingError(.value, "the queue has no name", at: start) }
      guard !scenario.queues.contains(where: { $0.name == name }) else {
        throw ReadingError(.value, "there are two queues \"\(name)\"", at: start)
      }
      scenario.queues.append(Queue(name: name, priority: priority))
    }
  }

  private enum KarmaKey: String, CaseIterable {
    case users, projects
  }

  private func readKarma(_ reader: inout JSONReader) throws(ReadingError) -> Scenario.Karma {
    var karma = Scenario.Karma()
    try reader.object(KarmaKey.self) { reader, key throws(ReadingError) in
      try reader.members { reader, name throws(ReadingError) in
        switch key {
        case .users: karma.users[name] = try reader.real()
        case .projects: karma.projects[name] = try reader.real()
        }
      }
    }
    return karma
  }
}

extension JSONReader {
  /// Seconds since the epoch, within OAR's schema.
  mutating func instant() throws(ReadingError) -> Instant { try integer(in: 0...endOfTime) }
}
