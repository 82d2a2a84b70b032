"""The lab that a story runs in: started from a composition with more users, nodes and cores, commands run
in its hosts, and questions asked of its PostgreSQL database over one connection that stays open."""

import json
import os
import pty
import select
import subprocess
import threading
import time

# Users of the workload: the scenes' own, and those whose arrays fill the rest. OAR 2 looks at 30 waiting jobs
# of a user at most, so the two must not be the same.
USERS = ["user1", "user2", "user3", "user4", "user5"]
# Nodes that jobs of all kinds share; each of the others belongs to one scene at a time.
SHARED_NODES = 2
CORES = 8
# Seconds after which a command in the lab counts as hanging.
PATIENCE = 300


class LabError(Exception):
    """Something that the lab was asked to do went wrong; says what."""


class Lab:
    """One running lab."""

    def __init__(self, name, programs, composition, lanes, place, packages=()):
        self.name = name
        self.liburna = os.path.join(programs, "liburna")
        self.composition = composition
        self.lanes = [f"node{SHARED_NODES + 1 + lane}" for lane in range(lanes)]
        self.place = place
        self.packages = list(packages)
        self.database = None

    def start(self):
        """Starts the lab with what the workload needs beside the composition."""
        path = os.path.join(self.place, f"{self.name}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(
                {
                    "name": "story-oar2",
                    "extends": self.composition,
                    "users": USERS,
                    "variables": {"OAR_CORES": str(CORES)},
                    "volumes": swift_libraries(os.path.dirname(self.liburna)),
                    "roles": {"node": {"count": SHARED_NODES + len(self.lanes)}}
                    | ({"server": {"packages": self.packages}} if self.packages else {}),
                },
                file,
            )
        self.call("start", "-c", path, "--timeout", "600")
        self.database = Database(self)

    def stop(self):
        if self.database is not None:
            self.database.close()
            self.database = None
        self.call("stop")

    def call(self, command, *words):
        """One command of `liburna lab`; an error has what it wrote."""
        done = subprocess.run(
            [self.liburna, "lab", command, "--name", self.name, *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1200, check=False)
        if done.returncode != 0:
            raise LabError(f"liburna lab {command} {' '.join(words)}: {done.stderr[-2000:]}{done.stdout[-2000:]}")
        return done.stdout

    def run(self, host, *words, user="root", text=None):
        """A command in a host: exit code, what it wrote, its errors."""
        done = subprocess.run(
            [self.liburna, "lab", "exec", "--name", self.name, "-l", user, host, "--", *words],
            input=text if text is not None else "", capture_output=True, text=True, timeout=PATIENCE,
            check=False)
        return done.returncode, done.stdout, done.stderr

    def terminal(self, host, *words, user, after, text, patience):
        """A command on a terminal of a host. Once it has shown `after` and rested for a second, `text` is typed.
        All that it showed; after `patience` seconds it is ended."""
        ours, its = pty.openpty()
        process = subprocess.Popen(
            [self.liburna, "lab", "exec", "-t", "--name", self.name, "-l", user, host, "--", *words],
            stdin=its, stdout=its, stderr=its, start_new_session=True)
        os.close(its)
        shown, typed, end = "", 0, time.monotonic() + patience
        try:
            while time.monotonic() < end:
                if select.select([ours], [], [], 1)[0]:
                    try:
                        data = os.read(ours, 4096)
                    except OSError:
                        break
                    if not data:
                        break
                    shown += data.decode(errors="replace")
                elif process.poll() is not None:
                    break
                # A shell that is not yet ready forgets what was typed: it is told again.
                elif after in shown and typed < 5:
                    os.write(ours, text.encode())
                    typed += 1
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=10)
            os.close(ours)
        return shown

    def must(self, host, *words, user="root", text=None):
        """As `run`, where anything but success ends the story."""
        code, out, errors = self.run(host, *words, user=user, text=text)
        if code != 0:
            raise LabError(f"{host}: {' '.join(words)[:300]} ended with {code}: {errors[-1000:]}{out[-1000:]}")
        return out


def swift_libraries(programs):
    """Volumes with the Swift libraries that programs built for debugging look for; shipped ones need none."""
    found = set()
    for program in ("liburnad", "kamelot", "kao"):
        path = os.path.join(programs, program)
        if os.path.exists(path):
            needs = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
            found |= {os.path.dirname(word) for word in needs.split() if word.startswith("/") and "/libswift" in word}
    return [f"{directory}:{directory}:ro" for directory in sorted(found)]


class Database:
    """One psql that stays open on the server; safe for several threads."""

    END = "the-answer-ends-here"

    def __init__(self, lab):
        self.lock = threading.Lock()
        self.process = subprocess.Popen(
            [lab.liburna, "lab", "exec", "--name", lab.name, "-w", "/", "server", "--",
             "su", "postgres", "-c", "psql -qAtX -d oar -v ON_ERROR_STOP=0"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)

    def lines(self, sql):
        """The answer's lines; the fields of a row are parted by `|`."""
        with self.lock:
            self.process.stdin.write(f"{sql};\n\\echo {self.END}\n")
            self.process.stdin.flush()
            answer = []
            while True:
                line = self.process.stdout.readline()
                if not line:
                    raise LabError("the database has closed the story's connection")
                if line.rstrip("\n") == self.END:
                    break
                answer.append(line.rstrip("\n"))
        if answer and answer[0].startswith("ERROR:"):
            raise LabError(f"{sql}: {answer[0]}")
        return answer

    def rows(self, sql):
        """The answer's rows as dictionaries, with JSON's types."""
        return [json.loads(line) for line in self.lines(f"select row_to_json(answer) from ({sql}) answer")]

    def value(self, sql):
        """The only value of an answer."""
        return self.lines(sql)[0]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
