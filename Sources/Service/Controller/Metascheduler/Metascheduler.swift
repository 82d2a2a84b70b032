// `kao` as the metascheduler of a running OAR 2 server (META_SCHED_CMD="kao"): one pass and an exit code that
// Almighty knows. Whatever happens to the pass, Almighty goes on.

import CLinux
import ClusterModel
import Glibc
import Storage
import Synchronization

/// Runs `kao`.
public enum Metascheduler {
  /// Which part of the work this process does; the first one is started without it.
  private static let role = "LIBURNA_KAO_ROLE"
  /// Seconds after which a pass is ended from outside, whatever it waits for.
  private static let hardLimit = 900
  /// Seconds until a pass is tried again that could not be made.
  private static let retryDelay: Seconds = 10

  /// Makes a pass and ends the process: 0 to go on, 1 for another pass, 2 for Leon.
  public static func main() async -> Never {
    signal(SIGPIPE, SIG_IGN)
    switch getenv(role).map({ String(cString: $0) }) {
    case "pass": exit(await pass())
    case "alarm": PassAlarm.wait()
    default:
      StandingAside.standAsideIfAsked()
      exit(contain())
    }
  }

  /// Makes the pass in a process of its own and turns however that ends into a code that Almighty knows:
  /// it stops at any other.
  private static func contain() -> Int32 {
    let log = MetaschedulerLog()
    let program = OAR2Program(path: "/proc/self/exe", arguments: [])
    switch program.runPart("\(role)=pass", limit: hardLimit) {
    case .exited(let code) where (0...2).contains(code): return Int32(code)
    case .exited(let code):
      log.error("the pass ended with exit code \(code); jobs wait for the next one")
    case .signalled(let signal):
      log.error("the pass ended by signal \(signal); jobs wait for the next one")
    case .tookTooLong:
      log.error("the pass was ended after \(hardLimit) s; jobs wait for the next one")
    case .notStarted(let reason): log.error("the pass can't be started: \(reason)")
    }
    return PassResult.goOn.rawValue
  }

  private static func pass() async -> Int32 {
    Watchdog.begin()
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
