// The pass over the whole cluster.

import ClusterModel
import Kamelot

/// Plans the whole cluster.
public enum Kao {
  /// Decides what starts now, what starts when, and what must give way. Pure: same snapshot, same
  /// plan.
  public static func plan(_ snapshot: Snapshot) -> Plan {
    var pass = Pass(snapshot)
    // 1. Jobs that have resources keep them; besteffort jobs do not count yet.
    pass.holdResources(ofBesteffort: false)
    // 2. Waiting jobs in the order of their queues; those of inactive queues are set aside.
    let order = pass.orderJobs()
    // 3. Each gets its earliest place; one that could start now may end besteffort jobs.
    for job in order.ordinary { pass.place(job) }
    // 4. Besteffort jobs keep what is left to them, and waiting ones get what is left after that.
    pass.holdResources(ofBesteffort: true)
    for job in order.besteffort { pass.place(job) }
    // 5. What depends on a job without a place has no place either.
    pass.refuseDependents()
    return pass.plan
  }
}
