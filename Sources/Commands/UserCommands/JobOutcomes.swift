// What became of the jobs that a command was about, in order and as JSON.

import CommandLine
import Wire

/// The outcomes in the order in which the jobs were named; unnamed ones follow.
func inOrder(of ids: [Int], _ outcomes: [JobOutcome]) -> [JobOutcome] {
  guard ids.count > 1 else { return outcomes }
  var places: [Int: Int] = [:]
  for (index, id) in ids.enumerated() where places[id] == nil { places[id] = index }
  let keyed = outcomes.enumerated().map { (place: places[$1.job] ?? ids.count + $0, outcome: $1) }
  return keyed.sorted { $0.place < $1.place }.map(\.outcome)
}

/// The outcomes under Liburna's own names.
func outcomesDocument(_ outcomes: [JobOutcome]) -> [UInt8] {
  let jobs = outcomes.map { outcome -> OutputValue in
    [
      "id": .integer(outcome.job), "done": .boolean(outcome.refusal == nil),
      "host": .optional(outcome.host), "error": .optional(outcome.refusal?.kind.rawValue),
      "message": .optional(outcome.refusal?.message),
    ]
  }
  return DocumentOption.document([OutputEntry("jobs", .list(jobs))])
}
