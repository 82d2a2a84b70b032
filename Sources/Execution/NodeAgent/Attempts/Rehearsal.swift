// What a process does first is dearer than what it does again: Swift then makes the descriptions of types.
// Shepherds are forked, one a job; what the agent has done once they all inherit.

import ClusterModel
import Glibc
import Wire

enum Rehearsal {
  /// Goes through a shepherd's steps that touch nothing outside this process.
  static func run() {
    let line = "root:x:0:0:root:/root:/bin/sh"
    guard let account = Account(name: "root", passwd: line, groups: "0") else { return }
    _ = cpuList([0, 1, 3])
    _ = fileLines(["node"])
    _ = AttemptRecord(AttemptRecord(since: 0, groupPath: "a/b", isInteractive: false).bytes)
    _ = AttemptStatus(record: AttemptStatus.ended(status: 0, cause: .command, at: 0).recordBytes)
    var launch = Launch(program: account.shell, arguments: ["sh", "-c", "true"])
    launch.account = account
    launch.group = GroupEntry()
    let names = JobEnvironment.FileNames(nodes: "/", resources: "/", directory: "/")
    launch.environment = JobEnvironment.make(
      account: account, job: ["OAR_JOB_ID": "0"], files: names, group: "a/b", terminal: nil)
    launch.rehearse()
    var kept: Launch? = launch
    forget(&kept)
    let loop = EventLoop()
    var clock = ShepherdClock(walltime: 1, checkpoint: 0, now: 0)
    loop.after(0) { loop.stop() }
    loop.run()
    _ = clock.due(now: 0)
    _ = clock.nextDeadline
  }

  @inline(never)
  private static func forget(_ launch: inout Launch?) { launch = nil }
}
