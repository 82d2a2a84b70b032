// kamelot on a real OAR 2: a site's steps to it and back, with jobs of several kinds on the way.

import Testing

@testable import Lab

extension LabSuite {
  @Suite("kamelot on OAR 2")
  struct OAR2KamelotTests {
    @Test(
      "jobs of several kinds run to their ends; the way back takes one call, and nothing is lost")
    func there() throws {
      try TestLab.runShipped("oar2-kamelot") { (test) throws in
        let out = try test.user(Self.kinds)
        #expect(out.hasSuffix("all Terminated"), "\(out)")
        #expect(try test.sh("server", "oarnotify -l | grep -c Active") == "3")
        let said = try test.sh("server", "grep '^kamelot: ' /var/log/oar.log || true")
        #expect(said == "")
        // Back to OAR's scheduler, and one more job; a kamelot that crashes on the way.
        let seconds = try test.sh("server", Self.back)
        #expect((Int(seconds) ?? 99) <= 60)
        _ = try test.user(Self.oarsOwn)
      }
    }

    /// Batch, array, moldable, dependency, container, timesharing, besteffort, reservation, noop.
    private static let kinds = """
      # Before the others, which would have its cores by then.
      dated=$(ask -r "$(date -d '+40 seconds' '+%F %T')" -l core=1,walltime=0:1 true)
      one=$(ask -l core=1,walltime=0:5 'sleep 1')
      jobs="$dated $one $(ask --array 3 -l core=1,walltime=0:1 true) $(ask -a "$one" -l core=1,walltime=0:1 true)"
      jobs="$jobs $(ask -l core=4,walltime=0:2 -l core=1,walltime=0:5 true)"
      jobs="$jobs $(ask -t 'timesharing=user,*' -l core=1,walltime=0:1 true)"
      jobs="$jobs $(ask -t besteffort -l core=1,walltime=0:1 true)"
      box=$(ask -t container -l core=1,walltime=0:1 'sleep 40')
      jobs="$jobs $box $(ask -t inner=$box -l core=1,walltime=0:0:10 true)"
      for job in $jobs; do await "$job" Terminated; done
      echo all Terminated
      """

    private static let back = """
      begin=$(date +%s)
      oarnotify --remove-queue default >/dev/null
      oarnotify --add-queue default,2,oar_sched_gantt_with_timesharing_and_fairsharing_and_quotas >/dev/null
      echo $(($(date +%s) - begin))
      """

    private static let oarsOwn = """
      job=$(ask -l core=1,walltime=0:1 true)
      await "$job" Terminated
      oarstat -fj "$job" | grep -q 'Karma='
      """
  }
}
