// What the variables of oar.conf that a scenario sets mean for its plan; most mean nothing.

import ClusterModel
import Kamelot

enum ScenarioSettings {
  /// The settings that a configuration makes; what it does not say is as OAR has it, save that a
  /// scenario is planned whole, and besteffort jobs with their full walltime.
  static func settings(
    _ configuration: Configuration
  ) throws(ConfigurationError) -> PlanningSettings {
    var defaults = PlanningSettings()
    defaults.jobsPerPass = 0
    defaults.besteffortDuration = endOfTime
    defaults.usesSleepingHosts = true
    return try PlanningSettings(configuration, defaults: defaults)
  }

  /// How jobs are sorted. A scenario is planned whole, so it limits a user's jobs only if it says so.
  static func order(of scenario: Scenario) throws -> JobOrderPolicy {
    var order = try OrderSettings(
      scenario.configuration, priorityFile: scenario.priorityFile)
    if scenario.configuration["SCHEDULER_FAIRSHARING_MAX_JOB_PER_USER"] == nil {
      order.fairShare.jobsPerUser = 0
    }
    let karma = scenario.karma
    let isKnown = !karma.users.isEmpty || !karma.projects.isEmpty
    return order.policy(
      known: isKnown ? KnownKarma(users: karma.users, projects: karma.projects) : nil)
  }
}
