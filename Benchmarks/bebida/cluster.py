"""A site to time hand-overs on: a real API server, its nodes registered by hand, stand-ins for kubelets, and
bebidad with a real agent for every node. Of Slurm there is only what its commands would print."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from api import Api

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
TAINT = "bebida.liburna.io/batch"
# Seconds for anything that is waited for.
PATIENCE = 180

SCONTROL = """#!/bin/sh
# scontrol show hostnames n[1-N] | n1
case $3 in
  *-*) last=${3##*-}; seq -f n%.0f 1 "${last%]}" ;;
  *) echo n1 ;;
esac
"""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def groups_root():
    """Where cgroups are made: the freezer of version 1 where there is one, as the agent does it."""
    found = {}
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            fields, _, rest = line.partition(" - ")
            kind, _, options = rest.split()
            if kind == "cgroup" and "freezer" in options.split(","):
                found[1] = fields.split()[4]
            elif kind == "cgroup2":
                found.setdefault(2, fields.split()[4])
    if not found:
        raise RuntimeError("no cgroups are mounted")
    return found[min(found)]


class Site:
    def __init__(self, binaries, nodes):
        self.binaries, self.names = os.path.abspath(binaries), [f"n{number + 1}" for number in range(nodes)]
        self.folder = tempfile.mkdtemp(prefix="liburna-bebida-")
        self.root = f"/bench-bebida-{os.getpid()}"
        self.groups = groups_root() + self.root
        self.children = []
        self.closed = {}
        self.changed = threading.Condition()

    def path(self, name):
        return f"{self.folder}/{name}"

    def write(self, name, text, mode=0o644):
        """Replaces a file as a whole."""
        with open(self.path(name + ".new"), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name + ".new"), mode)
        os.rename(self.path(name + ".new"), self.path(name))

    def spawn(self, words, wait_for_ready=True, **options):
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)
        self.children.append(child)
        if wait_for_ready and (said := child.stdout.readline()) != "ready\n":
            raise RuntimeError(f"{words[0]}: {said}{child.stdout.read()}")
        return child

    # What there is.

    def start(self):
        builder = TOP / "Sources/Lab/Compositions/Shipped/build-kubernetes"
        built = subprocess.run(["sh", builder], capture_output=True, text=True, check=True)
        programs = built.stdout.split()[-1]
        ports = free_ports(3)
        # The server makes its folder itself.
        self.spawn(["sh", TOP / "Tests/KubernetesFixture/serve", self.path("api"), programs, *ports])
        self.api = Api(int(ports[0]), self.path("api"))
        self.write("kubeconfig", f"""apiVersion: v1
kind: Config
clusters:
- name: c
  cluster: {{server: "https://127.0.0.1:{ports[0]}", certificate-authority: {self.path("api/ca.crt")}}}
