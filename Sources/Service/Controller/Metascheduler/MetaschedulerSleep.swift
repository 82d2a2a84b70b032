// Hosts of an OAR 2 site that sleep: its commands are told which to wake and which to put to sleep. What becomes
// of the hosts, the site's commands and OAR 2 note in the database.

import ClusterModel
import Kamelot
import NodeConnections

extension MetaschedulerPass {
  /// Wakes hosts for what is planned, and puts idle ones to sleep, if the site wants that.
  mutating func manageSleep() {
    guard let sleep = settings.planner.sleep else { return }
    let decision = state.sleepDecision(settings: settings.planner, sleep, at: now)
    for problem in decision.problems { log.info(problem) }
    run(sleep.wakeCommand, "wake", decision.wake.map(\.host))
    run(sleep.sleepCommand, "sleep", decision.halt.map(\.host))
  }

  private func run(_ command: SiteCommand?, _ verb: String, _ hosts: [String]) {
    guard let command, let program = command.words.first, !hosts.isEmpty else { return }
    let names = hosts.joined(separator: " ")
    log.info("told to \(verb): \(names)")
    let site = OAR2Program(
      path: program, arguments: Array(command.words.dropFirst()), input: names + "\n")
    if let problem = site.start() {
      log.error("the command that tells hosts to \(verb): \(problem)")
    }
  }
}
