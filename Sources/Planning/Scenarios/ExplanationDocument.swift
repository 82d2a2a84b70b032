// Why a job of a scenario does not start now, as JSON (`kamelot --explain`).

import ClusterModel
import Kamelot
import Kao

/// The part of a plan's document that is about one job.
struct ExplainedJob {
  var job: JobID
  /// `nil` if it starts now.
  var reason: Reason?
  var placement: Placement?
  var priority: JobPriority?
  /// `nil` if it starts now, or is not among the jobs that are planned.
  var explanation: Kao.Explanation?
}

extension DocumentWriter {
  mutating func explanation(_ explained: ExplainedJob) {
    raw("{\"job\":")
    integer(explained.job)
    raw(",\"reason\":")
    if let reason = explained.explanation?.reason ?? explained.reason {
      raw("{")
      self.reason(reason)
      raw(",\"blockers\":")
      integers(reason.blockers)
      raw("}")
    } else {
      raw("null")
    }
    raw(",\"planned\":")
    if let placement = explained.placement {
      raw("{")
      place(placement)
      raw("}")
    } else {
      raw("null")
    }
    if let priority = explained.priority {
      raw(",\"priority\":")
      text(priority.text)
    }
    if let explanation = explained.explanation { details(explanation) }
    raw("}")
  }

  private mutating func details(_ explanation: Kao.Explanation) {
    raw(",\"holders\":")
    items(explanation.holders) { writer, holder in
      writer.member("job", holder.job)
      writer.member("start", holder.start)
      writer.member("end", holder.end)
    }
    raw(",\"passed_by\":")
    items(explanation.passers) { writer, passer in
      writer.member("job", passer.job)
      writer.member("why", passer.why)
    }
    raw(",\"resources\":")
    object(explanation.shortage) { writer, shortage in
      writer.member("request", shortage.request)
      writer.member("properties", shortage.properties)
      writer.member("needed", shortage.needed)
      writer.member("matching", shortage.matching)
      writer.member("free", shortage.free)
    }
    raw(",\"quota\":")
    object(explanation.quota) { $0.quota($1) }
    raw(",\"changes\":")
    items(Array(zip(explanation.changes, explanation.sentences))) { writer, change in
      writer.change(change.0)
      writer.member("text", change.1)
    }
    if explanation.changes.isEmpty, let advice = explanation.sentences.first {
      raw(",\"advice\":")
      text(advice)
    }
  }

  private mutating func quota(_ standing: QuotaStanding) {
    member("rule", standing.rule)
    member("rules", standing.ruleSet)
    member("rules_from", standing.holdsFrom)
    member("rules_until", standing.holdsUntil)
    member("counter", standing.counter.word)
    member("limit", standing.allowed)
    member("used", standing.used)
    member("wanted", standing.wanted)
    member("at", standing.at)
    member("allowed_from", standing.allowedFrom)
    raw(",\"jobs\":")
    integers(standing.jobs)
  }

  private mutating func change(_ change: Kao.Explanation.Change) {
    member("kind", change.word)
    let numbers = change.numbers
    if let moldable = numbers.moldable { member("moldable", moldable) }
    if let group = numbers.group { member("group", group) }
    if let level = numbers.level { member("level", level) }
    if let walltime = numbers.walltime { member("walltime", walltime) }
    if let count = numbers.count { member("count", count.stored) }
  }
}

// Members and lists of small objects.
extension DocumentWriter {
  private mutating func name(_ name: String) {
    if bytes.last != UInt8(ascii: "{") { raw(",") }
    raw("\"\(name)\":")
  }

  fileprivate mutating func member(_ name: String, _ value: Int?) {
    self.name(name)
    if let value { integer(value) } else { raw("null") }
  }

  fileprivate mutating func member(_ name: String, _ value: String) {
    self.name(name)
    text(value)
  }

  fileprivate mutating func integers(_ numbers: [Int]) {
    raw("[")
    for (index, number) in numbers.enumerated() {
      if index > 0 { raw(",") }
      integer(number)
    }
    raw("]")
  }

  fileprivate mutating func object<Item>(
    _ item: Item?, _ write: (inout DocumentWriter, Item) -> Void
  ) {
    guard let item else { return raw("null") }
    raw("{")
    write(&self, item)
    raw("}")
  }

  fileprivate mutating func items<Item>(
    _ items: [Item], _ write: (inout DocumentWriter, Item) -> Void
  ) {
    raw("[")
    for (index, item) in items.enumerated() {
      if index > 0 { raw(",") }
      object(item, write)
    }
    raw("]")
  }
}
