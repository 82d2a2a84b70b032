// The site's prologue and epilogue on the first host of a job, as OAR 2 runs them: as OAR's account, in its
// directory, with the job's number, its user and its node file as words.

import CLinux
import Glibc
import Wire

struct OAR2Hook {
  let program: String
  let account: Account
  let names: OAR2Names
  let environment: [String: String]
  /// Seconds.
  let limit: Int

  /// Why a hook counts as failed, in words for the log.
  struct Failure: Error { let text: String }

  /// Runs it to its end.
  func run(in group: GroupEntry?) throws(Failure) {
    var launch = Launch(
      program: program, arguments: [program, String(names.job), names.user, names.nodes])
    launch.account = account
    launch.directory = names.directory
    launch.fallbackDirectory = "/"
    launch.group = group
    launch.environment = environment
    do {
      let (process, report) = try launch.start()
      let failure = LaunchReport(
        (try? Descriptors.read(
          report, upTo: MemoryLayout<clinux_launch_report>.size, named: program)) ?? [])
      close(report)
      let end = ChildEnd.of(process, within: limit)
      if let failure { throw Failure(text: "\(program) can't be run: \(failure.reason)") }
      if end == .tookTooLong { throw Failure(text: "\(program) did not end within \(limit) s") }
      if let problem = end.problem { throw Failure(text: "\(program) \(problem)") }
    } catch let error as Failure {
      throw error
    } catch {
      throw Failure(text: "\(program) can't be run: \(error)")
    }
  }
}
