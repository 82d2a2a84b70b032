"""What a scene of the workload does things with: it submits jobs, waits for their states, opens gates for
them, and calls OAR's commands, as users do on the frontend. Everything is recorded for the comparison."""

import os
import re
import threading
import time

# Seconds that a state is waited for: a whole pass of OAR 2 may come only after 60. On a machine that has other
# things to do it may take so many times as long.
STATE_PATIENCE = 240
MOST_BUSY = 3
# Seconds between two looks at the states of all jobs.
LOOK = 0.4
ENDED = ("Terminated", "Error")


class SceneError(Exception):
    """A scene could not go on; says which and why."""


def business():
    """How many times as long as on a quiet machine things may take now."""
    return min(max(1, os.getloadavg()[0] / (os.cpu_count() or 1) / 4), MOST_BUSY)


class States:
    """The states of all jobs, looked at once for all scenes."""

    def __init__(self, database):
        self.database = database
        self.changed = threading.Condition()
        self.of = {}
        self.ends = False
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.ends:
            now = {}
            for line in self.database.lines("select job_id, state, resubmit_job_id from jobs"):
                job, state, parent = line.split("|")
                now[int(job)] = (state, int(parent))
            with self.changed:
                self.of = now
                self.changed.notify_all()
            time.sleep(LOOK)

    def until(self, what, condition):
        """Waits until `condition` of all states is true, and returns its value."""
        patience = int(STATE_PATIENCE * business())
        end = time.monotonic() + patience
        with self.changed:
            while True:
                found = condition(self.of)
                if found:
                    return found
                left = end - time.monotonic()
                if left <= 0:
                    raise SceneError(f"after {patience} s: {what}")
                self.changed.wait(min(left, 2 * LOOK))

    def stop(self):
        self.ends = True
        self.thread.join(timeout=30)


class Job:
    """A job that was submitted, and how it is expected to end."""

    def __init__(self, number, name):
        self.number = number
        self.name = name

    def __str__(self):
        return str(self.number)


class Stage:
    """The place of one scene: a node of its own, a user, and a name that all its jobs bear."""

    def __init__(self, lab, states, record, scene, node, user):
        self.lab = lab
        self.states = states
        self.record = record
        self.scene = scene
        self.node = node
        self.user = user
        self.jobs = 0

    def command(self, *words, user=None, host="frontend"):
        """One of OAR's commands as the user, recorded; its exit code, output and errors."""
        code, out, errors = self.lab.run(host, *words, user=user or self.user)
        self.record.command(self.scene, words, code, out, errors)
        return code, out, errors

    def submit(self, *options, state="Terminated", exit_code=0, shared=False, user=None, of=None,
               may_be_refused=False):
        """Submits what `options` say and returns the jobs, which bear the scene's name and a number. `state`
        and `exit_code` are what they are expected to end with; an exit code that is nobody's is None."""
        self.jobs += 1
        name = f"{self.scene}.{self.jobs}"
        where = [] if of else ["-p", "host in ('node1','node2')" if shared else f"host = '{self.node}'"]
        words = ["oarsub", "-n", name, *where, *options]
        code, out, errors = self.command(*words, user=user)
        numbers = [int(found) for found in re.findall(r"^OAR_JOB_ID=(\d+)$", out, re.MULTILINE)]
        if not numbers and not (may_be_refused and code != 0):
            raise SceneError(f"{self.scene}: oarsub ended with {code}: {out}{errors}")
        jobs = [Job(number, name) for number in numbers]
        for index, job in enumerate(jobs):
            wanted = exit_code(index + 1) if callable(exit_code) else exit_code
            self.record.expect(name, index + 1, job.number, state, wanted)
        return jobs

    def one(self, *options, **expected):
        """Submits one job."""
        return self.submit(*options, **expected)[0]

    def session(self, *options, says):
        """An interactive submission on a terminal; `says` is typed once its shell is there. The number of the
        job, and all that was shown."""
        self.jobs += 1
        name = f"{self.scene}.{self.jobs}"
        shown = self.lab.terminal(
            "frontend", "oarsub", "-n", name, "-p", f"host = '{self.node}'", *options, user=self.user,
            after="Connect to OAR job", text=says + "\n", patience=STATE_PATIENCE)
        found = re.search(r"OAR_JOB_ID=(\d+)", shown)
        if not found:
            raise SceneError(f"{self.scene}: oarsub -I made no job: {shown}")
        self.record.expect(name, 1, int(found.group(1)), None, None)
        return int(found.group(1)), shown

    def refused(self, *options):
        """A submission that makes no job."""
        code, out, _ = self.command("oarsub", "-n", f"{self.scene}.refused", *options)
        if code == 0 or re.search(r"^OAR_JOB_ID=\d+$", out, re.MULTILINE):
            raise SceneError(f"{self.scene}: {' '.join(options)} was not refused: {code} {out}")

    def until(self, job, *states):
        """Waits until the job is in one of the states; an end that is none of them is an error at once."""

        def look(of):
            state = of.get(job.number, ("", 0))[0]
            if state in states:
                return state
            if state in ENDED:
                raise SceneError(f"{self.scene}: job {job.name} is {state}, not {' or '.join(states)}")
            return None

        return self.states.until(f"job {job.name} ({job.number}) is not {' or '.join(states)}", look)

    def ends(self, *jobs):
        for job in jobs:
            self.until(job, *ENDED)

    def again(self, job):
        """The job that was made by submitting this one again."""

        def look(of):
            return next((number for number, (_, parent) in of.items() if parent == job.number), None)

        return Job(self.states.until(f"job {job.name} ({job.number}) was not submitted again", look), job.name)

    def gate(self, name):
        """A command that ends when `open_gate` is called with the same name, or after ten minutes."""
        return f"n=0; until [ -e ~/gate.{self.scene}.{name} ] || [ $n -ge 3000 ]; do sleep 0.2; n=$((n+1)); done"

    def open_gate(self, name, user=None):
        self.lab.must("frontend", "sh", "-c", 'touch "$HOME/gate.$1"', "sh", f"{self.scene}.{name}",
                      user=user or self.user)

    def rest(self, seconds):
        """Lets time pass, where a job shall have run for a while."""
        time.sleep(seconds)


class Record:
    """What was called and expected, kept beside the tables."""

    def __init__(self):
        self.lock = threading.Lock()
        self.commands = []
        self.expected = []

    def command(self, scene, words, code, out, errors):
        with self.lock:
            self.commands.append(
                {"scene": scene, "words": list(words), "code": code, "out": out, "errors": errors})

    def expect(self, name, index, number, state, exit_code):
        with self.lock:
            self.expected.append(
                {"name": name, "index": index, "job": number, "state": state, "exit_code": exit_code})
