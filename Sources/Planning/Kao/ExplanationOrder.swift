// Which jobs take precedence over one that is to be explained.

import ClusterModel
import Kamelot

extension Plan {
  /// The jobs that were planned after `job`; all that are planned and not among them go before it.
  func jobs(after job: JobID) -> Set<JobID> {
    guard let place = order.firstIndex(of: job) else { return [] }
    return Set(order[(place + 1)...])
  }
}
