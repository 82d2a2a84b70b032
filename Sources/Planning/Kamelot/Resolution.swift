// From the text of a request to what it means on a platform; worked out once for each request.

import ClusterModel

/// What a request means on a platform.
public enum Resolution: Sendable {
  case possible(ResolvedRequest)
  /// No set of the cluster's resources satisfies it, with a sentence.
  case impossible(String)
  /// It can't be understood, with a sentence.
  case malformed(String)
}

/// Why a request has no meaning, as thrown on the way.
enum Refusal: Error {
  case impossible(String)
  case malformed(String)
}

/// What groups have in common that differ in their counts alone, in resources or in blocks of a grain.
struct UnitFrame: Sendable {
  /// The units that satisfy the conditions.
  let eligible: ResourceSet
  let tree: BlockTree
  /// The number of the family of requests of one such group.
  let family: Int
}

/// What groups have in common that differ in their counts alone.
final class GroupFrame: Sendable {
  let fine: UnitFrame
  /// `nil` if the blocks of the last level are single resources.
  let grain: Grain?
  /// In blocks of the grain; without a grain the same as `fine`.
  let coarse: UnitFrame

  init(fine: UnitFrame, grain: Grain?, coarse: UnitFrame) {
    self.fine = fine
    self.grain = grain
    self.coarse = coarse
  }
}

/// One group of a request.
private struct RequestPart {
  var frame: GroupFrame
  /// How many blocks of each level.
  var counts: [BlockCount]
}

extension Platform {
  /// What `groups` mean for a job with the condition `properties`, as the cluster is now.
  public func resolve(_ groups: [RequestGroup], properties: String) -> Resolution {
    resolve(groups, properties: properties, scope: .present)
  }

  /// What `groups` mean for a job with the condition `properties`, on the resources of `scope`.
  public func resolve(
    _ groups: [RequestGroup], properties: String, scope: PlanningScope
  ) -> Resolution {
    let key = RequestKey(groups: groups, properties: properties, scope: scope)
    return requests.value(for: key) {
      do throws(Refusal) {
        return .possible(try resolved(groups, properties, scope))
      } catch {
        switch error {
        case .impossible(let text): return .impossible(text)
        case .malformed(let text): return .malformed(text)
        }
      }
    }
  }

  private func resolved(
    _ groups: [RequestGroup], _ properties: String, _ scope: PlanningScope
  ) throws(Refusal) -> ResolvedRequest {
    guard !groups.isEmpty else { throw .malformed("The request is empty.") }
    let text = groups.map(\.levelsText).joined(separator: "+")
    var parts: [RequestPart] = []
    for group in groups {
      parts.append(try part(of: group, properties, scope, text))
    }
    let request = request(of: parts, text)
    let most =
      switch scope {
      case .present: usable
      case .withSleeping: wakeable
      case .eventual: notDead
      }
    if request.pick(from: most) != nil { return request }
    // First fit may have let one group take what another can't do without.
    let careful = self.request(of: parts.choosiestFirst(), text)
    if careful.pick(from: most) != nil { return careful }
    throw .impossible(shortage(of: request, groups, properties, scope))
  }

  /// The request, in blocks as well if all its groups end in the same ones.
  private func request(of parts: [RequestPart], _ text: String) -> ResolvedRequest {
    let fine = UnitRequest(
      groups: parts.map { ResolvedGroup(frame: $0.frame.fine, counts: $0.counts) },
      capacity: resources.count, family: family(of: parts, \.fine))
    guard let grain = parts[0].frame.grain, parts.allSatisfy({ $0.frame.grain === grain }) else {
      return ResolvedRequest(fine: fine, coarse: nil, text: text)
    }
    let coarse = UnitRequest(
      groups: parts.map { ResolvedGroup(frame: $0.frame.coarse, counts: $0.counts) },
      capacity: grain.blockCount, family: family(of: parts, \.coarse))
    return ResolvedRequest(
      fine: fine, coarse: CoarseRequest(grain: grain, request: coarse), text: text)
  }

  /// The family of a request: of its own unless it has a single group, all counts of which are numbers.
  private func family(
    of parts: [RequestPart], _ units: KeyPath<GroupFrame, UnitFrame>
  ) -> RequestFamily {
    var counts = SIMD4<Int32>()
    var isComparable = parts.count == 1 && parts[0].counts.count <= RequestFamily.levelLimit
    for (level, count) in parts[0].counts.prefix(RequestFamily.levelLimit).enumerated() {
      if case .exactly(let number) = count {
        counts[level] = Int32(clamping: number)
      } else {
        isComparable = false
      }
    }
    return isComparable
      ? RequestFamily(number: parts[0].frame[keyPath: units].family, counts: counts)
      : RequestFamily(number: families.next(), counts: SIMD4<Int32>())
  }

