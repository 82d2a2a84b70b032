// HIERARCHY_LABELS of `oar.conf`, held against the resources. Planning takes every property as a level of a
// request, and sees from the resources which blocks lie in which; so nothing here is an error, but what the
// site wrote and what its resources say should not differ without anybody knowing.

import ClusterModel
import Storage

/// The levels that a site names.
public struct HierarchyLabels {
  /// `nil` if the variable is not set or empty.
  private let labels: [String]?

  public init(_ configuration: Configuration) {
    let names = (configuration["HIERARCHY_LABELS"] ?? "")
      .split { $0 == "," || $0.isWhitespace }.map { $0.lowercased() }
    labels = names.isEmpty ? nil : names
  }

  /// What differs between the variable, the resources and what the waiting jobs of a queue ask for; a
  /// sentence each.
  func remarks(on cluster: StoredCluster, queue: String) -> [String] {
    let columns = Set(standardResourceColumns + cluster.properties.map(\.name))
    let asked = Self.levels(askedIn: cluster.jobs, queue)
    guard let labels else {
      let known = asked.intersection(columns).union(["network_address"])
      return [
        "HIERARCHY_LABELS is not set in oar.conf: levels are what the resources show, from the outside in "
          + Self.chain(known, cluster.resources).names.joined(separator: ", ")
      ]
    }
    var remarks: [String] = []
    let unknown = labels.filter { !columns.contains($0) }
    if !unknown.isEmpty {
      remarks.append(
        "HIERARCHY_LABELS in oar.conf names \(Self.list(unknown)), no property of the resources: passed "
          + "over (oarproperty -l lists what there is)")
    }
    let unnamed = asked.intersection(columns).subtracting(labels).sorted()
    if !unnamed.isEmpty {
      remarks.append(
        "jobs ask for \(Self.list(unnamed)), which HIERARCHY_LABELS in oar.conf does not name: understood "
          + "from the resources")
    }
    let known = Set(labels).intersection(columns).intersection(asked.union(["network_address"]))
    return remarks + Self.chain(known, cluster.resources).crossings
  }

  /// What differs between the variable and the resources, whether anybody asks for these levels or not; a
  /// sentence each. Empty if the variable is not set.
  public func remarks(on cluster: StoredCluster) -> [String] {
    guard let labels else { return [] }
    let columns = Set(standardResourceColumns + cluster.properties.map(\.name))
    let unknown = labels.filter { !columns.contains($0) }
    let known = Set(labels).intersection(columns).union(["network_address"])
    let crossings = Self.chain(known, cluster.resources).crossings
    if unknown.isEmpty { return crossings }
    return ["it names \(Self.list(unknown)), no property of the resources"] + crossings
  }

  /// Levels from the outside in, as the resources show them.
  public static func order(of names: Set<String>, in cluster: StoredCluster) -> [String] {
    chain(names, cluster.resources).names
  }

  /// The levels that waiting jobs of a queue ask for.
  private static func levels(askedIn jobs: [Job], _ queue: String) -> Set<String> {
    var levels: Set<String> = []
    var last: ObjectIdentifier?
    for job in jobs where job.isPlannedAnew(by: queue) {
      // The jobs of an array share their request.
      if last == ObjectIdentifier(job.request) { continue }
      last = ObjectIdentifier(job.request)
      for moldable in job.request.moldables {
        for group in moldable.groups {
          for level in group.levels { levels.insert(level.property) }
        }
      }
    }
    return levels
  }

  private static func list(_ names: [String]) -> String {
    names.map { "\"\($0)\"" }.joined(separator: ", ")
  }

  /// Levels from those of few blocks to those of many, with a sentence for each that has a block which lies in
  /// several blocks of the one before.
  private static func chain(
    _ names: Set<String>, _ resources: [Resource]
  ) -> (names: [String], crossings: [String]) {
    let ordinary = resources.filter { $0.type == "default" }
    var levels = names.map { name in
      let column = ResourceColumn(name)
      let values = ordinary.map { $0.value(of: column) ?? .null }
      return (name: name, values: values, count: Set(values).count)
    }
    levels.sort { ($0.count, $0.name) < ($1.count, $1.name) }
    var crossings: [String] = []
    for (outer, inner) in zip(levels, levels.dropFirst()) {
      var around: [PropertyValue: PropertyValue] = [:]
      let crossing = ordinary.indices.first { index in
        let block = inner.values[index]
        if let known = around[block] { return known != outer.values[index] }
        around[block] = outer.values[index]
        return false
      }
      guard let crossing else { continue }
      crossings.append(
        "resource \(ordinary[crossing].id) has a value of \"\(inner.name)\" that occurs in several blocks of "
          + "\"\(outer.name)\": a job that asks for one \"\(inner.name)\" alone gets parts of all of them"
      )
    }
    return (levels.map(\.name), crossings)
  }
}
