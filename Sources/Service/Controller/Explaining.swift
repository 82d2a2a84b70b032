// Why a job waits and what would start it now, as `oarstat --why` asks it.

import ClusterModel
import Kamelot
import Kao
import Wire

extension ClusterState {
  /// Why a job is not running, when it will, and what would start it now.
  mutating func explain(
    _ id: JobID, settings: ServerSettings, at now: Instant
  ) throws(Refusal) -> Explanation {
    guard let job = jobs[id] else {
      guard id >= 1, id < nextJob else {
        throw Refusal(.unknownJob, "there is no job \(id)")
      }
      throw Refusal(.wrongState, "job \(id) has ended: it waits for nothing")
    }
    var explanation = standing(of: job)
    guard job.state == .waiting, plan.reasons[id] != nil else { return explanation }
    var depth = PassDepth.whole
    let snapshot = snapshot(settings: settings, at: now, &depth)
    if let why = Kao.explain(id, in: snapshot, plan: present, rest: AddedCondition.alone) {
      explanation.add(why)
    }
    return explanation
  }

  /// The plan as it stands: what the last whole pass said, with what passes over the front changed.
  private var present: Plan {
    var present = plan
    // These have their resources by now.
    present.starts = []
    present.predictions = Array(placements.values)
    return present
  }

  private func standing(of job: Job) -> Explanation {
    let id = job.id
    let placement = placements[id]
    let (kind, text): (String, String)
    switch job.state {
    case .waiting:
      let reason = plan.reasons[id]
      kind = reason?.kind.rawValue ?? "order"
      text = reason?.text ?? "no planning pass has come to it yet: too many jobs are ahead of it"
    case .hold: (kind, text) = ("hold", "it is held: oarresume \(id) lets it go on")
    case .suspended: (kind, text) = ("suspended", "it is suspended: oarresume \(id) lets it go on")
    default: (kind, text) = ("none", "it waits for nothing: its state is \(job.state.rawValue)")
    }
    return Explanation(
      job: id, state: job.state, text: text, kind: kind,
      blockers: job.state == .waiting ? plan.reasons[id]?.blockers ?? [] : [],
      plannedStart: placement?.start
        ?? (job.state.holdsResources || !job.promised.isEmpty ? job.startTime : nil),
      plannedHosts: hosts(
        of: placement?.resources
          ?? (job.state.holdsResources ? job.assignedResources : job.promised)))
  }
}

extension Explanation {
  /// Adds what would start the job now, and when the jobs that it waits for end.
  mutating func add(_ why: Kao.Explanation) {
    if let priority = why.priority { text += " \(priority.text)" }
    let ends = Dictionary(why.holders.map { ($0.job, $0.end) }, uniquingKeysWith: { $1 })
    blockerEnds = blockers.map { ends[$0] }
    changes = zip(why.changes, why.sentences).map { RequestChange($0, $1) }
    advice = why.changes.isEmpty ? why.sentences.first : nil
  }
}

extension RequestChange {
  fileprivate init(_ change: Kao.Explanation.Change, _ text: String) {
    switch change {
    case .walltime(let moldable, let walltime):
      self.init(.walltime, text)
      (self.moldable, self.walltime) = (moldable, walltime)
    case .count(let moldable, let group, let level, let count):
      self.init(.count, text)
      (self.moldable, self.group, self.level) = (moldable, group, level)
      self.count = count.stored
    case .walltimeAndCount(let moldable, let walltime, let group, let level, let count):
      self.init(.walltimeAndCount, text)
      (self.moldable, self.group, self.level) = (moldable, group, level)
      (self.walltime, self.count) = (walltime, count.stored)
    case .moldable(let moldable):
      self.init(.moldable, text)
      self.moldable = moldable
    case .jobCondition: self.init(.condition, text)
    case .groupCondition(let moldable, let group, _):
      self.init(.groupCondition, text)
      (self.moldable, self.group) = (moldable, group)
    }
  }
}