  private func part(
    of group: RequestGroup, _ properties: String, _ scope: PlanningScope, _ text: String
  ) throws(Refusal) -> RequestPart {
    guard !group.levels.isEmpty else { throw .malformed("The request is empty.") }
    for level in group.levels {
      guard hasColumn(level.property) else {
        throw .malformed("There is no property \"\(level.property)\", asked for in \(text).")
      }
      if case .exactly(let count) = level.count, count < 1 {
        throw .malformed("\(level.property)=\(count) in \(text) must ask for at least 1.")
      }
    }
    let key = FrameKey(
      levels: group.levels.map(\.property), jobCondition: properties,
      groupCondition: group.properties, scope: scope)
    let frame = frames.value(for: key) {
      do throws(Refusal) {
        return .success(try self.frame(key))
      } catch {
        return .failure(error)
      }
    }
    return RequestPart(frame: try frame.get(), counts: group.levels.map(\.count))
  }

  private func frame(_ key: FrameKey) throws(Refusal) -> GroupFrame {
    let matching = try matching(key.jobCondition, key.groupCondition)
    let members = key.scope == .eventual ? notDead : inService
    let tree = trees.value(for: TreeKey(levels: key.levels, scope: key.scope)) {
      BlockTree(members: members, columns: key.levels.map(column))
    }
    let fine = UnitFrame(
      eligible: matching.intersection(members), tree: tree, family: families.next())
    guard let grain = grain(of: tree) else {
      return GroupFrame(fine: fine, grain: nil, coarse: fine)
    }
    let coarseTree = coarseTrees.value(
      for: CoarseTreeKey(levels: key.levels, grain: ObjectIdentifier(grain))
    ) { self.coarseTree(key.levels, of: grain) }
    let coarse = UnitFrame(
      eligible: grain.wholeBlocks(in: fine.eligible), tree: coarseTree, family: families.next())
    return GroupFrame(fine: fine, grain: grain, coarse: coarse)
  }

  /// The resources that satisfy both conditions, of type `default` unless one names the type.
  private func matching(_ job: String, _ group: String) throws(Refusal) -> ResourceSet {
    var result = ResourceSet.all(resources.count)
    var namesType = false
    for text in [job, group] where !text.isEmpty {
      switch condition(text) {
      case .matches(let set, let namesTypeHere):
        result.formIntersection(set)
        namesType = namesType || namesTypeHere
      case .malformed(let problem):
        throw .malformed(problem)
      }
    }
    return namesType ? result : result.intersection(ordinary)
  }

  private func shortage(
    of request: ResolvedRequest, _ groups: [RequestGroup], _ properties: String,
    _ scope: PlanningScope
  ) -> String {
    let few =
      "No set of the \(counted(request.reach.count, "resource")) that match gives \(request.text)."
    guard scope != .eventual,
      case .possible = resolve(groups, properties: properties, scope: .eventual)
    else { return few }
    let up = request.reach.intersection(usable).count
    return "\(request.text) needs resources that are not available: "
      + "\(counted(up, "resource")) of those that match \(up == 1 ? "is" : "are") Alive."
  }

  /// For each resource a number that stands for its value of a property.
  func column(_ name: String) -> [Int32] {
    columns.value(for: name) { Self.number(resources, by: ResourceColumn(name)) }
  }

  private static func number(
    _ resources: [Resource], by property: ResourceColumn
  ) -> [Int32] {
    var numbers = ValueNumbers(limit: 4 * resources.count)
    var column: [Int32] = []
    column.reserveCapacity(resources.count)
    property.forEachValue(in: resources) { column.append(numbers.number(of: $0)) }
    return column
  }
}

/// Numbers values in the order in which they come.
private struct ValueNumbers {
  /// Whole numbers below it are looked up in a table.
  let limit: Int
  private var table: [Int32] = []
  private var others: [PropertyValue: Int32] = [:]
  private var count: Int32 = 0
  private var last: (value: PropertyValue, number: Int32)?

  init(limit: Int) { self.limit = limit }

  mutating func number(of value: PropertyValue) -> Int32 {
    // Neighbours mostly have the same.
    if let last, last.value == value { return last.number }
    let number = find(value)
    last = (value, number)
    return number
  }

  private mutating func find(_ value: PropertyValue) -> Int32 {
    if case .integer(let integer) = value, integer >= 0, integer < limit {
      if integer >= table.count {
        table += repeatElement(-1, count: max(64, 2 * integer) - table.count + 1)
      }
      if table[integer] < 0 { table[integer] = next() }
      return table[integer]
    }
    if let number = others[value] { return number }
    let number = next()
    others[value] = number
    return number
  }

  private mutating func next() -> Int32 {
    count += 1
    return count - 1
  }
}

extension [RequestPart] {
  /// Those that have the least choice first, those that take all they can get last.
  fileprivate func choosiestFirst() -> [RequestPart] {
    func rank(_ part: RequestPart) -> Int {
      let takesAll = part.counts.contains { $0 == .best || $0 == .bestHalf }
      return takesAll ? .max : part.frame.fine.eligible.count
    }
    let ranked = enumerated().sorted {
      (rank($0.element), $0.offset) < (rank($1.element), $1.offset)
    }
    return ranked.map(\.element)
  }
}

extension RequestGroup {
  /// The levels as users write them.
  package var levelsText: String {
    levels.map { "/\($0.property)=\($0.count.text)" }.joined()
  }
}

/// A number with its noun: `1 resource`, `2 resources`.
func counted(_ count: Int, _ noun: String) -> String {
  count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
}
