"""What happens to batch systems, brought about on a site; each scenario gives what was found, and whether it was right.
Sites are judged alike: by the witness, by when jobs begin, and by when nodes come back."""

import time

# Seconds that a job may wait: the grace of pods, the rest of the way, and Slurm's own second.
START = 5 + 2 + 1
# Seconds in which a node that no job has must be open again, Slurm's own time included.
BACK = 6
NODE = "-w node1 --exclusive"


class Found:
    """What was found in a scenario, in words, and whether all of it was right."""

    def __init__(self):
        self.words, self.is_right = [], True

    def add(self, is_right, good, bad):
        self.words.append(good if is_right else bad)
        self.is_right = self.is_right and is_right

    def time(self, seconds, limit, what):
        """Something took so long, or did not happen while it was waited for (None)."""
        if seconds is None:
            # As long as it was waited for.
            self.add(False, "", f"{what} never")
        else:
            self.add(seconds <= limit, f"{what} after {seconds:.1f} s", f"{what} only after {seconds:.1f} s")

    def witness(self, site, heeds_kubernetes=True):
        seen = site.witness.violations(heeds_kubernetes)
        late = " (one that came late stood still)" if site.witness.late else ""
        self.add(not seen, "no pod ran beside a job" + late, seen)


def back(site, found, node="node1", patience=15):
    found.time(site.until(patience, lambda: site.open(node)), BACK, f"{node} open")


def ended(site, job, patience=60):
    site.must(f"the end of job {job}", patience, lambda: site.state(job) in ("COMPLETED", "CANCELLED", "none"))


def begin(site, options, seconds, before=":"):
    job = site.submit(options, seconds, before)
    site.must(f"job {job} to run", 60, lambda: site.running("node1"))
    return job


def back_to_back(site, found):
    site.hook("epilog", "sleep 8")
    first = begin(site, NODE, 2)
    second = site.submit(NODE, 14)
    ended(site, first)
    ended(site, second)
    found.witness(site)


def shared(site, found):
    long = begin(site, "-n 1 -w node1", 22)
    short = site.submit("-n 1 -w node1", 1)
    ended(site, short)
    ended(site, long)
    found.witness(site)
    back(site, found)


def suspended(site, found):
    first = begin(site, NODE, 90)
    site.slurm(f"scontrol suspend {first}")
    second = site.submit(NODE, 2)
    site.must("the second job to run", 40, lambda: site.state(second) in ("RUNNING", "COMPLETED"))
    ended(site, second)
    time.sleep(3)
    site.slurm(f"scontrol resume {first}")
    time.sleep(5)
    found.witness(site)
    site.slurm(f"scancel {first}")
    back(site, found)


def requeued(site, found):
    job = begin(site, NODE, 30, "trap '' TERM")
    site.slurm(f"scontrol requeue {job}")
    site.must("its processes to end", 30, lambda: not site.running("node1"))
    found.witness(site)
    site.slurm(f"scancel {job}")
    back(site, found)


def shrunk(site, found):
    job = site.submit("-N 2 --exclusive", 25)
    site.must("the job to run, with both nodes closed", 60,
              lambda: site.running("node1") and not site.open("node1") and not site.open("node2"))
    site.slurm(f"cd /tmp; scontrol update jobid={job} numnodes=1")
    back(site, found, "node2", patience=12)
    site.slurm(f"scancel {job}")
    ended(site, job)
    if not site.open("node2"):
        site.until(10, lambda: site.open("node1"))
        time.sleep(5)
        found.add(site.open("node2"), "", "and still closed after the job")
    found.witness(site)


def failed_epilog(site, found):
    site.hook("epilog", "exit 1")
    job = begin(site, NODE, 1)
    ended(site, job)
    back(site, found)


def killed_epilog(site, found):
    site.hook("epilog", "kill -KILL $$")
    job = begin(site, NODE, 1)
    ended(site, job)
    back(site, found)


