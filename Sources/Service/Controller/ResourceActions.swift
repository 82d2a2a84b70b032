// What admins do to resources, properties and queues, and what a lost host does to its resources.

import ClusterModel
import Storage
import Wire

extension ClusterState {
  // MARK: States of resources

  /// Puts resources into a state; jobs on them end when they go away.
  ///
  /// - Returns: the jobs whose end was asked for.
  @discardableResult
  mutating func setState(
    of ids: [ResourceID], to state: ResourceState, byServer: Bool, at now: Instant,
    _ outcome: inout Outcome
  ) -> [JobID] {
    for id in ids {
      guard var resource = resources[id] else { continue }
      if resource.suspectedByServer != byServer {
        resource.suspectedByServer = byServer
        outcome.changes.append(
          .resourceChanged(resource, column: "finaud_decision", at: now))
      }
      if resource.state != state {
        resource.state = state
        outcome.changes.append(.resourceChanged(resource, column: "state", at: now))
      }
      resources[id] = resource
    }
    needsPlan = true
    guard state == .absent || state == .dead else { return [] }
    let gone = Set(ids)
    var ending: [JobID] = []
    for id in holding.sorted() {
      guard let job = jobs[id], !gone.isDisjoint(with: job.assignedResources),
        !job.hasType("cosystem"), !job.hasType("noop")
      else { continue }
      requestEnd(of: id, asker: "oar", at: now, &outcome)
      ending.append(id)
    }
    return ending
  }

  /// Suspects every Alive resource of hosts; the server heals them when their agents answer again.
  mutating func suspectHosts(_ hosts: [String], at now: Instant, _ outcome: inout Outcome) {
    let names = Set(hosts)
    let ids = resources.values
      .filter { names.contains($0.networkAddress) && $0.state == .alive }.map(\.id).sorted()
    guard !ids.isEmpty else { return }
    setState(of: ids, to: .suspected, byServer: true, at: now, &outcome)
    outcome.changes.append(
      .event(
        JobEvent(
          "LOG_SUSPECTED", job: 0, at: now, "suspected: \(names.sorted().joined(separator: ", "))",
          hosts: names.sorted())))
  }

  /// Heals what the server itself suspected on a host.
  mutating func healHost(_ host: String, at now: Instant, _ outcome: inout Outcome) {
    let ids = resources.values
      .filter { $0.networkAddress == host && $0.state == .suspected && $0.suspectedByServer }
      .map(\.id).sorted()
    guard !ids.isEmpty else { return }
    setState(of: ids, to: .alive, byServer: false, at: now, &outcome)
    outcome.changes.append(
      .event(JobEvent("FINAUD_RECOVER", job: 0, at: now, "\(host) answers again", hosts: [host])))
  }

  // MARK: Settings

  /// Applies a setting to resources.
  mutating func set(
    _ setting: ResourceSetting, on selected: [Resource], at now: Instant,
    _ outcome: inout Outcome
  ) throws(Refusal) -> ResourceSettingResult {
    let values = try parse(setting.properties)
    if values.contains(where: { $0.0 == "network_address" }) { try requireUnused(selected) }
    var updated: [Int] = []
    for (name, value) in values {
      var count = 0
      for id in selected.map(\.id) {
        if set(name, to: value, of: id, at: now, &outcome) { count += 1 }
      }
      updated.append(count)
    }
    if let drain = setting.drain {
      for id in selected.map(\.id) {
        set("drain", to: .text(drain ? "YES" : "NO"), of: id, at: now, &outcome)
      }
    }
    let ids = selected.map(\.id)
    var ending: [JobID] = []
    if let maintenance = setting.maintenance {
      ending += setMaintenance(maintenance, of: ids, at: now, &outcome)
    }
    if let state = setting.state {
      ending += setState(of: ids, to: state, byServer: false, at: now, &outcome)
    }
    needsPlan = true
    return ResourceSettingResult(resources: ids, updated: updated, endedJobs: ending)
  }

  private mutating func setMaintenance(
    _ isOn: Bool, of ids: [ResourceID], at now: Instant, _ outcome: inout Outcome
  ) -> [JobID] {
    for id in ids {
      guard let resource = resources[id] else { continue }
      if isOn {
        set(
          "last_available_upto", to: .integer(resource.availableUpto), of: id, at: now, &outcome)
        set("available_upto", to: .integer(0), of: id, at: now, &outcome)
      } else if resource.lastAvailableUpto > 0 {
        set(
          "available_upto", to: .integer(resource.lastAvailableUpto), of: id, at: now, &outcome)
        set("last_available_upto", to: .integer(0), of: id, at: now, &outcome)
      }
    }
    return setState(of: ids, to: isOn ? .absent : .alive, byServer: false, at: now, &outcome)
  }

