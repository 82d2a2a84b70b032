// The pass over the whole cluster.

import ClusterModel
import Kamelot

/// Plans the whole cluster.
public enum Kao {
  /// Decides what starts now, what starts when, and what must give way. Pure: same snapshot, same
  /// plan, as long as the plug-ins answer the same.
  public static func plan(_ snapshot: Snapshot, plugins: PlannerPlugins = .none) -> Plan {
    var pass = pass(snapshot, plugins: plugins)
    return pass.takePlan()
  }

  /// The same with other shortcuts, which makes no difference but in time.
  package static func plan(_ snapshot: Snapshot, shortcuts: Shortcuts) -> Plan {
    var pass = pass(snapshot, shortcuts: shortcuts)
    return pass.takePlan()
  }

  /// The pass, with all that was decided.
  static func pass(
    _ snapshot: Snapshot, plugins: PlannerPlugins = .none, shortcuts: Shortcuts = .all
  ) -> Pass {
    let everyone = snapshot.holding
    let snapshot = snapshot.withWhatJobsKeep()
    // 1. Waiting jobs in the order of their queues and priorities; those of inactive queues, and those
    //    beyond the limit of their user, are set aside.
    var order = JobOrder(snapshot)
    let problems = order.sort(by: plugins.sorter, snapshot)
    var pass = Pass(snapshot, order, plugins, shortcuts)
    pass.plan.pluginProblems = problems
    // 2. Jobs that have resources keep them; besteffort jobs do not count yet.
    pass.holdResources(ofBesteffort: false)
    // 3. Reservations that were accepted keep theirs.
    for job in order.promised { pass.keepPromise(job) }
    for group in order.groups {
      pass.runExtraPasses(before: group.jobs + group.reservations)
      // 4. Each job gets its earliest place; one that could start now may end besteffort jobs.
      for job in group.jobs { pass.place(job) }
      // 5. New reservations are accepted if what they want is left.
      for job in group.reservations { pass.decide(job) }
    }
    // 6. Besteffort jobs keep what is left to them, and waiting ones get what is left after that.
    pass.holdResources(ofBesteffort: true)
    pass.runExtraPasses(before: order.besteffort)
    for job in order.besteffort { pass.place(job) }
    // 7. What depends on a job without a place has no place either.
    pass.refuseDependents()
    // 8. Hosts are woken for what is planned, and idle ones put to sleep, if the site wants that.
    pass.decideSleep(around: everyone)
    return pass
  }
}
