// `kao` as the metascheduler of a running OAR 2 server (META_SCHED_CMD="kao"): one pass and an exit code that
// Almighty knows. Whatever happens to the pass, Almighty goes on.

import ClusterModel
import Glibc
import Storage
import Synchronization

/// Runs `kao`.
public enum Metascheduler {
  /// Seconds after which a pass is ended from outside, whatever it waits for.
  private static let hardLimit = 900
  /// Seconds until a pass is tried again that could not be made.
  private static let retryDelay: Seconds = 10

  /// Whether the words after the program's name are for it: Almighty gives none.
  public static func isCall(_ words: [String]) -> Bool { words.isEmpty || PassAlarm.isCall(words) }

  /// Makes a pass and ends the process: 0 to go on, 1 for another pass, 2 for Leon; Almighty stops at any other
  /// code.
  public static func main(_ words: [String]) -> Never {
    signal(SIGPIPE, SIG_IGN)
    if PassAlarm.isCall(words) { PassAlarm.main(words) }
    StandingAside.standAsideIfAsked()
    let passGuard = PassGuard(
      limit: hardLimit, exitCode: { PassResult(rawValue: $0)?.rawValue },
      consequence: "jobs wait for the next one", say: MetaschedulerLog().error)
    exit(passGuard.run(makePass))
  }

  private static func makePass() -> Never {
    signal(SIGPIPE, SIG_IGN)
    Watchdog.begin()
    Task { exit(await pass()) }
    while true { pause() }
  }

  private static func pass() async -> Int32 {
    var log = MetaschedulerLog()
    do {
      let configuration = try Configuration.ofThisHost()
      log.level = (try? configuration.integer("LOG_LEVEL", default: 2)) ?? 2
      return try await pass(configuration, log)
    } catch {
      log.error("no pass: \(error)")
      return PassResult.goOn.rawValue
    }
  }

  private static func pass(
    _ configuration: Configuration, _ log: MetaschedulerLog
  ) async throws -> Int32 {
    let settings = try MetaschedulerSettings(configuration) { name in
      getenv(name).map { String(cString: $0) }
    }
    for problem in settings.problems { log.info(problem) }
    let alarm = PassAlarm(host: settings.almighty.host, port: settings.almighty.port)
    do {
      let storage = try await DatabaseChoice(configuration).open(.shared, lock: .metascheduler)
      var pass = try await MetaschedulerPass(
        settings: settings, storage: storage, log: log, clock: time(nil))
      let result = try await pass.run()
      if let next = pass.nextPass { alarm.set(to: next, log) }
      await storage.close()
      return result.rawValue
    } catch {
      // Almighty calls again in a minute; what came meanwhile should not wait so long.
      alarm.set(to: time(nil) + retryDelay, log)
      throw error
    }
  }
}

/// Ends this process when it does not come on, if it is one that makes a pass and nothing else. What it had not
/// committed is not written then.
enum Watchdog {
  /// Seconds for what a pass does itself.
  private static let limit = 60
  private static let hasBegun = Atomic(false)

  static func begin() {
    hasBegun.store(true, ordering: .relaxed)
    allow(0)
  }

  /// From now on: the time of the pass itself, and so many seconds for what it waits for.
  static func allow(_ extra: Int) {
    guard hasBegun.load(ordering: .relaxed) else { return }
    alarm(UInt32(limit + max(0, extra)))
  }
}