users: [{{name: u, user: {{token: admin-token}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
""", 0o600)
        for name in self.names:
            self.api.must("POST", "/api/v1/nodes", {"metadata": {"name": name}})
            os.makedirs(f"{self.groups}/{name}/kubepods")
        self.thread(self.follow_nodes)
        self.spawn([HERE / "kubelets", ports[0], self.path("api"), self.groups])
        self.start_lender(os.path.dirname(os.path.realpath(f"{programs}/kubectl")))

    def start_lender(self, kubectl):
        os.mkdir(self.path("bin"))
        self.write("bin/scontrol", SCONTROL, 0o755)
        self.write("bin/sinfo", f"#!/bin/sh\nexec cat {self.path('hosts')}\n", 0o755)
        self.write("bin/squeue", f"#!/bin/sh\nexec cat {self.path('jobs')}\n", 0o755)
        os.symlink(f"{kubectl}/kubectl", self.path("bin/kubectl"))
        os.symlink(f"{self.binaries}/liburna", self.path("bin/bebida"))
        os.symlink(f"{self.binaries}/liburnad", self.path("bin/bebidad"))
        self.write("hosts", "".join(f"{name}|idle|none\n" for name in self.names))
        self.write("jobs", "")
        for name in self.names:
            os.makedirs(self.path(f"hosts.d/{name}/state"))
            os.makedirs(self.path(f"hosts.d/{name}/run"))
        place = self.path("hosts.d/{host}")
        agent = (f"{self.binaries}/liburna-node agent --host {{host}} --state {place}/state --run {place}/run"
                 f" --cgroup-root {self.root}/{{host}} --no-cpuset")
        self.write("bebida.conf", f"""BEBIDA_KUBECONFIG="{self.path('kubeconfig')}"
BEBIDA_BATCH="slurm"
BEBIDA_GRACE="5"
BEBIDA_POD_CGROUPS="kubepods"
BEBIDA_INTENTS="{self.path('intents')}"
BEBIDA_SLURM_PATH="{self.path('bin')}:/usr/bin:/bin"
LIBURNA_SOCKET="{self.path('socket')}"
LIBURNA_NODE_COMMAND="{agent}"
""")
        self.environment = {"BEBIDACONFFILE": self.path("bebida.conf"), "PATH": "/usr/bin:/bin"}
        with open(self.path("log"), "w", encoding="utf-8") as log:
            self.spawn([self.path("bin/bebidad")], False, env=self.environment, stderr=log)
        self.wait(lambda: self.lent() == len(self.names), "all nodes to be lent")

    def lent(self):
        shown = subprocess.run([self.path("bin/bebida"), "status"], env=self.environment, capture_output=True,
                               text=True, check=False).stdout
        return shown.count(" KUBE ")

    def thread(self, body):
        threading.Thread(target=body, daemon=True).start()

    def follow_nodes(self):
        """Keeps which nodes are closed, and since when."""
        for _, node in self.api.follow("/api/v1/nodes"):
            spec = node["spec"]
            is_closed = bool(spec.get("unschedulable")) or any(
                taint["key"] == TAINT for taint in spec.get("taints", []))
            name = node["metadata"]["name"]
            with self.changed:
                if is_closed:
                    self.closed.setdefault(name, time.monotonic())
                else:
                    self.closed.pop(name, None)
                self.changed.notify_all()

    def wait(self, is_over, what):
        deadline = time.monotonic() + PATIENCE
        while not is_over():
            if time.monotonic() > deadline:
                with open(self.path("log"), encoding="utf-8") as file:
                    raise RuntimeError(f"waited {PATIENCE} s for {what}\n{file.read()[-2000:]}")
            time.sleep(0.05)

    # What happens.

    def fill(self, prefix, count, names):
        """As many pods on every one of these nodes, placed by hand; returns once they run."""
        for number in range(count):
            for name in names:
                self.api.must("POST", "/api/v1/namespaces/default/pods", {
                    "metadata": {"name": f"{prefix}-{name}-{number}"},
                    "spec": {"nodeName": name, "restartPolicy": "Never", "terminationGracePeriodSeconds": 30,
                             "containers": [{"name": "main", "image": "none"}]}})
        path = "/api/v1/pods?fieldSelector=status.phase%3DRunning"
        self.wait(lambda: len(self.api.must("GET", path)["items"]) == count * len(names), "pods to run")

    def empty(self):
        """No pods any more."""
        self.api.must("DELETE", "/api/v1/namespaces/default/pods", {"gracePeriodSeconds": 0})
        self.wait(lambda: not self.api.must("GET", "/api/v1/pods")["items"] and not self.processes(self.names),
                  "pods to go")

    def processes(self, names):
        """How many processes of pods are left on nodes, as the kernel says."""
        count = 0
        for name in names:
            for place, _, _ in os.walk(f"{self.groups}/{name}/kubepods"):
                try:
                    with open(f"{place}/cgroup.procs", encoding="utf-8") as file:
                        count += len(file.read().split())
                except OSError:
                    pass  # gone meanwhile
        return count

    def hook(self, words, job, names, **environment):
        """Runs a hook as Slurm's controller does."""
        hosts = names[0] if len(names) == 1 else f"n[1-{len(names)}]"
        done = subprocess.run(words, env=environment | {"SLURM_JOB_ID": job, "SLURM_JOB_NODELIST": hosts},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{words[0]} ended with {done.returncode}: {done.stdout[-2000:]}")

    def by_bebida(self, moment, job, names):
        hosts = names[0] if len(names) == 1 else f"n[1-{len(names)}]"
        self.write("jobs", f"{job}|CONFIGURING|{hosts}||\n" if moment == "prolog" else "")
        self.hook([self.path("bin/bebida"), "hook", moment], job, names, **self.environment,
                  SLURM_SCRIPT_CONTEXT=f"{moment}_slurmctld")

    def by_drain(self, moment, job, names):
        self.hook([HERE / f"drain-{moment}"], job, names, DRAIN_PATH=f"{self.path('bin')}:/usr/bin:/bin",
                  KUBECONFIG=self.path("kubeconfig"), HOME=self.path("home"))

    def hand_over(self, hooks, job, names):
        """Seconds until the job may begin, node seconds in which closed nodes were nobody's, processes of pods
        that are left then, and seconds until all nodes are given back."""
        begin = time.monotonic()
        hooks("prolog", job, names)
        end = time.monotonic()
        left = self.processes(names)
        with self.changed:
            idle = sum(max(0, end - self.closed.get(name, end)) for name in names)
        back = time.monotonic()
        hooks("epilog", job, names)
        with self.changed:
            if not self.changed.wait_for(lambda: not self.closed, timeout=PATIENCE):
                raise RuntimeError(f"{len(self.closed)} nodes did not come back")
        return end - begin, idle, left, time.monotonic() - back

    def stop(self):
        for child in reversed(self.children):
            child.stdin.close()
            if child.args[0] == self.path("bin/bebidad"):
                child.terminate()
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
        for place, _, _ in os.walk(self.groups):
            if os.path.exists(f"{place}/freezer.state"):
                with open(f"{place}/freezer.state", "w", encoding="utf-8") as file:
                    file.write("THAWED")
        for _ in range(50):
            for place, _, _ in os.walk(self.groups, topdown=False):
                try:
                    os.rmdir(place)
                except OSError:
                    pass
            if not os.path.exists(self.groups):
                break
            time.sleep(0.1)
        shutil.rmtree(self.folder, ignore_errors=True)