def cancelled(site, found):
    job = site.submit(NODE, 5)
    site.must("the hook to begin", 20, lambda: site.state(job) in ("CONFIGURING", "RUNNING"))
    time.sleep(0.5)
    site.slurm(f"scancel {job}")
    ended(site, job)
    back(site, found)
    found.witness(site)


def controller_restarted(site, found):
    job = site.submit(NODE, 5)
    site.must("the hook to begin", 20, lambda: site.state(job) in ("CONFIGURING", "RUNNING"))
    site.slurm("pkill -KILL -x slurmctld")
    found.time(site.until(60, lambda: site.running("node1")), 60, "job begins")
    ended(site, job, 90)
    found.witness(site)
    back(site, found)


def budget(site, found):
    site.sh("server", "kubectl create poddisruptionbudget lent --selector=app=lent --max-unavailable=0")
    try:
        site.submit(NODE, 3)
        found.time(site.until(20, lambda: site.running("node1")), START, "job begins")
        found.witness(site)
    finally:
        site.sh("server", "kubectl delete poddisruptionbudget lent")


def api_stands_still(site, found):
    site.sh("server", "pkill -STOP kube-apiserver")
    try:
        job = site.submit(NODE, 3)
        found.time(site.until(20, lambda: site.running("node1")), START, "job begins")
        found.witness(site, heeds_kubernetes=False)
        site.slurm(f"scancel {job}")
    finally:
        site.sh("server", "pkill -CONT kube-apiserver")


def api_away(site, found):
    # Whoever asks is refused at once.
    site.sh("server", "iptables -A INPUT -p tcp --dport 6443 -j REJECT --reject-with tcp-reset")
    try:
        begun = time.monotonic()
        code, output = site.try_sh("frontend", "cd; srun -w node1 --exclusive true", user="user1", patience=25)
        if code == 0:
            found.time(time.monotonic() - begun, START, "interactive job done")
        else:
            found.add(False, "", f"interactive job ended: {output.splitlines()[-1] if output else code}")
    finally:
        site.sh("server", "iptables -F INPUT")


def power_failure(site, found):
    job = begin(site, NODE + " --no-requeue", 60)
    site.lab("kill", "node1")
    # Slurm would find out by itself, half a minute later.
    site.slurm("scontrol update nodename=node1 state=down reason=story")
    site.must("the job to go", 30, lambda: site.state(job) not in ("RUNNING", "COMPLETING"))
    time.sleep(4)
    found.add(not site.open("node1"), "not lent while it is down", "lent while it is down")
    site.start_again()
    site.must("Slurm to have node1", 60, lambda: site.slurm("sinfo -hN -n node1 -o %T") == "idle")
    back(site, found, patience=30)
    found.witness(site)


def cordoned(site, found):
    site.sh("server", "kubectl cordon node1")
    site.must("the cordon to be seen", 10, lambda: not site.open("node1"))
    try:
        ended(site, begin(site, NODE, 2))
        found.add(site.until(10, lambda: site.open("node1")) is None, "the administrator's cordon is kept",
                  "the administrator's cordon is undone")
    finally:
        site.sh("server", "kubectl uncordon node1")


SCENARIOS = [
    ("jobs back to back, the first one's epilog is slow", back_to_back),
    ("two jobs share a node, one ends", shared),
    ("a job is suspended, another one runs, it goes on", suspended),
    ("a running job is requeued and ends slowly", requeued),
    ("a job of two nodes gives one back", shrunk),
    ("the epilog fails", failed_epilog),
    ("the epilog is killed", killed_epilog),
    ("a job is cancelled while its node is emptied", cancelled),
    ("Slurm's controller is killed while a node is emptied", controller_restarted),
    ("a disruption budget lets no pod go", budget),
    ("Kubernetes' API stands still", api_stands_still),
    ("Kubernetes' API refuses connections, interactive job", api_away),
    ("an administrator has cordoned the node", cordoned),
    ("a node loses its power under a job, and boots", power_failure),
]
