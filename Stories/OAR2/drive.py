"""Runs a workload in a lab and takes away all that it left: every table of the database, what each command
said, and what was expected of each job."""

import collections
import json
import threading
import time

import workload
from lab import LabError
from stage import ENDED, Record, SceneError, Stage, States, business

# Fills that run at the same time.
FILLERS = 2
# Who submits what.
USERS = {"scenes": ["user1", "user2"], "fills": ["user3", "user4", "user5"]}
# Seconds for OAR to come to rest once all jobs have ended: timers go off every ten.
REST = 120


def run(lab, size, seed, report=lambda text: None):
    """Runs the workload; returns what is to be judged and compared, as one dictionary."""
    prepare(lab)
    scenes, fills = workload.plan(size, seed)
    states, record, problems = States(lab.database), Record(), []
    began = time.monotonic()
    progress = [0, sum(jobs for _, _, jobs in scenes + fills)]
    todo = {"scenes": collections.deque(scenes), "fills": collections.deque(fills)}

    def work(kind, node):
        while True:
            try:
                name, function, jobs = todo[kind].popleft()
            except IndexError:
                return
            since = time.monotonic()
            try:
                # Which user it is depends on the name alone, so that it is the same in a larger workload.
                user = USERS[kind][sum(name.encode()) % len(USERS[kind])]
                function(Stage(lab, states, record, name, node, user))
            except (SceneError, LabError) as error:
                problems.append(f"{name}: {error}")
            progress[0] += jobs
            report(f"{time.monotonic() - began:6.1f} s  {progress[0]}/{progress[1]}  {name} "
                   f"({time.monotonic() - since:.1f} s)" + ("" if not problems else f"  {len(problems)} problems"))

    workers = [threading.Thread(target=work, args=("scenes", node)) for node in lab.lanes]
    workers += [threading.Thread(target=work, args=("fills", None)) for _ in range(FILLERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds, busy = time.monotonic() - began, business()
    finish(lab, problems)
    states.stop()
    return {
        "size": size, "seed": seed, "accounts": has_accounting(lab), "seconds": round(seconds, 1), "busy": busy,
        "problems": problems,
        "commands": record.commands, "expected": record.expected, "tables": dump(lab),
    }


def prepare(lab):
    """What the workload needs of the site: nodes that may be deployed on, and patience with slow ones: on a busy
    machine OAR 2 would find nodes suspect that take five seconds to answer, and never use them again."""
    lab.must("all", "sh", "-c", "[ ! -e /etc/oar/oar.conf ] || "
             "sed -i 's|^\\(PINGCHECKER_SENTINELLE.*\\) -t 5 |\\1 -t 60 |' /etc/oar/oar.conf")
    for node in lab.lanes:
        lab.must("server", "oarnodesetting", "-n", "-p", "deploy=YES", "-h", node)


def finish(lab, problems):
    """Ends what scenes that went wrong left, waits until the server has come to rest, and lets it account."""
    ended = ", ".join(f"'{state}'" for state in ENDED)
    left = lab.database.lines(f"select job_id from jobs where state not in ({ended})")
    if left:
        problems.append(f"jobs that had not ended: {' '.join(left)}")
        lab.run("server", "oardel", *left)
    restless = {
        "jobs that have not ended": f"select count(*) from jobs where state not in ({ended})",
        "events that nobody looked at": "select count(*) from event_logs where to_check = 'YES'",
        "deletions under way": "select count(*) from frag_jobs where frag_state <> 'FRAGGED'",
    }
    end = time.monotonic() + REST
    for what, sql in restless.items():
        while (count := int(lab.database.value(sql))) > 0:
            if time.monotonic() > end:
                problems.append(f"{what}, {REST} s after the last: {count}")
                break
            time.sleep(0.5)
    # The last pass still writes what it found.
    time.sleep(3)
    if has_accounting(lab):
        lab.must("server", "oaraccounting")


def has_accounting(lab):
    """Whether OAR's oaraccounting is installed; our own server has none yet."""
    return lab.run("server", "sh", "-c", "command -v oaraccounting")[0] == 0


def dump(lab):
    """All tables as lists of rows."""
    names = lab.database.lines(
        "select table_name from information_schema.tables where table_schema = 'public' "
        "and table_type = 'BASE TABLE' order by 1")
    return {name: lab.database.rows(f'select * from "{name}"') for name in names}


def keep(result, path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=0)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)
