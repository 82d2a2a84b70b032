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
        #expect(try test.sh("frontend", "oarnodes node1").contains("lending : KUBE, "))
        try killed(test)
      }
    }

    /// Whoever is killed while nodes change hands: the job finds no process of a pod, and nodes and pods come back.
    private func killed(_ test: TestLab) throws {
      _ = try test.sh("frontend", Self.pods, user: "user1")
      for (host, victim) in [
        ("server", "kube-apiserver"), ("server", "etcd"), ("server", "liburnad"),
        ("node1", "liburna-node"), ("node1", "kubelet"), ("node1", "containerd"),
      ] {
        _ = try test.sh("frontend", Self.podsRun, user: "user1")
        _ = try test.sh("frontend", Self.looking, user: "user1")
        _ = try test.sh(host, "pkill -KILL -x \(victim)")
        #expect(try test.sh("frontend", Self.looked, user: "user1") == "no pod", "\(victim)")
        try lent(test)
      }
      _ = try test.sh("frontend", "kubectl delete deployment hit", user: "user1")
    }

    private static let pods = """
      kubectl create deployment hit --image=busybox:lab --replicas=4 --dry-run=client -o yaml -- sleep 600 |
        sed 's/name: busybox$/&\\n        imagePullPolicy: Never/' | kubectl apply -f -
      """

    private static let podsRun = """
      tries=300
      until [ "$(kubectl get pods -l app=hit --no-headers | grep -c Running)" -ge 4 ]; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || { kubectl get nodes,pods -o wide; exit 1; }; sleep 0.2
      done
      """

    /// A job looks at its node as the composition's test does.
    private static let looking = """
      cd
      rm -f pods.seen
      oarsub -l nodes=2,walltime=0:2:0 ./look | sed -n 's/^OAR_JOB_ID=//p' >job
      """

    private static let looked = """
      cd
      tries=300
      until oarstat -s -j "$(cat job)" 2>/dev/null | grep -q Terminated; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || { oarstat -f -j "$(cat job)"; exit 1; }; sleep 0.2
      done
      if [ -e pods.seen ] && [ ! -s pods.seen ]; then echo "no pod"; else cat pods.seen; fi
      """

    @Test(
      "pods give way to Slurm's jobs and come back; a node that is shared, or was, is given back once it is free"
    )
    func slurm() throws {
      try TestLab.runShipped("bebida-slurm") { (test) throws in
        try kubernetesHas(2, test)
        let found = try test.sh("server", "bebida check")
        #expect(found.contains("good     PrologSlurmctld is /etc/bebida/prolog"), "\(found)")
        // The end of a job while another one holds the node, and jobs back to back, open no node.
        let said = try test.sh("frontend", Self.shared, user: "user1")
        #expect(said.hasSuffix("good"), "\(said)")
        try kubernetesHas(2, test)
        _ = try test.sh("server", "pkill -KILL bebidad; pkill -KILL liburnad || true")
        _ = try test.sh("frontend", "timeout 90 srun -N 2 true", user: "user1")
        try kubernetesHas(2, test)
        try installs(test)
      }
    }

    /// An account that `bebida install` makes takes the place of the composition's, and goes without a trace.
    private func installs(_ test: TestLab) throws {
      let made = try test.sh("server", Self.installed)
      #expect(made.contains("/etc/bebida/lending works"), "\(made)")
      _ = try test.sh("frontend", "timeout 90 srun -N 2 true", user: "user1")
      try kubernetesHas(2, test)
      let refused = try test.sh("server", "! bebida uninstall \(Self.options) 2>&1")
      #expect(refused.contains("the lender answers"), "\(refused)")
      let removed = try test.sh("server", "bebida uninstall --force \(Self.options)")
      #expect(removed.contains("removed   namespace lending"), "\(removed)")
      let left = "kubectl --kubeconfig /srv/kubernetes/config get nodes,clusterroles -o yaml"
      #expect(
        try test.sh("server", "\(left) | grep -c 'bebida.liburna.io\\|bebida-lending' || true")
          == "0")
    }

    private static let options =
      "--kubeconfig /srv/kubernetes/authority/admin.conf --namespace lending --output /etc/bebida/lending"

    /// The lender goes over to the new account, and has no other.
    private static let installed = """
      bebida install \(options)
      kubectl --kubeconfig /srv/kubernetes/config delete clusterrolebinding bebida
      sed -i 's|/etc/bebida/kubeconfig|/etc/bebida/lending|' /etc/bebida/bebida.conf
      pkill -KILL bebidad; pkill -KILL liburnad || true
      tries=300
      until bebida check 2>&1 | grep 'we may do there what lending needs'; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || { bebida check; exit 1; }; sleep 0.2
      done
      """

    @Test(
      "OAR 2's jobs wait for pods to go; one that can't begin is submitted again, its bad node alone is Suspected"
    )
    func oar() throws {
      try TestLab.runShipped("bebida-oar") { (test) throws in
        try kubernetesHas(2, test)
        let found = try test.sh("server", "bebida check")
        #expect(
          found.contains("good     SERVER_PROLOGUE_EXEC_FILE is /etc/bebida/prolog"), "\(found)")
        // The end of a job while another one has cores of the same node opens nothing.
        _ = try test.sh("frontend", Self.twoOnANode, user: "user1")
        _ = try test.sh("server", Self.oneIsLeft)
        #expect(
          try test.sh("frontend", "kubectl get node node1 --no-headers").contains(
            "SchedulingDisabled"))
        _ = try test.sh("frontend", "touch ~user1/go-on")
        try kubernetesHas(2, test)
        // One node's agent is gone.
        _ = try test.sh(
          "node1", "mv /usr/local/bin/liburna-node /root/; pkill -x liburna-node || true")
        _ = try test.sh("frontend", Self.submitted, user: "user1")
        #expect(try test.sh("frontend", Self.failed, user: "user1") == Self.oneSuspected)
        _ = try test.sh("node1", "mv /root/liburna-node /usr/local/bin/")
        _ = try test.sh("frontend", Self.resubmitted, user: "user1")
        try kubernetesHas(2, test)
        // Nobody answers hooks, and then nobody listens to them.
        _ = try test.sh("server", "sed -i 's/hook prolog/& --limit 2/' /etc/bebida/prolog")
        _ = try test.sh("server", "pkill -STOP bebidad")
        _ = try test.sh("frontend", Self.submitted, user: "user1")
        _ = try test.sh("server", Self.launchEnded)
        _ = try test.sh("server", "pkill -CONT bebidad")
        _ = try test.sh("frontend", Self.resubmitted, user: "user1")
        _ = try test.sh("server", "pkill -KILL bebidad")
        _ = try test.sh("frontend", Self.submitted, user: "user1")
        _ = try test.sh("frontend", Self.ended, user: "user1")
        try kubernetesHas(2, test)
        #expect(try test.sh("server", "oarnotify -l | grep -c 'state = notActive' || true") == "0")
      }
    }

    /// A job that goes on is in `job`; another one on the same node ends.
    private static let twoOnANode = """
      cd
      submit() {
        oarsub -p "network_address='node1'" -l resource_id=1,walltime=0:2:0 "$1" | sed -n 's/^OAR_JOB_ID=//p'
      }
      submit 'until [ -e go-on ]; do sleep 0.2; done' >job
      short=$(submit true)
      tries=300
      until oarstat -s -j "$short" | grep -q Terminated && oarstat -s -j "$(cat job)" | grep -q Running; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || { oarstat; exit 1; }; sleep 0.2
      done
      """

    /// bebidad has seen the end of the other one.
    private static let oneIsLeft = """
      tries=300
      until bebida explain node1 | grep -qx "  jobs that hold it: $(cat ~user1/job)"; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || { bebida explain node1; exit 1; }; sleep 0.2
      done
      """

    /// A job of OAR's on both nodes; its number is in `job`.
    private static let submitted = """
      cd
      oarsub -l nodes=2,walltime=0:1:0 'touch "began.$OAR_JOB_ID"' | sed -n 's/^OAR_JOB_ID=//p' >job
      [ -s job ]
      """

    /// It has failed and left no trace of having begun; the nodes are as they are.
    private static let failed = """
      cd
      tries=300
      until oarstat -s -j "$(cat job)" | grep -q Error; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || { oarstat -f -j "$(cat job)"; exit 1; }; sleep 0.2
      done
      [ ! -e "began.$(cat job)" ]
      oarnodes -s | awk '/^[^ ]/ { node = $1 } /:/ && $3 { print node, $3 }' | sort -u
      """
    private static let oneSuspected = "node1 Suspected\nnode2 Alive"

    /// The launcher of the job was ended, and its hook waits for somebody to tell.
    private static let launchEnded = """
      job=$(cat ~user1/job)
      tries=300
      while pgrep -f "[b]ipbip $job" || ! pgrep -f "[h]ook prolog --limit 2 $job"; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || { ps ax; exit 1; }; sleep 0.2
      done
      """

    /// The job that OAR submitted in its place runs to its end.
    private static let resubmitted = """
      cd
      tries=300
      again() {
        oarstat -f -j "$(cat job)" | sed -n "s/.*Resubmiting job $(cat job) => \\([0-9]*\\)).*/\\1/p"
      }
      until [ -n "$(again)" ]; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || { oarstat -f -j "$(cat job)"; exit 1; }; sleep 0.2
      done
      again >job.new
      mv job.new job
      \(ended)
      """

    /// The job has run to its end.
    private static let ended = """
      cd
      tries=300
      until oarstat -s -j "$(cat job)" | grep -q Terminated; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || { oarstat -f -j "$(cat job)"; exit 1; }; sleep 0.2
      done
      [ -e "began.$(cat job)" ]
      """

    /// So many nodes are open in Kubernetes.
    private func kubernetesHas(_ count: Int, _ test: TestLab) throws {
      _ = try test.sh(
        "frontend",
        """
        tries=300
        until [ "$(kubectl get nodes --no-headers | awk '$2 == "Ready"' | wc -l)" -eq \(count) ]; do
          tries=$((tries - 1))
          [ $tries -gt 0 ] || { squeue; sinfo -N; kubectl get nodes; exit 1; }
          sleep 0.2
        done
        """)
    }

    /// Two jobs on one node, of which one ends; then one after the other on the same node.
    private static let shared = """
      cd
      long=$(sbatch --parsable -n 1 -w node1 --wrap 'sleep 8')
      short=$(sbatch --parsable -n 1 -w node1 --wrap 'true')
      tries=300
      until [ "$(scontrol -o show job "$short" | grep -o 'JobState=[A-Z]*')" = JobState=COMPLETED ]; do
        tries=$((tries - 1)); [ $tries -gt 0 ] || { squeue; exit 1; }; sleep 0.1
      done
      # One that ran before and after the node was seen open ran beside its pods.
      running() { squeue -h -t R -w node1 -o %A | sort; }
      closed() {
        while [ -n "$(squeue -h -w node1)" ]; do
          before=$(running)
          if kubectl get node node1 --no-headers | awk '{ exit $2 == "Ready" ? 0 : 1 }' &&
            [ -n "$before" ] && [ "$(running)" = "$before" ]; then
            echo "node1 was open beside $before"
            return
          fi
          sleep 0.1
        done
        echo closed
      }
      [ "$(closed)" = closed ] || { echo "beside the other"; exit 0; }
      for number in 1 2 3; do sbatch --parsable -w node1 --exclusive --wrap 'sleep 1' >/dev/null; done
      [ "$(closed)" = closed ] || { echo "back to back"; exit 0; }
      echo good
      """

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
