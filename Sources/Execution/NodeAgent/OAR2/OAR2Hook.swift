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
      let status = try wait(for: process)
      if let failure { throw Failure(text: "\(program) can't be run: \(failure.reason)") }
      guard status == 0 else { throw Failure(text: "\(program) ended with status \(status)") }
    } catch let error as Failure {
      throw error
    } catch {
      throw Failure(text: "\(program) can't be run: \(error)")
    }
  }

  private func wait(for process: pid_t) throws(Failure) -> Int32 {
    let pidfd = clinux_pidfd_open(process)
    defer { if pidfd >= 0 { close(pidfd) } }
    var event = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
    var status: Int32 = 0
    if pidfd >= 0, poll(&event, 1, Int32(clamping: limit * 1000)) == 0 {
      kill(-process, SIGKILL)
      waitpid(process, &status, 0)
      throw Failure(text: "\(program) did not end within \(limit) s")
    }
    waitpid(process, &status, 0)
    return status
  }
}
