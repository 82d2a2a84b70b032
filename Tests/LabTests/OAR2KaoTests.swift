// kao as the metascheduler of a real OAR 2: jobs of all kinds end as under OAR 2 alone, and the way back is one
// variable and a restart.

import Compositions
import Testing

@testable import Lab

extension LabSuite {
  @Suite("kao on OAR 2")
  struct OAR2KaoTests {
    @Test(
      "jobs of all kinds end as under OAR 2 alone; the way back takes seconds, and nothing is lost")
    func there() throws {
      try TestLab.runShipped("oar2-kamelot-kao", change: Self.prepare) { (test) throws in
        let scenes = try test.sh("server", "bash /srv/scripts/oar2-scenes 2>&1 || true")
        #expect(!scenes.contains("not ok") && scenes.contains("ok gantt"), "\(scenes)")
        #expect(try test.sh("server", "oarnotify -l | grep -c Active") == "3")
        let said = try test.sh(
          "server", "grep -F \"[error]\" /var/log/oar.log | grep -F \"[kao]\" || true")
        #expect(said == "")
        // Back to the metascheduler of OAR 2, with a job that runs; then one more.
        let answer = try test.user(Self.running)
        let seconds = try test.sh("server", Self.back)
        #expect((Int(seconds) ?? 99) <= 60, "\(seconds)")
        _ = try test.user(Self.ending(answer))
        #expect(
          try test.sh(
            "server",
            "tail -n +$(cat /root/lines) /var/log/oar.log | grep -cE 'kao. job|kao goes on' || true"
          )
            == "0")
      }
    }

    /// The scenes as a volume; and a word that comes right after a pass is not kept for up to ten seconds by
    /// Almighty.
    private static func prepare(_ composition: inout Composition) {
      let scripts =
        String(#filePath.dropLast("/Tests/LabTests/OAR2KaoTests.swift".count)) + "/Scripts"
      composition.volumes.append(Volume(source: scripts, target: "/srv/scripts", mode: .ro))
      for role in composition.roles.indices where composition.roles[role].name == "server" {
        composition.roles[role].prepare.append(
          """
          sed -i 's/^SCHEDULER_MIN_TIME_BETWEEN_2_CALLS=.*/SCHEDULER_MIN_TIME_BETWEEN_2_CALLS="0"/' \
            /etc/oar/oar.conf
          """)
      }
    }

    /// Submits a job that runs for some seconds, and prints its number once it runs.
    private static let running = """
      job=$(ask -l core=1,walltime=0:5 "sleep 8")
      await "$job" Running
      echo "$job"
      """

    /// The variable alone; prints after how many seconds OAR's metascheduler made a pass.
    private static let back = """
      lines=$(($(wc -l </var/log/oar.log) + 1))
      begin=$(date +%s)
      use-metascheduler oar_meta_sched
      bash -c "echo Qsub >/dev/tcp/server/6666"
      tries=300
      until tail -n +$lines /var/log/oar.log | grep -qF '[MetaSched] End of Meta Scheduler'; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || break
        sleep 0.1
      done
      echo $(($(date +%s) - begin))
      wc -l </var/log/oar.log >/root/lines
      """

    /// The ends of a job and of a new one.
    private static func ending(_ job: String) -> String {
      """
      new=$(ask -l core=1,walltime=0:1 true)
      for job in \(job) $new; do await "$job" Terminated; done
      """
    }
  }
}
