// Priority as a weighted sum of factors (JOB_PRIORITY=MULTIFACTOR).

import ClusterModel

/// What counts, and how much. A weight of 0 leaves its factor out; a negative one turns it round.
public struct Multifactor: Sendable {
  /// What can count.
  public enum Factor: String, CaseIterable, Sendable {
    /// How long the job has waited: from 0, growing evenly to 1.
    case age
    /// What the site makes of its queue.
    case queue
    /// Resources times walltime.
    case work
    /// Its share of the cluster's resources.
    case size
    /// How little its user and project used.
    case karma
    /// A quality of service from 0 to 1.
    case qos
    /// A number from 0 to 1 for its user's own wishes; of use with a negative weight.
    case nice
  }

  /// Whether small or big jobs have the greater factor.
  public enum Preference: Int, Sendable {
    case small = 0
    case big = 1
  }

  /// Missing ones are 0.
  public var weights: [Factor: Double] = [:]
  /// What a second of waiting adds to `age`; OAR's default reaches 1 after seven days.
  public var agePerSecond = 1.65e-6
  /// By the name of the queue; 0 for others.
  public var queueCoefficients: [String: Double] = [:]
  public var workPreference = Preference.small
  public var sizePreference = Preference.small
  /// What karma is worked out from.
  public var fairShare: FairShare
  /// The quality of service of jobs, from 0 to 1; 0 for jobs that are not listed.
  public var qos: [JobID: Double] = [:]
  /// From 0 to 1; 0 for jobs that are not listed.
  public var nice: [JobID: Double] = [:]

  public init(weights: [Factor: Double] = [:], fairShare: FairShare = FairShare()) {
    self.weights = weights
    self.fairShare = fairShare
  }
}

extension Multifactor {
  /// The factors that have a weight, in a fixed order.
  var weighted: [Factor] { Factor.allCases.filter { weight(of: $0) != 0 } }

  func weight(of factor: Factor) -> Double { weights[factor, default: 0].bounded }

  /// The factor of a job that has waited so long.
  func age(_ waited: Seconds) -> Double { (Double(max(0, waited)) * agePerSecond).fraction }

  /// The factor of a job's work; 0 if its size is not known.
  func work(_ size: JobSize?) -> Double {
    guard let size else { return 0 }
    let inverse = 1 / max(1, Double(size.resources) * Double(size.walltime))
    return workPreference == .small ? inverse : 1 - inverse
  }

  /// The factor of a job's share of the cluster; 0 if its size is not known.
  func size(_ size: JobSize?, of clusterResources: Int) -> Double {
    guard let size, clusterResources > 0 else { return 0 }
    let share = (Double(size.resources) / Double(clusterResources)).fraction
    return sizePreference == .small ? 1 - share : share
  }

  /// The factor of a karma: 1/(1 + karma), as in OAR. That has no meaning at −1 and below, where
  /// users with high targets can get; so from −0.5 on it goes on as a straight line.
  func karma(_ karma: Double) -> Double { karma < -0.5 ? -4 * karma : 1 / (1 + karma) }
}
