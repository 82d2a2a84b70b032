// The way back to OAR 2 after a crash of liburnad with jobs of every kind: `liburnad --leave`, then Almighty.

import Testing

@testable import Lab

/// Part of the suite of liburnad in Almighty's place, whose lab it goes on with.
enum OAR2Leaving {
  /// Lets liburnad crash while jobs run, are suspended, reserved, held and waited for, and looks at how they end
  /// under Almighty.
  static func check(_ test: TestLab) throws {
    _ = try test.sh("frontend", session, user: "user1")
    let jobs = try test.user(begin)
    let seconds = try test.sh(
      "server", "begin=$(date +%s); use-server left; echo $(($(date +%s) - begin))")
    #expect((Int(seconds) ?? 99) <= 60, "\(seconds)")
    let out = try test.user("set -- \(jobs)\n" + end)
    #expect(out.hasSuffix("good"), "\(out)")
    // An interactive job that was left ends as one of OAR's own; besides it, exit codes and times are known.
    #expect(
      try test.sh("server", "cd /; su postgres -c \"psql -XAtqd oar -c \\\"\(begun)\\\"\"") == "0")
    for node in ["node1", "node2"] {
      #expect(try test.sh(node, left) == "", "\(node)")
    }
  }

  /// A terminal's session that outlives the server.
  private static let session = """
    cd; rm -f left-session
    setsid sh -c "{ sleep 30; echo exit; } |
      timeout 120 script -qec 'oarsub -I -l core=1,walltime=0:5' left-session" </dev/null >/dev/null 2>&1 &
    tries=300
    until grep -q '^Connect to OAR job' left-session 2>/dev/null; do
      tries=$((tries - 1)); [ $tries -gt 0 ]; sleep 0.1
    done
    """

  /// The numbers of: one that runs, one that is suspended, a besteffort one, a reservation that has the resources
  /// of the suspended one, one that depends on the first, one that is held.
  private static let begin = """
    one=$(ask -l core=1,walltime=0:5 'echo 1 >>left-ran; sleep 15; exit 5'); await $one Running
    still=$(ask -l core=1,walltime=0:5 'sleep 6; exit 6'); await $still Running
    least=$(ask -t besteffort -l core=1,walltime=0:5 'sleep 300'); await $least Running
    oarhold -r $still >/dev/null; await $still Suspended
    dated=$(ask -r "$(date -d '+5 seconds' '+%F %T')" -l core=1,walltime=0:1 'sleep 10; exit 4')
    await $dated Running
    next=$(ask -a $one -l core=1,walltime=0:1 'exit 3')
    held=$(ask --hold -l core=1,walltime=0:1 true)
    echo $one $still $least $dated $next $held
    """

  /// Almighty brings all of them to their ends.
  private static let end = """
    oarresume $2 $6 >/dev/null
    await $1 Terminated; oarstat -fj $1 | grep -q '1280 (5,0,0)'
    await $4 Terminated; oarstat -fj $4 | grep -q '1024 (4,0,0)'
    await $2 Terminated; oarstat -fj $2 | grep -q '1536 (6,0,0)'
    await $5 Terminated; oarstat -fj $5 | grep -q '768 (3,0,0)'
    await $6 Terminated
    # Almighty may have ended it for one of the others.
    oardel $3 >/dev/null 2>&1 || true
    await $3 Error
    [ "$(wc -l <left-ran)" = 1 ]
    tries=600
    until grep -q '^Disconnected from OAR job' left-session; do
      tries=$((tries - 1)); [ $tries -gt 0 ]; sleep 0.1
    done
    tries=600
    while oarstat | grep -q user1; do tries=$((tries - 1)); [ $tries -gt 0 ]; sleep 0.1; done
    echo good
    """

  /// How often a job was begun more than once.
  private static let begun = """
    select count(*) from (select job_id from job_state_logs where job_state = 'toLaunch'
      group by job_id having count(*) > 1) as twice
    """

  /// Files and cgroups of jobs that are still on a node.
  private static let left = """
    ls /var/lib/oar | grep -E '^[0-9]|^pid_of_oarexec|^oarsub_connections|[.]env$' || true
    find /sys/fs/cgroup -type d -path '*/oar/user1_*' | head -3
    """
}
