"""Measures how long users wait: from `oarsub` to the first instruction of a job on an idle cluster, from the
end of a job to the start of the next that waited for its nodes, and 100 times `oarsub` in a row."""

import statistics
import time

from lab import LabError
from stage import States

TRIALS = 7
SUBMISSIONS = 100
# A job writes the time, by the clock that all hosts of a lab share, into its user's home.
SAYS_WHEN = 'date +%s.%N >"$HOME/when.$OAR_JOB_NAME"'
USER = "user1"


class Trials:
    """Jobs that say when they did something."""

    def __init__(self, lab):
        self.lab = lab
        self.states = States(lab.database)
        self.number = 0

    def name(self):
        self.number += 1
        return f"measure.{self.number}"

    def submit(self, name, *words):
        out = self.lab.must("frontend", "oarsub", "-n", name, *words, user=USER)
        found = [line for line in out.splitlines() if line.startswith("OAR_JOB_ID=")]
        if not found:
            raise LabError(f"oarsub: {out}")
        return int(found[0].split("=")[1])

    def until(self, job, *states):
        found = self.states.until(f"job {job} is not {' or '.join(states)}",
                                  lambda of: (state := of.get(job, ("",))[0]) in (*states, "Error") and state)
        if found not in states:
            raise LabError(f"job {job} is {found}")

    def when(self, name):
        return float(self.lab.must("frontend", "cat", f"when.{name}", user=USER))

    def start(self):
        """Seconds from calling `oarsub`, and from its answer, to the first instruction of the job."""
        name = self.name()
        called = time.time()
        job = self.submit(name, "-l", "core=1,walltime=0:10", SAYS_WHEN)
        answered = time.time()
        self.until(job, "Terminated")
        began = self.when(name)
        return began - called, began - answered

    def next(self, nodes):
        """Seconds from the end of a job on all nodes to the start of the one that waited for them."""
        first, second = self.name(), self.name()
        gate = f'until [ -e "$HOME/gate.{first}" ]; do sleep 0.05; done; {SAYS_WHEN}'
        one = self.submit(first, "-l", f"host={nodes},walltime=0:10", gate)
        self.until(one, "Running")
        other = self.submit(second, "-l", f"host={nodes},walltime=0:10", SAYS_WHEN)
        # Long enough for a pass to have planned it, as the oldest of OAR 2's delays is.
        time.sleep(4)
        self.lab.must("frontend", "touch", f"gate.{first}", user=USER)
        self.until(other, "Terminated")
        return self.when(second) - self.when(first)

    def many(self):
        """Seconds of so many `oarsub` one after the other, and until all the jobs had ended."""
        began = time.monotonic()
        self.lab.must("frontend", "sh", "-euc",
                      f"for n in $(seq {SUBMISSIONS}); do oarsub -n many -l core=1,walltime=0:10 true >/dev/null; done",
                      user="user5")
        submitted = time.monotonic() - began
        left = "select count(*) from jobs where state not in ('Terminated', 'Error')"
        while int(self.lab.database.value(left)) > 0:
            if time.monotonic() - began > 600:
                raise LabError("100 jobs have not ended within 600 s")
            time.sleep(0.3)
        return submitted, time.monotonic() - began


def measure(lab, trials=TRIALS, report=lambda text: None):
    """All figures, in seconds: medians of `trials`."""
    made = Trials(lab)
    try:
        nodes = int(lab.database.value("select count(distinct network_address) from resources where state = 'Alive'"))
        starts = []
        for _ in range(trials):
            starts.append(made.start())
            # The next comes to a server that has come to rest.
            time.sleep(1.5)
        report(f"oarsub to start: {' '.join(f'{one[0]:.2f}' for one in starts)}")
        nexts = [made.next(nodes) for _ in range(trials)]
        report(f"end to next start: {' '.join(f'{one:.2f}' for one in nexts)}")
        submitted, ended = made.many()
        report(f"{SUBMISSIONS} oarsub: {submitted:.1f} s, all ended after {ended:.1f} s")
    finally:
        made.states.stop()
    return {
        "start": statistics.median(one[0] for one in starts),
        "start after the answer": statistics.median(one[1] for one in starts),
        "next": statistics.median(nexts),
        "submissions": submitted,
        "submissions ended": ended,
        "trials": {"start": starts, "next": nexts},
    }
