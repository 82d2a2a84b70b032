// The way back to OAR 2's own metascheduler by a variable of oar.conf alone. Almighty reads META_SCHED_CMD when
// it starts; kao reads it at every pass, and when OAR's own is named there, that one makes the pass.

import ClusterModel
import Glibc

/// kao, in favour of OAR 2's metascheduler.
enum StandingAside {
  /// OAR 2's own. Any other name may be a script around kao, which would call kao again and again.
  private static let name = "oar_meta_sched"

  /// Becomes OAR 2's metascheduler if META_SCHED_CMD names it; comes back if it does not, or can't be.
  static func standAsideIfAsked() {
    guard let configuration = try? Configuration.ofThisHost(),
      let path = successor(configuration, directory: getenv("OARDIR").map { String(cString: $0) })
    else { return }
    let log = MetaschedulerLog()
    log.info("META_SCHED_CMD names \(name): \(path) makes this pass")
    signal(SIGPIPE, SIG_DFL)
    var words: [UnsafeMutablePointer<CChar>?] = [strdup(path), nil]
    execv(path, &words)
    let reason = String(cString: strerror(errno))
    free(words[0])
    signal(SIGPIPE, SIG_IGN)
    log.error("\(path) can't be started (\(reason)): kao goes on with this pass")
  }

  /// OAR 2's metascheduler where META_SCHED_CMD says it is; `nil` if another is named, or none.
  static func successor(_ configuration: Configuration, directory: String?) -> String? {
    guard let command = configuration["META_SCHED_CMD"],
      command.split(separator: "/").last.map(String.init) == name
    else { return nil }
    return command.hasPrefix("/") ? command : (directory ?? "/usr/lib/oar") + "/" + command
  }
}
