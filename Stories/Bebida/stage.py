"""A lab with Slurm and Kubernetes on the same nodes, and a witness that looks at it from outside: which processes are
on a node, as the kernel says, and whether Kubernetes may place pods there."""

import collections
import glob
import os
import re
import subprocess
import threading
import time

# Seconds after which a command in the lab counts as hanging.
PATIENCE = 120
# Seconds between two looks, and how many in a row count: what Kubernetes says comes a moment late.
PAUSE, LOOKS = 0.1, 3

# Pods of which each node has one at most, so that an open node gets one as soon as it can.
PODS = """apiVersion: apps/v1
kind: Deployment
metadata: {name: lent}
spec:
  replicas: 2
  selector: {matchLabels: {app: lent}}
  template:
    metadata: {labels: {app: lent}}
    spec:
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: lent}}}
      containers:
        - name: main
          image: busybox:lab
          imagePullPolicy: Never
          command: [sh, -c, "trap 'exit 0' TERM; sleep 100000 & wait"]
"""


class StoryError(Exception):
    """Something could not be brought about; says what."""


class Site:
    def __init__(self, name, programs, composition):
        self.name, self.composition = name, composition
        self.liburna = os.path.join(os.path.abspath(programs), "liburna")
        self.witness = Witness(self)

    # The lab.

    def start(self):
        self.lab("start", "-c", self.composition, "-n", "2", "--timeout", "600")
        self.sh("server", "for name in prolog epilog; do cp -p /etc/bebida/$name /etc/bebida/$name.own; done")
        self.sh("server", "kubectl apply -f -", text=PODS)
        self.witness.start()
        self.settle()

    def start_again(self):
        """Hosts that are down boot."""
        self.lab("start", "--keep", "-c", self.composition, "-n", "2", "--timeout", "600")

    def stop(self):
        self.witness.stop()
        self.lab("stop")

    def lab(self, command, *words):
        done = subprocess.run([self.liburna, "lab", command, "--name", self.name, *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode != 0:
            raise StoryError(f"liburna lab {command}: {done.stderr[-2000:]}{done.stdout[-2000:]}")

    def words(self, host, user, *words):
        return [self.liburna, "lab", "exec", "--name", self.name, "-l", user, host, "--", *words]

    def try_sh(self, host, script, user="root", text="", patience=PATIENCE):
        """The exit code of a script, and all that it wrote; 124 if it hangs."""
        done = subprocess.run(self.words(host, user, "timeout", str(patience), "sh", "-euc", script), input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout.strip()

    def sh(self, host, script, **options):
        code, output = self.try_sh(host, script, **options)
        if code != 0:
            raise StoryError(f"{host}: {script}\nended with {code}: {output[-2000:]}")
        return output

    def slurm(self, script):
        return self.sh("server", script)

    def hook(self, moment, before):
        """Has Slurm's hook do something before its own work; nothing with an empty text."""
        text = f"#!/bin/sh\n{before}\nexec /etc/bebida/{moment}.own\n"
        self.sh("server", f"cat >/etc/bebida/{moment}.new; chmod 755 /etc/bebida/{moment}.new; "
                          f"mv /etc/bebida/{moment}.new /etc/bebida/{moment}", text=text)

    # Jobs.

    def submit(self, options, seconds, before=":"):
        """A batch job that sleeps; its number."""
        # The kernel names its process after the script, slurm_script, by which the witness knows it.
        text = f"#!/bin/sh\n{before}\nsleep {seconds}\n"
        return self.sh("frontend", f"cd; sbatch --parsable --output=/dev/null {options}", user="user1", text=text)

    def state(self, job):
        code, output = self.try_sh("server", f"scontrol -o show job {job}")
        found = re.search(r"JobState=(\w+)", output)
        return found[1] if code == 0 and found else "none"

    def running(self, node):
        """Whether a process of a job is on a node."""
        return bool(self.witness.jobs.get(node))

    def open(self, node):
        return self.witness.open.get(node, False)

    def until(self, seconds, is_true):
        """Seconds until something is true; None if it is not within so many."""
        begin = time.monotonic()
        while time.monotonic() - begin <= seconds:
            if is_true():
                return time.monotonic() - begin
            time.sleep(PAUSE)
        return None

    def must(self, what, seconds, is_true):
        if self.until(seconds, is_true) is None:
            raise StoryError(f"waited {seconds} s for {what}; {self.picture()}")

    def picture(self):
        return self.try_sh("server", "squeue; sinfo -N; kubectl get nodes; kubectl get pods -o wide", patience=10)[1]

    def settle(self):
        """Nothing runs, all nodes are open, each has its pod. What the drain scripts left is mended by hand."""
        for moment in ("prolog", "epilog"):
            self.hook(moment, "")
        self.slurm("""scancel --user=user1 2>/dev/null || true
            pkill -CONT kube-apiserver || true
            iptables -F INPUT || true
            for node in node1 node2; do scontrol update nodename=$node state=resume 2>/dev/null || true; done""")
        self.must("jobs to go", 60, lambda: self.slurm("squeue -h | wc -l") == "0")
        if self.until(15, lambda: self.open("node1") and self.open("node2")) is None:
            self.sh("server", "kubectl uncordon node1 node2")
            self.must("nodes to be open", 30, lambda: self.open("node1") and self.open("node2"))
        self.must("pods to run", 60, lambda: all(self.witness.pods.get(node) for node in ("node1", "node2")))


class Witness:
    """Looks at the lab's processes again and again."""

    def __init__(self, site):
        self.site = site
        self.pods, self.jobs, self.open = {}, {}, {}
        self.watch = None
        self.is_over = False
        self.forget()

    def start(self):
        threading.Thread(target=self.follow, daemon=True).start()
        threading.Thread(target=self.look, daemon=True).start()

    def stop(self):
        self.is_over = True
        if self.watch is not None:
            self.watch.kill()

    def forget(self):
        """Begins anew; what is found from now on counts."""
        self.beside = collections.Counter()
        self.opened = collections.Counter()
        self.row = collections.Counter()
        # Looks that found processes of pods which came late and stood still.
        self.late = 0

    def violations(self, heeds_kubernetes=True):
        """What no job should see, in words; empty if there was nothing."""
        beside, opened = sum(self.beside.values()), sum(self.opened.values())
        words = [f"pods ran beside a job for {beside * PAUSE:.1f} s"] if beside else []
        if opened and heeds_kubernetes:
            words.append(f"node open beside a job for {opened * PAUSE:.1f} s")
        return ", ".join(words)

    def look(self):
        name = f"liburna-lab-{self.site.name}-*"
        # The freezer of version 1, which jobs and pods are both in, or version 2 as a whole.
        place = next(place for top in ("/sys/fs/cgroup/freezer", "/sys/fs/cgroup")
                     for place in glob.iglob(f"{top}/**/{name}", recursive=True))
        while not self.is_over:
            begin = time.monotonic()
            pods, frozen, jobs = {}, {}, {}
            for node in ("node1", "node2"):
                for group, processes in self.groups(f"{place}/{node}"):
                    if "/kubepods" in group:
                        place_of = frozen if self.is_frozen(group) else pods
                        place_of.setdefault(node, []).extend(processes)
                    elif any(self.is_of_job(process) for process in processes):
                        jobs[node] = True
            self.late += any(frozen.get(node) for node in jobs)
            self.judge({node: some for node, some in pods.items() if some}, jobs)
            time.sleep(max(0.01, PAUSE - (time.monotonic() - begin)))

    @staticmethod
    def groups(top):
        """The cgroups of a host, with their processes."""
        for group, _, _ in os.walk(top):
            try:
                with open(f"{group}/cgroup.procs", encoding="utf-8") as file:
                    yield group, file.read().split()
            except OSError:
                pass  # it is gone

    @staticmethod
    def is_frozen(group):
        """Whether none of its processes can run, as on a closed node those that a kubelet starts all the same."""
        for name, word in (("freezer.state", "FROZEN"), ("cgroup.events", "frozen 1")):
            try:
                with open(f"{group}/{name}", encoding="utf-8") as file:
                    return word in file.read()
            except OSError:
                continue
        return False

    @staticmethod
    def is_of_job(process):
        try:
            with open(f"/proc/{process}/cmdline", encoding="utf-8", errors="replace") as file:
                return "slurm_script" in file.read()
        except OSError:
            return False  # it has ended

    def judge(self, pods, jobs):
        self.pods, self.jobs = pods, jobs
        for node in jobs:
            self.count("beside", node, node in pods, self.beside)
            self.count("open", node, self.open.get(node, False), self.opened)

    def count(self, what, node, is_so, counter):
        self.row[what, node] = self.row[what, node] + 1 if is_so else 0
        if self.row[what, node] == LOOKS:
            counter[node] += LOOKS
        elif self.row[what, node] > LOOKS:
            counter[node] += 1

    def follow(self):
        columns = "custom-columns=N:.metadata.name,U:.spec.unschedulable"
        while not self.is_over:
            self.watch = subprocess.Popen(
                self.site.words("frontend", "root", "kubectl", "get", "nodes", "-w", "--no-headers", "-o", columns),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            for line in self.watch.stdout:
                name, _, is_closed = line.strip().partition(" ")
                self.open[name] = is_closed.strip() != "true"
            time.sleep(0.5)
