// bebida hook: what a batch system runs before and after a job. It asks bebidad and waits; all work is done there.

import CommandLine
import Glibc
import Synchronization
import Wire

/// A call by a batch system.
struct BebidaHook {
  /// Microseconds between two tries to reach a server that is just being started.
  private static let pause: useconds_t = 200_000
  /// Seconds that an answer may be late.
  private static let latency = 3.0

  let isBefore: Bool
  /// The job that OAR names; `nil` under Slurm, which sets variables.
  let oarJob: String?
  let context: CommandContext
  let limit: Double

  /// - Returns: the exit code: 0 if the job may begin.
  func run() -> Int32 {
    // On nodes there is nothing to do: the controller's hook has seen to it.
    if context.variable("SLURM_SCRIPT_CONTEXT")?.hasSuffix("_slurmd") == true { return 0 }
    if let oarJob, Int(oarJob) == nil {
      say("\"\(oarJob.prefix(100))\" is no job: OAR gives the number of one")
      return isBefore ? 1 : 0
    }
    guard let job = oarJob ?? context.variable("SLURM_JOB_ID"), !job.isEmpty else {
      say(
        "no job: Slurm sets SLURM_JOB_ID where it runs this as PrologSlurmctld, and OAR's server "
          + "prologue gives the job as an argument")
      return isBefore ? 1 : 0
    }
    let hosts = oarJob == nil ? context.variable("SLURM_JOB_NODELIST") ?? "" : ""
    let hook = LendingHook(
      moment: isBefore ? .before : .after, job: job, hosts: hosts, limit: limit)
    return isBefore ? before(hook) : after(hook)
  }

  private func before(_ hook: LendingHook) -> Int32 {
    let begin = seconds
    let watchdog = Watchdog(after: limit + Self.latency) { [job = hook.job, oarJob] in
      let text = "bebida hook: job \(job) can't begin, bebidad stands still\n"
      _ = text.utf8.withContiguousStorageIfAvailable { write(2, $0.baseAddress, $0.count) }
      if oarJob == nil { exit(1) }
      _ = Self.endLauncher(of: job)
    }
    var hook = hook
    while true {
      do {
        hook.limit = max(0, limit - (seconds - begin))
        _ = try context.ask(.lending(.hook(hook)))
        return watchdog.end() ? 0 : abandon(hook)
      } catch let refusal as Refusal {
        guard watchdog.end() else { return abandon(hook) }
        say("job \(hook.job) can't begin: \(refusal.message)")
        return refuse(hook.job)
      } catch {
        context.disconnect()
        if seconds - begin >= limit {
          guard watchdog.end() else { return abandon(hook) }
          say("job \(hook.job) can't begin, bebidad does not answer")
          let code = refuse(hook.job)
          return code == 0 ? abandon(hook) : code
        }
        usleep(Self.pause)
      }
    }
  }

  /// A word that is lost does no harm: bebidad looks by itself.
  private func after(_ hook: LendingHook) -> Int32 {
    _ = try? context.ask(.lending(.hook(hook)))
    return 0
  }

  private func say(_ text: String) { context.errors.line("bebida hook: " + text) }

  private var seconds: Double { Double(EventLoop.monotonicNanoseconds) / 1e9 }

  // MARK: OAR

  /// Where a server prologue fails, OAR stops all its queues. So this one never does: it ends the launcher that
  /// waits for it, and with it the launch. bebidad has told OAR to begin the job elsewhere.
  ///
  /// - Returns: whether there was one.
  private static func endLauncher(of job: String) -> Bool {
    var process = getppid()
    while process > 1 {
      let words = words(of: process)
      if words.last == job, words.contains(where: { $0.split(separator: "/").last == "bipbip" }) {
        return kill(process, SIGKILL) == 0
      }
      process = parent(of: process)
    }
    return false
  }

  /// The exit code for a job that can't begin.
  private func refuse(_ job: String) -> Int32 {
    guard oarJob != nil else { return 1 }
    if Self.endLauncher(of: job) { return 0 }
    say("it was not called by OAR's launcher (bipbip) of job \(job)")
    return 1
  }

  /// The launch was ended, and nobody could tell OAR: does so when bebidad is there again. OAR waits no longer for
  /// this process.
  private func abandon(_ hook: LendingHook) -> Int32 {
    var hook = hook
    hook.moment = .abandoned
    while true {
      do {
        _ = try context.ask(.lending(.hook(hook)))
        return 0
      } catch is Refusal {
        return 0
      } catch {
        context.disconnect()
        usleep(5 * Self.pause)
      }
    }
  }

  private static func words(of process: pid_t) -> [String] {
    let text = (try? readFile("/proc/\(process)/cmdline", limit: 1 << 16)) ?? []
    return text.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func parent(of process: pid_t) -> pid_t {
    let text = (try? readFile("/proc/\(process)/status", limit: 1 << 16)) ?? []
    let line = text.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "PPid:".utf8) }
    return line.flatMap { pid_t(String(decoding: $0.dropFirst(6), as: UTF8.self)) } ?? 0
  }
}

/// Does something once if it is not ended in time, even while the process waits for somebody who stands still.
private final class Watchdog: Sendable {
  private let hasFired = Mutex<Bool?>(nil)

  init(after seconds: Double, _ body: @escaping @Sendable () -> Void) {
    Task.detached { [self] in
      try? await Task.sleep(for: .seconds(seconds))
      let isDue = hasFired.withLock { state in
        guard state == nil else { return false }
        state = true
        return true
      }
      if isDue { body() }
    }
  }

  /// - Returns: whether it was in time.
  func end() -> Bool {
    hasFired.withLock { state in
      if state == nil { state = false }
      return state == false
    }
  }
}
