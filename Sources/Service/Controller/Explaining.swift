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
    if let why = Kao.explain(id, admittedTo: snapshot, plan: present) {
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
      text =
        reason?.text ?? "no planning pass has come to it yet: too many jobs are ahead of it "
        + "(MAX_JOB_PER_QUEUES_GROUP_SCHEDULING_ROUND)"
    case .hold: (kind, text) = ("hold", "it is held: oarresume \(id) lets it go on")
    case .suspended: (kind, text) = ("suspended", "it is suspended: oarresume \(id) lets it go on")
    default: (kind, text) = ("none", "it waits for nothing")
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
  /// Tells what binds exactly, when the jobs that it waits for end, and what would start it now.
  mutating func add(_ why: Kao.Explanation) {
    (text, kind, blockers) = (why.reason.text, why.reason.kind.rawValue, why.reason.blockers)
    if let priority = why.priority { text += " \(priority.text)" }
    let ends = Dictionary(why.holders.map { ($0.job, $0.end) }, uniquingKeysWith: { $1 })
    blockerEnds = blockers.map { ends[$0] }
    passedBy = why.passers.map { JobPassing(job: $0.job, why: $0.why) }
    shortage = why.shortage.map {
      ResourceShortage(
        request: $0.request, properties: $0.properties, needed: $0.needed, matching: $0.matching,
        free: $0.free)
    }
    quota = why.quota.map(QuotaState.init)
    changes = zip(why.changes, why.sentences).compactMap { RequestChange($0, $1) }
    advice = why.changes.isEmpty ? why.sentences.first : nil
  }
}

extension Explanation {
  /// Names some of the jobs that it waits for no more.
  mutating func leaveOut(_ isLeftOut: (JobID) -> Bool) {
    let kept = zip(blockers, blockerEnds).filter { !isLeftOut($0.0) }
    (blockers, blockerEnds) = (kept.map(\.0), kept.map(\.1))
    passedBy.removeAll { isLeftOut($0.job) }
  }
}

extension QuotaState {
  fileprivate init(_ standing: QuotaStanding) {
    self.init(
      rule: standing.rule, rules: standing.ruleSet, counter: standing.counter.word,
      limit: standing.allowed, used: standing.used, wanted: standing.wanted, at: standing.at)
    (rulesFrom, rulesUntil) = (standing.holdsFrom, standing.holdsUntil)
    allowedFrom = standing.allowedFrom
  }
}

extension RequestChange {
  /// `nil` for a kind that the protocol has no word for.
  fileprivate init?(_ change: Kao.Explanation.Change, _ text: String) {
    guard let kind = Kind(rawValue: change.word) else { return nil }
    self.init(kind, text)
    let numbers = change.numbers
    (moldable, group, level) = (numbers.moldable, numbers.group, numbers.level)
    (walltime, count) = (numbers.walltime, numbers.count?.stored)
  }
}

extension WaitingJob {
  /// What the rules make of the job if it is submitted with `-t besteffort` (rules 6 and 7).
  fileprivate var admittedAsBesteffort: WaitingJob? {
    var job = self
    job.queue = "besteffort"
    job.types.append("besteffort")
    job.properties = AddedCondition.both(properties, AddedCondition.besteffort)
    return job
  }
}

extension Kao {
  /// Explains a job with what this server's rules make of it.
  static func explain(_ id: JobID, admittedTo snapshot: Snapshot, plan: Plan) -> Explanation? {
    explain(
      id, in: snapshot, plan: plan, rest: AddedCondition.alone,
      besteffort: { $0.admittedAsBesteffort })
  }
}
