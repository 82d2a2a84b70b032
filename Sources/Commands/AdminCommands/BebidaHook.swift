// bebida hook: what a batch system runs before and after a job. It asks bebidad and waits; all work is done there.

import CommandLine
import Glibc
import Wire

/// A call by a batch system.
struct BebidaHook {
  /// Seconds between two tries to reach a server that is just being started.
  private static let pause: useconds_t = 200_000

  let isBefore: Bool
  let context: CommandContext
  let limit: Double

  /// - Returns: the exit code: 0 if the job may begin.
  func run() -> Int32 {
    // On nodes there is nothing to do: the controller's hook has seen to it.
    if context.variable("SLURM_SCRIPT_CONTEXT")?.hasSuffix("_slurmd") == true { return 0 }
    guard let job = context.variable("SLURM_JOB_ID"), !job.isEmpty else {
      context.errors.line(
        "bebida hook: SLURM_JOB_ID is not set: Slurm runs this as PrologSlurmctld")
      return isBefore ? 1 : 0
    }
    let hook = LendingHook(
      isBefore: isBefore, job: job, hosts: context.variable("SLURM_JOB_NODELIST") ?? "",
      limit: limit)
    return isBefore ? before(hook) : after(hook)
  }

  private func before(_ hook: LendingHook) -> Int32 {
    let begin = seconds
    var hook = hook
    while true {
      do {
        hook.limit = max(0, limit - (seconds - begin))
        _ = try context.ask(.lending(.hook(hook)))
        return 0
      } catch let refusal as Refusal {
        context.errors.line("bebida hook: job \(hook.job) can't begin: \(refusal.message)")
        return 1
      } catch {
        context.disconnect()
        guard seconds - begin < limit else {
          context.errors.line("bebida hook: job \(hook.job) can't begin, bebidad does not answer")
          return 1
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

  private var seconds: Double { Double(EventLoop.monotonicNanoseconds) / 1e9 }
}