  /// Sets one column of one resource; returns whether the value was another.
  @discardableResult
  private mutating func set(
    _ column: String, to value: PropertyValue, of id: ResourceID, at now: Instant,
    _ outcome: inout Outcome
  ) -> Bool {
    guard var resource = resources[id], resource.value(of: column) != value,
      resource.set(column, to: value)
    else { return false }
    resources[id] = resource
    outcome.changes.append(.resourceChanged(resource, column: column, at: now))
    if column == "network_address" { outcome.effects.append(.hostsChanged) }
    return true
  }

  /// Checks names and values as written.
  private func parse(
    _ pairs: [(name: String, value: String)]
  ) throws(Refusal) -> [(String, PropertyValue)] {
    var parsed: [(String, PropertyValue)] = []
    for (name, value) in pairs {
      let column = name.lowercased()
      if let definition = properties.first(where: { $0.name == column }) {
        parsed.append((column, try definition.parse(value)))
      } else if let kind = Resource.settableColumns[column] {
        parsed.append((column, try PropertyDefinition(name: column, kind: kind).parse(value)))
      } else if standardResourceColumns.contains(column) {
        throw Refusal(.wrongState, "\(name) is an OAR system property: it can't be set")
      } else {
        throw Refusal(
          .badProperty,
          "there is no property \"\(name)\"; known are: \(columns.sorted().joined(separator: ", "))"
        )
      }
      if Resource.flagColumns.contains(column), value != "YES", value != "NO" {
        throw Refusal(.badValue, "\(name)=\(value): it must be YES or NO")
      }
    }
    return parsed
  }

  // MARK: Resources come and go

  /// Adds a resource on a host.
  mutating func addResource(
    host: String, _ setting: ResourceSetting, at now: Instant, _ outcome: inout Outcome
  ) throws(Refusal) -> ResourceID {
    guard host.utf8.count <= 100 else {
      throw Refusal(.limit, "a host name of \(host.utf8.count) bytes: at most 100 are allowed")
    }
    let values = try parse(setting.properties)
    var resource = Resource(id: nextResource)
    resource.networkAddress = host
    if let state = setting.state { resource.state = state }
    for property in properties { resource.properties[property.name] = .null }
    for (column, value) in values { _ = resource.set(column, to: value) }
    nextResource += 1
    resources[resource.id] = resource
    outcome.changes.append(.resourceAdded(resource))
    outcome.effects.append(.hostsChanged)
    needsPlan = true
    return resource.id
  }

  /// Removes resources that are Dead and free.
  mutating func removeResources(
    _ ids: [ResourceID], _ outcome: inout Outcome
  ) throws(Refusal) {
    for id in ids {
      guard let resource = resources[id] else {
        throw Refusal(.unknownResource, "there is no resource \(id)")
      }
      guard resource.state == .dead else {
        throw Refusal(
          .wrongState,
          "resource \(id) is \(resource.state.rawValue): only a Dead resource can be removed")
      }
      try requireUnused([resource])
    }
    for id in ids {
      resources[id] = nil
      outcome.changes.append(.resourceRemoved(id))
    }
    outcome.effects.append(.hostsChanged)
    needsPlan = true
  }

  /// A job finds its hosts through its resources: they must not move or go away under it.
  private func requireUnused(_ resources: [Resource]) throws(Refusal) {
    let ids = Set(resources.map(\.id))
    for job in holding.sorted() {
      if let used = jobs[job]?.assignedResources.first(where: ids.contains) {
        throw Refusal(.wrongState, "resource \(used) is still used by job \(job)")
      }
    }
  }

  // MARK: Properties and queues

  /// Adds, removes or renames a site property.
  mutating func change(
    _ action: PropertyAction, _ outcome: inout Outcome
  ) throws(Refusal) {
    switch action {
    case .list: break
    case .add(let definition):
      try checkName(definition.name)
      properties.append(definition)
      properties.sort { $0.name < $1.name }
      for id in resources.keys { resources[id]?.properties[definition.name] = .null }
      outcome.changes.append(.propertyAdded(definition))
    case .remove(let name):
      try requireSiteProperty(name)
      properties.removeAll { $0.name == name }
      for id in resources.keys { resources[id]?.properties[name] = nil }
      outcome.changes.append(.propertyRemoved(name))
    case .rename(let old, let new):
      try requireSiteProperty(old)
      try checkName(new)
      for index in properties.indices where properties[index].name == old {
        properties[index].name = new
      }
      for id in resources.keys {
        let value = resources[id]?.properties.removeValue(forKey: old)
        resources[id]?.properties[new] = value
      }
      outcome.changes.append(.propertyRenamed(old, to: new))
    }
    needsPlan = true
  }

