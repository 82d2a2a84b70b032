// Lending on real parts: Liburna, a real Kubernetes, kubelets with real containers, on the same nodes.

import Testing

@testable import Lab

extension LabSuite {
  @Suite("nodes lent to a real Kubernetes")
  struct BebidaTests {
    @Test(
      "pods give way to jobs and come back, also while Kubernetes' API stands still or the server is killed"
    )
    func liburna() throws {
      // The composition's own test has pods give way to a job, and come back.
      try TestLab.runShipped("bebida-liburna") { (test) throws in
        try lent(test)
        // Nobody answers, and nobody hangs up.
        _ = try test.sh("server", "pkill -STOP kube-apiserver")
        _ = try test.sh("frontend", Self.job, user: "user1")
        _ = try test.sh("server", "pkill -CONT kube-apiserver")
        try lent(test)
        _ = try test.sh("frontend", Self.killed, user: "user1")
        _ = try test.sh("server", "pkill -KILL liburnad")
        _ = try test.sh("frontend", Self.survivor, user: "user1")
        try lent(test)
        let explained = try test.sh("frontend", "bebida explain node1")
        #expect(explained.hasPrefix("node1 is KUBE since "), "\(explained)")
        #expect(explained.contains("the host itself: open to pods"), "\(explained)")
      }
    }

    /// All nodes are Kubernetes', as both sides say.
    private func lent(_ test: TestLab) throws {
      _ = try test.sh(
        "frontend",
        """
        tries=300
        until [ "$(bebida status | grep -c ' KUBE ')" -eq 2 ] &&
          [ "$(kubectl get nodes --no-headers | awk '$2 == "Ready"' | wc -l)" -eq 2 ]; do
          tries=$((tries - 1))
          [ $tries -gt 0 ] || { bebida status; kubectl get nodes; exit 1; }
          sleep 0.2
        done
        """)
    }

    private static let job = "cd; timeout 60 oarsub --wait -l nodes=2,walltime=0:1:0 true"

    /// A job that runs while the server is killed.
    private static let killed = """
      cd
      oarsub -l nodes=2,walltime=0:2:0 'touch begun; until [ -e go-on ]; do sleep 0.1; done' |
        sed -n 's/^OAR_JOB_ID=//p' >job
      tries=300
      until [ -e begun ]; do tries=$((tries - 1)); [ $tries -gt 0 ] || exit 1; sleep 0.1; done
      """

    /// It still has its nodes, and ends well.
    private static let survivor = """
      cd
      tries=300
      until [ "$(bebida status 2>/dev/null | grep -c ' HPC ')" -eq 2 ]; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || exit 1; sleep 0.2
      done
      touch go-on
      until oarstat -s -j "$(cat job)" | grep -q Terminated; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || { oarstat -f -j "$(cat job)"; exit 1; }; sleep 0.2
      done
      """
  }
}
