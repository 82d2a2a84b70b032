// liburnad in the place of a real OAR 2's server: OAR's own commands do what they always do, and the switch
// is made with jobs that run, there and back.

import Testing

@testable import Lab

extension LabSuite {
  @Suite("liburnad in Almighty's place")
  struct OAR2LiburnadTests {
    @Test(
      "OAR 2's own commands work unchanged, ours beside them, and running jobs outlive the switch")
    func place() throws {
      try TestLab.runShipped("oar2-liburnad") { (test) throws in
        for (name, script) in Self.scripts {
          let out = try test.user(script)
          #expect(out.hasSuffix("good"), "\(name): \(out)")
        }
        _ = try test.sh("server", Self.hooks)
        let hooked = try test.user(Self.hooked)
        let calls = try test.sh("server", "cat /tmp/hooks")
        #expect(
          calls == "prologue \(hooked) user1 Launching\nepilogue \(hooked) user1 Finishing")
        let nodes = try test.sh("server", Self.nodes)
        #expect(nodes.hasSuffix("good"), "\(nodes)")
        try there(and: test)
        try OAR2Leaving.check(test)
        // What others would act upon was acted upon, and nothing is half way.
        let left = """
          select (select count(*) from event_logs where to_check = 'YES'),
            (select count(*) from resources where next_state <> 'UnChanged'),
            (select count(*) from frag_jobs where frag_state <> 'FRAGGED'),
            (select count(*) from jobs where state not in ('Terminated', 'Error')),
            (select count(*) from assigned_resources where assigned_resource_index = 'CURRENT')
          """
        #expect(
          try test.sh("server", "cd /; su postgres -c \"psql -XAtqd oar -c \\\"\(left)\\\"\"")
            == "0|0|0|0|0")
      }
    }

    /// The switch to OAR's server and back, each with a job that runs.
    private func there(and test: TestLab) throws {
      let first = try test.user(Self.begin)
      let seconds = try test.sh(
        "server", "begin=$(date +%s); use-server almighty; echo $(($(date +%s) - begin))")
      #expect((Int(seconds) ?? 99) <= 60)
      // One that OAR starts, one that goes on; then back.
      let second = try test.user(Self.begin)
      _ = try test.sh("server", "use-server liburnad")
      for job in [first, second] {
        let end = "await \(job) Terminated; oarstat -fj \(job) | grep -c '1280 (5,0,0)'"
        #expect(try test.user(end) == "1", "job \(job)")
      }
    }

    /// The server, started anew with programs of the site around jobs, which ask OAR for the state of theirs.
    private static let hooks = """
      set -e
      cat >/etc/oar/hook <<'END'
      #!/bin/sh
      state=$(oarstat -s -j "$1" | sed 's/.*: //')
      echo "${0##*-} $1 $OAR_USER $state" >>/tmp/hooks
      END
      chmod 755 /etc/oar/hook
      for name in prologue epilogue; do
        ln -s hook /etc/oar/hook-$name
        echo "SERVER_$(echo $name | tr a-z A-Z)_EXEC_FILE=\"/etc/oar/hook-$name\"" >>/etc/oar/oar.conf
      done
      former=$(pgrep -x liburnad)
      kill $former
      tries=300
      while [ -d /proc/$former ] || ! timeout 1 bash -c '</dev/tcp/server/6666' 2>/dev/null; do
        tries=$((tries - 1)); [ $tries -gt 0 ]; sleep 0.1
      done
      """

    private static let hooked = """
      job=$(ask -l nodes=2,walltime=0:1 true)
      await $job Terminated
      echo $job
      """

    /// A job of half a minute, whose id is said when it runs.
    private static let begin = """
      job=$(ask -l core=1,walltime=0:5 'sleep 20; exit 5')
      await $job Running
      echo $job
      """

    private static let scripts = [
      (
        "batch and array",
        """
        job=$(ask --notify "exec:/usr/bin/touch $HOME/told" -l core=1,walltime=0:1 'exit 3')
        await $job Terminated
        tries=100
        until [ -O told ]; do tries=$((tries - 1)); [ $tries -gt 0 ]; sleep 0.1; done
        oarstat -fj $job | grep -q '768 (3,0,0)'
        for job in $(ask --array 4 -l core=1,walltime=0:1 true); do await $job Terminated; done
        echo good
        """
      ),
      (
        "hold, resume, suspend, walltime, delete",
        """
        job=$(ask -l core=4,walltime=0:5 'sleep 300')
        await $job Running
        next=$(ask -l core=1,walltime=0:1 true)
        oarhold $next >/dev/null; await $next Hold
        oarresume $next >/dev/null; await $next Waiting
        oardel $next >/dev/null; await $next Error
        oarstat -fj $next | grep -q 'Job killed by Leon directly'
        oarhold -r $job >/dev/null; await $job Suspended
        oarresume $job >/dev/null; await $job Running
        oarwalltime $job +0:10 >/dev/null
        tries=100
        until oarwalltime $job | grep -q 'Current walltime: *0:15:0'; do
          tries=$((tries - 1)); [ $tries -gt 0 ]; sleep 0.1
        done
        oardel $job >/dev/null; await $job Error
        echo good
        """
      ),
      (
        "reservations",
        """
        date=$(date -d '+15 seconds' '+%F %T')
        oarsub -r "$date" -l core=4,walltime=0:0:30 'exit 4' >taken
        grep -q 'Reservation valid --> OK' taken
        oarsub -r "$date" -l core=4,walltime=0:1 true >refused && exit 1
        grep -q 'Reservation not valid --> KO (' refused
        job=$(sed -n 's/^OAR_JOB_ID=//p' taken)
        await $job Terminated
        oarstat -fj $job | grep -q 'message = R=4,W=0:0:[23][0-9],J=R'
        echo good
        """
      ),
      (
        "interactive",
        """
        echo 'echo "on $(hostname) in $OAR_JOB_ID"; exit' |
          timeout 60 script -qec 'oarsub -I -l core=1,walltime=0:5' /dev/null >session
        grep -q '^Starting...' session
        grep -q 'on node[12] in [0-9]' session
        job=$(sed -n 's/^OAR_JOB_ID=\\([0-9]*\\).*/\\1/p' session)
        tries=300
        until oarstat -s -j $job | grep -qE 'Terminated|Error'; do
          tries=$((tries - 1)); [ $tries -gt 0 ]; sleep 0.1
        done
        echo good
        """
      ),
      (
        "besteffort",
        """
        least=$(ask -t besteffort -l core=4,walltime=0:5 'sleep 300')
        await $least Running
        job=$(ask -l core=1,walltime=0:1 true)
        await $job Terminated
        await $least Error
        echo good
        """
      ),
    ]

    private static let nodes = """
      set -e
      state() {
        tries=100
        until [ "$(oarnodes -s node2 | grep -c ": $1")" = 2 ]; do
          tries=$((tries - 1)); [ $tries -gt 0 ]; sleep 0.1
        done
      }
      oarnodesetting -s Absent -h node2 >/dev/null; state Absent
      oarnodesetting -s Alive -h node2 >/dev/null; state Alive
      oarnodesetting -h node2 -p deploy=YES >/dev/null
      printf 'SERVER_HOSTNAME="server"\\nLIBURNA_SOCKET="/run/liburna/liburnad.sock"\\n' >/tmp/own.conf
      export OARCONFFILE=/tmp/own.conf
      tries=100
      until [ "$(/usr/local/liburna/bin/liburna oarnodes | grep -c deploy=YES)" = 2 ]; do
        tries=$((tries - 1)); [ $tries -gt 0 ]; sleep 0.1
      done
      echo good
      """
  }
}
