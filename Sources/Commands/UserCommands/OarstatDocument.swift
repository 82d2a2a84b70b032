// What Liburna's own `--json` of `oarstat` says: names and meanings are described in Docs/JSON.md.

import ClusterModel
import CommandLine
import Wire

/// A job with all its data.
func document(of job: JobRecord) -> OutputValue {
  [
    "id": .integer(job.id),
    "array_id": .integer(job.arrayID),
    "array_index": .integer(job.arrayIndex),
    "name": .optional(job.name),
    "project": .text(job.project),
    "user": .text(job.user),
    "state": .text(job.state.rawValue),
    "kind": .text(job.kind.rawValue),
    "queue": .text(job.queue),
    "types": .list(job.types),
    "command": .text(job.command),
    "directory": .text(job.directory),
    "stdout": .text(job.stdout),
    "stderr": .text(job.stderr),
    "properties": .text(job.properties),
    "moldables": .list(job.moldables.map(document)),
    "assigned_moldable": .optional(job.assignedMoldable),
    "assigned_resources": .list(job.assignedResources),
    "assigned_hosts": .list(job.assignedHosts),
    "walltime": .integer(job.walltime),
    "walltime_change": job.walltimeChange.map { document(of: $0) } ?? .null,
    "dependencies": .list(job.dependencies),
    "reservation": .text(job.reservation.rawValue),
    "submission_time": instant(job.submissionTime),
    "start_time": instant(job.startTime),
    "stop_time": instant(job.stopTime),
    "scheduled_start": .optional(job.scheduledStart),
    "wait_status": .optional(job.exitCode),
    "exit_code": .optional(job.exitCode.flatMap { $0 & 0x7F == 0 ? $0 >> 8 : nil }),
    "exit_signal": .optional(job.exitCode.flatMap { $0 & 0x7F == 0 ? nil : $0 & 0x7F }),
    "message": .text(job.message),
    "initial_request": .optional(job.initialRequest),
    "resubmitted_from": .optional(job.resubmittedFrom == 0 ? nil : job.resubmittedFrom),
    "events": .list(job.events.map(document)),
  ]
}

/// What was asked of a walltime and what of it was granted.
func document(of change: WalltimeChange) -> OutputValue {
  [
    "pending": .integer(change.pending), "granted": .integer(change.granted),
    "granted_with_force": .integer(change.grantedWithForce),
    "granted_with_delay_next_jobs": .integer(change.grantedWithDelayNextJobs),
    "force": .boolean(change.force), "delay_next_jobs": .boolean(change.delayNextJobs),
  ]
}

/// A line of the event log.
func document(of event: JobEvent) -> OutputValue {
  [
    "type": .text(event.type), "job": .optional(event.job == 0 ? nil : event.job),
    "date": .integer(event.date), "text": .text(event.text), "hosts": .list(event.hosts),
  ]
}

/// Why a job waits.
func document(of explanation: Explanation) -> OutputValue {
  [
    "job": .optional(explanation.job == 0 ? nil : explanation.job),
    "state": .text(explanation.state.rawValue),
    "kind": .text(explanation.kind),
    "text": .text(explanation.text),
    "blockers": .list(explanation.blockers),
    "blocker_ends": .list(explanation.blockerEnds.map { .optional($0) }),
    "passed_by": .list(
      explanation.passedBy.map { ["job": .integer($0.job), "why": .text($0.why)] }),
    "resources": explanation.shortage.map(document) ?? .null,
    "quota": explanation.quota.map(document) ?? .null,
    "planned_start": .optional(explanation.plannedStart),
    "planned_hosts": .list(explanation.plannedHosts),
    "changes": .list(explanation.changes.map(document)),
    "advice": .optional(explanation.advice),
  ]
}

/// What there is of the resources that a job waits for.
private func document(of shortage: ResourceShortage) -> OutputValue {
  [
    "request": .text(shortage.request), "properties": .text(shortage.properties),
    "needed": .integer(shortage.needed), "matching": .integer(shortage.matching),
    "free": .integer(shortage.free),
  ]
}

/// A quota that a job waits for.
private func document(of quota: QuotaState) -> OutputValue {
  [
    "rule": .text(quota.rule), "rules": .text(quota.rules),
    "rules_from": .optional(quota.rulesFrom), "rules_until": .optional(quota.rulesUntil),
    "counter": .text(quota.counter), "limit": .integer(quota.limit),
    "used": .integer(quota.used), "wanted": .integer(quota.wanted), "at": .integer(quota.at),
    "allowed_from": .optional(quota.allowedFrom),
  ]
}

/// A change of a request that would start it now.
private func document(of change: RequestChange) -> OutputValue {
  [
    "kind": .text(change.kind.rawValue),
    "moldable": .optional(change.moldable),
    "group": .optional(change.group),
    "level": .optional(change.level),
    "walltime": .optional(change.walltime),
    "count": .optional(change.count),
    "text": .text(change.text),
  ]
}

/// A change of a job, as `--follow` tells it.
func document(of notice: JobNotice) -> OutputValue {
  [
    "job": .integer(notice.job),
    "user": .text(notice.user),
    "state": .text(notice.state.rawValue),
    "date": .integer(notice.date),
    "wait_status": .optional(notice.exitCode),
    "planned_start": .optional(notice.plannedStart),
    "reservation": .text((notice.reservation ?? .none).rawValue),
    "text": .text(notice.text),
  ]
}

/// A bar of the plan.
func document(of bar: GanttBar) -> OutputValue {
  [
    "job": .integer(bar.job),
    "user": .text(bar.user),
    "state": .text(bar.state.rawValue),
    "start": .integer(bar.start),
    "end": .integer(bar.end),
    "resources": .list(bar.resources),
  ]
}

/// One shape of a job.
func document(of moldable: Moldable) -> OutputValue {
  [
    "walltime": .integer(moldable.walltime),
    "groups": .list(
      moldable.groups.map { group in
        [
          "properties": .text(group.properties),
          "levels": .list(
            group.levels.map {
              ["property": .text($0.property), "count": .text($0.count.text)]
            }),
        ]
      }),
  ]
}

/// An instant, null for "none".
private func instant(_ instant: Instant) -> OutputValue {
  instant == 0 ? .null : .integer(instant)
}
