// What is between two plans, in rows of the gantt tables: what goes, what comes, what gets another start.

import ClusterModel
import Storage

/// What a moldable has in the gantt tables.
struct PlanRow: Hashable {
  var moldable: MoldableID
  var start: Instant
  /// In ascending order.
  var resources: [ResourceID]
}

extension PlanRow {
  init(_ prediction: Prediction) {
    self.init(
      moldable: prediction.moldable, start: prediction.start,
      resources: ascending(prediction.resources))
  }
}

/// The rows of a plan, ascending, one a moldable: of two predictions for the same the last counts. Row 0
/// has the plan's date.
func planRows(_ predictions: [Prediction], at date: Instant) -> [PlanRow] {
  var rows = [PlanRow(moldable: 0, start: date, resources: [])]
  rows.reserveCapacity(predictions.count + 1)
  // Swift's sorting keeps the order of equals.
  for prediction in predictions.sorted(by: { $0.moldable < $1.moldable }) {
    let row = PlanRow(prediction)
    if rows[rows.count - 1].moldable == row.moldable { rows.removeLast() }
    rows.append(row)
  }
  return rows
}

/// Each resource once; most lists are in order already.
private func ascending(_ resources: [ResourceID]) -> [ResourceID] {
  let isInOrder = zip(resources, resources.dropFirst()).allSatisfy { $0 < $1 }
  return isInOrder ? resources : Set(resources).sorted()
}

/// The way from one plan to another.
struct PlanDifference {
  /// Resources of a moldable that go. What else is in the range was not the moldable's.
  struct Removal: Hashable {
    var moldable: MoldableID
    var resources: ClosedRange<ResourceID>
  }

  /// Moldables that are not planned any more.
  private(set) var gone: [MoldableID] = []
  /// Moldables with a new start.
  private(set) var starts: [(moldable: MoldableID, start: Instant)] = []
  private(set) var removals: [Removal] = []
  /// Of each row only the resources that come.
  private(set) var additions: [PlanRow] = []
  /// How many resources of moldables go or come.
  private(set) var changedResources = 0

  /// Both plans ascend, with one row a moldable.
  init(from old: [PlanRow], to new: [PlanRow]) {
    var rest = old[...]
    for row in new {
      while let first = rest.first, first.moldable < row.moldable {
        remove(first)
        rest.removeFirst()
      }
      if let first = rest.first, first.moldable == row.moldable {
        if first.start != row.start { starts.append((row.moldable, row.start)) }
        if first.resources != row.resources { replace(first.resources, with: row) }
        rest.removeFirst()
      } else {
        starts.append((row.moldable, row.start))
        replace([], with: row)
      }
    }
    for row in rest { remove(row) }
  }

  private mutating func remove(_ row: PlanRow) {
    gone.append(row.moldable)
    guard let first = row.resources.first, let last = row.resources.last else { return }
    removals.append(Removal(moldable: row.moldable, resources: first...last))
    changedResources += row.resources.count
  }

  /// What goes, all between two resources that stay at once, and what comes.
  private mutating func replace(_ old: [ResourceID], with new: PlanRow) {
    var added = new
    added.resources = []
    var going: ClosedRange<ResourceID>?
    var coming = new.resources[...]
    for resource in old {
      while let next = coming.first, next < resource {
        added.resources.append(next)
        coming.removeFirst()
      }
      if coming.first == resource {
        coming.removeFirst()
        if let going { removals.append(Removal(moldable: new.moldable, resources: going)) }
        going = nil
      } else {
        going = (going?.lowerBound ?? resource)...resource
        changedResources += 1
      }
    }
    if let going { removals.append(Removal(moldable: new.moldable, resources: going)) }
    added.resources += coming
    changedResources += added.resources.count
    if !added.resources.isEmpty { additions.append(added) }
  }
}