  private func requireSiteProperty(_ name: String) throws(Refusal) {
    if standardResourceColumns.contains(name) {
      throw Refusal(.wrongState, "\(name) is an OAR system property")
    }
    guard properties.contains(where: { $0.name == name }) else {
      throw Refusal(.badProperty, "there is no property \"\(name)\"")
    }
  }

  private func checkName(_ name: String) throws(Refusal) {
    let isWord = name.utf8.allSatisfy {
      $0 == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
    }
    guard isWord, let first = name.first, !first.isNumber, name.count <= 60 else {
      throw Refusal(
        .badValue,
        "\"\(name)\" is not a valid property name (a-z, 0-9 and _, not beginning with a digit)")
    }
    if standardResourceColumns.contains(name) {
      throw Refusal(.wrongState, "\(name) is an OAR system property")
    }
    guard !properties.contains(where: { $0.name == name }) else {
      throw Refusal(.alreadyAsked, "the property \"\(name)\" already exists")
    }
  }

  /// Adds, changes or removes a queue.
  mutating func change(_ action: QueueAction, _ outcome: inout Outcome) throws(Refusal) {
    switch action {
    case .list: break
    case .add(let queue):
      guard !queues.contains(where: { $0.name == queue.name }) else {
        throw Refusal(.alreadyAsked, "the queue \(queue.name) already exists")
      }
      guard !queue.name.isEmpty, queue.name.count <= 100 else {
        throw Refusal(.badValue, "a queue's name has 1 to 100 characters, not \(queue.name.count)")
      }
      queues.append(queue)
      outcome.changes.append(.queueSet(queue))
    case .change(let queue):
      queues[try index(ofQueue: queue.name)] = queue
      outcome.changes.append(.queueSet(queue))
    case .remove(let name):
      let place = try index(ofQueue: name)
      let users = jobs.values.filter { $0.queue == name }
      guard users.isEmpty else {
        throw Refusal(.wrongState, "the queue \(name) still has \(users.count) jobs")
      }
      queues.remove(at: place)
      outcome.changes.append(.queueRemoved(name))
    case .setActive(let name, let isActive):
      let place = try index(ofQueue: name)
      queues[place].isActive = isActive
      outcome.changes.append(.queueSet(queues[place]))
    case .setAllActive(let isActive):
      for place in queues.indices {
        queues[place].isActive = isActive
        outcome.changes.append(.queueSet(queues[place]))
      }
    }
    needsPlan = true
  }

  private func index(ofQueue name: String) throws(Refusal) -> Int {
    guard let place = queues.firstIndex(where: { $0.name == name }) else {
      throw Refusal(
        .unknownQueue,
        "there is no queue \"\(name)\" (there are: \(queues.map(\.name).sorted().joined(separator: ", ")))"
      )
    }
    return place
  }
}

extension PropertyDefinition {
  fileprivate func parse(_ text: String) throws(Refusal) -> PropertyValue {
    switch kind {
    case .text:
      guard text.utf8.count <= 255 else {
        throw Refusal(.limit, "\(name): \(text.utf8.count) bytes, at most 255 are allowed")
      }
      return .text(text)
    case .integer:
      guard let number = Int(text) else {
        throw Refusal(.badValue, "\(name)=\(text): it must be a whole number")
      }
      return .integer(number)
    }
  }
}

extension Resource {
  /// The standard columns that admins may set, and what they hold.
  fileprivate static let settableColumns: [String: PropertyKind] = [
    "type": .text, "network_address": .text, "cpuset": .text, "besteffort": .text,
    "deploy": .text, "desktop_computing": .text, "drain": .text, "available_upto": .integer,
    "last_available_upto": .integer,
  ]
  fileprivate static let flagColumns: Set<String> = [
    "besteffort", "deploy", "desktop_computing", "drain",
  ]

  /// Sets a column; `false` if it is not one of those above or a site property.
  fileprivate mutating func set(_ column: String, to value: PropertyValue) -> Bool {
    switch (column, value) {
    case ("type", .text(let text)): type = text
    case ("network_address", .text(let text)): networkAddress = text
    case ("cpuset", .text(let text)): cpuset = text
    case ("besteffort", .text(let text)): acceptsBesteffort = text == "YES"
    case ("deploy", .text(let text)): acceptsDeploy = text == "YES"
    case ("desktop_computing", .text(let text)): acceptsDesktopComputing = text == "YES"
    case ("drain", .text(let text)): drain = text == "YES"
    case ("available_upto", .integer(let number)): availableUpto = number
    case ("last_available_upto", .integer(let number)): lastAvailableUpto = number
    default:
      guard properties[column] != nil else { return false }
      properties[column] = value
    }
    return true
  }
}
