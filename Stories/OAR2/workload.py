"""The workload: scenes, and arrays that fill the rest. `plan(size, seed)` says which there are and in which order;
the same size and seed give the same."""

import random

from scenes import SCENES, SLOW

# A workload of fewer jobs is without the scenes that wait long.
SMALL = 70


def fill(stage, kind, jobs):
    """An array, or single jobs in one go, of a kind."""
    shared = {"shared": True}
    walltime = "core=1,walltime=0:10"
    if kind == "true":
        made = stage.submit("-l", walltime, "--array", str(jobs), "true", **shared)
    elif kind == "sleep":
        made = stage.submit("-l", walltime, "--array", str(jobs), "sleep 1", **shared)
    elif kind == "codes":
        made = stage.submit("-l", walltime, "--array", str(jobs), "exit $((OAR_ARRAY_INDEX % 4))",
                            exit_code=lambda index: index % 4 << 8, **shared)
    elif kind == "wide":
        made = stage.submit("-l", "core=2,walltime=0:10", "--array", str(jobs), "true", **shared)
    elif kind == "moldable":
        made = stage.submit("-l", "core=3,walltime=0:10", "-l", "core=1,walltime=0:20", "--array", str(jobs),
                            "true", **shared)
    elif kind == "idempotent":
        made = stage.submit("-l", walltime, "-t", "idempotent", "--array", str(jobs), "true", **shared)
    else:
        made = [stage.one("-l", walltime, f"echo {number}", **shared) for number in range(jobs)]
    stage.ends(*made)


FILLS = ("true", "sleep", "codes", "wide", "moldable", "idempotent", "single")
# Jobs of one fill: two of them at a time keep the shared nodes full.
FILL = 14


def plan(size, seed):
    """Two lists of (name, function, jobs): scenes that want a node for themselves, and fills."""
    chance = random.Random(seed)
    one_of_each = sum(jobs for _, jobs in SCENES.values())
    # A third of the jobs and more come from scenes; a small workload has each scene once, or as many as fit.
    rounds = max(1, int(size * 0.35) // one_of_each)
    scenes, jobs = [], 0
    for turn in range(1, rounds + 1):
        names = list(SCENES)
        chance.shuffle(names)
        # Long ones begin early, so that they don't end last.
        names.sort(key=lambda name: name not in SLOW)
        for name in names:
            function, count = SCENES[name]
            if jobs + count > size or (name in SLOW and size < SMALL):
                continue
            scenes.append((f"{name}.{turn}", function, count))
            jobs += count
    fills = []
    while jobs < size:
        kind = FILLS[len(fills) % len(FILLS)]
        count = min(FILL if kind != "single" else FILL // 2, size - jobs)
        number = 1 + len(fills)
        fills.append((f"fill-{kind}.{number}", lambda stage, k=kind, n=count: fill(stage, k, n), count))
        jobs += count
    return scenes, fills
