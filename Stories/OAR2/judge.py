"""Judges what a workload left: that all jobs ended as expected, that no two held a resource at the same time
unless their types allow it, and that every row is as OAR leaves it. Each finding is one line."""

import collections
import json
import re
import time

from lab import CORES
from rows import Tables, grouped
from stage import ENDED

# States in which a job has its resources for itself.
HOLDING = ("toLaunch", "Launching", "Running", "Finishing", "toTerminate", "toError")
# Seconds by which OAR 2 itself is late: its timers go off every ten, its pass comes every sixty.
# On a busy machine it is later.
WALLTIME_LATE = 45
RESERVATION_LATE = 90


def judge(result):
    """All findings about one run, and how many jobs ended in Error that should not have."""
    run = Tables(result)
    wrong_ends = list(ends(run))
    findings = list(result["problems"]) + wrong_ends
    for check in (overlaps, dependencies, reservations, walltimes, histories, indexes, at_rest):
        findings += check(run)
    errors = sum(1 for line in wrong_ends if ": Error" in line)
    return findings, errors


def ends(run):
    """Jobs that ended otherwise than their scene said."""
    expected = {one["job"]: one for one in run.result["expected"]}
    for job in run.jobs:
        name = run.name(job["job_id"])
        # What the server submitted again is expected to succeed.
        wanted = expected.get(job["job_id"], {"state": "Terminated", "exit_code": 0})
        if wanted["state"] is not None and job["state"] != wanted["state"]:
            yield f"{name}: {job['state']}, not {wanted['state']}: {job['message']} ({events(run, job)})"
        elif wanted["exit_code"] is not None and job["exit_code"] != wanted["exit_code"]:
            yield f"{name}: exit code {job['exit_code']}, not {wanted['exit_code']}"
    there = {job["job_id"] for job in run.jobs}
    for number, one in expected.items():
        if number not in there:
            yield f"{one['name']}: job {number} was accepted and is not in the table"


def events(run, job):
    found = [row["type"] for row in run.rows("event_logs") if row["job_id"] == job["job_id"]]
    return ", ".join(found) or "no event"


def held_times(run):
    """For each job the times at which it had its resources for itself, as (begin, end)."""
    times = collections.defaultdict(list)
    for number, rows in grouped(run.rows("job_state_logs"), "job_id").items():
        rows.sort(key=lambda row: row["job_state_log_id"])
        for row in rows:
            if row["job_state"] in HOLDING:
                times[number].append((row["date_start"], row["date_stop"] or row["date_start"]))
    return times


def may_share(first, second):
    """Whether the types of two jobs allow them the same resource at once. Each is (job, types)."""
    for (one, types), (other, others) in ((first, second), (second, first)):
        if f"inner={one['job_id']}" in others and "container" in "".join(types):
            return True
        if any(name.startswith("placeholder=") and name.replace("placeholder", "allowed") in others
               for name in types):
            return True
        for name in types:
            if name.startswith("timesharing=") and name in others:
                users = one["job_user"] == other["job_user"] or "user" not in name
                names = one["job_name"] == other["job_name"] or "name" not in name
                return users and names
    return False


def overlaps(run):
    """Pairs of jobs that had the same resource at the same time."""
    times = held_times(run)
    types = {number: [row["type"] for row in rows] for number, rows in grouped(run.rows("job_types"), "job_id").items()}
    by_moldable = {job["assigned_moldable_job"]: job for job in run.jobs if job["assigned_moldable_job"]}
    of_resource = collections.defaultdict(list)
    for row in run.rows("assigned_resources"):
        job = by_moldable.get(row["moldable_job_id"])
        if job is None:
            yield f"assigned_resources of moldable {row['moldable_job_id']}, which no job has"
            continue
        of_resource[row["resource_id"]] += [(begin, end, job) for begin, end in times[job["job_id"]] if end > begin]
    seen = set()
    for resource, held in of_resource.items():
        held.sort(key=lambda one: one[:2])
        running = []
        for begin, end, job in held:
            running = [one for one in running if one[1] > begin]
            for _, other_end, other in running:
                pair = (other["job_id"], job["job_id"])
                if other is job or pair in seen:
                    continue
                if not may_share(*((one, types.get(one["job_id"], [])) for one in (other, job))):
                    seen.add(pair)
                    yield (f"{run.name(pair[0])} and {run.name(pair[1])} both had resource {resource} "
                           f"for {min(end, other_end) - begin} s")
            running.append((begin, end, job))


def dependencies(run):
    """Jobs that began before what they wait for had ended."""
    jobs = {job["job_id"]: job for job in run.jobs}
    for row in run.rows("job_dependencies"):
        job, required = jobs[row["job_id"]], jobs.get(row["job_id_required"])
        if required and job["start_time"] and job["start_time"] < required["stop_time"]:
            yield (f"{run.name(row['job_id'])} began {required['stop_time'] - job['start_time']} s before "
                   f"{run.name(row['job_id_required'])} had ended")


def reservations(run):
    """Reservations that began before their time or far too late."""
    for job in run.jobs:
        asked = re.search(r"-r (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", job["initial_request"] or "")
        if asked is None or job["state"] != "Terminated":
            continue
        wanted = int(time.mktime(time.strptime(asked.group(1), "%Y-%m-%d %H:%M:%S")))
        late = job["start_time"] - wanted
        if not 0 <= late <= RESERVATION_LATE * run.result.get("busy", 1):
            yield f"{run.name(job['job_id'])}: a reservation that began {late} s after its date"
        if job["reservation"] != "Scheduled":
            yield f"{run.name(job['job_id'])}: a reservation that is {job['reservation']}"


def walltimes(run):
    """Jobs that ran for longer than they may."""
    allowed = {row["moldable_id"]: row["moldable_walltime"] for row in run.rows("moldable_job_descriptions")}
    suspended = collections.Counter()
    for row in run.rows("job_state_logs"):
        if row["job_state"] in ("Suspended", "Resuming"):
            suspended[row["job_id"]] += max(0, row["date_stop"] - row["date_start"])
    for job in run.jobs:
        if not job["start_time"] or job["assigned_moldable_job"] not in allowed:
            continue
        ran = job["stop_time"] - job["start_time"] - suspended[job["job_id"]]
        if ran > allowed[job["assigned_moldable_job"]] + WALLTIME_LATE * run.result.get("busy", 1):
            yield (f"{run.name(job['job_id'])} ran {ran} s with a walltime of "
                   f"{allowed[job['assigned_moldable_job']]} s")


def histories(run):
    """Histories of states with holes, or that don't end where the job is."""
    logs = grouped(run.rows("job_state_logs"), "job_id")
    for job in run.jobs:
        name, rows = run.name(job["job_id"]), sorted(logs[job["job_id"]], key=lambda row: row["job_state_log_id"])
        if not rows or rows[-1]["job_state"] != job["state"]:
            yield f"{name}: is {job['state']}, and its history ends with {rows[-1]['job_state'] if rows else 'nothing'}"
            continue
        if [row["date_stop"] == 0 for row in rows] != [False] * (len(rows) - 1) + [True]:
            yield f"{name}: not the last state alone is open in its history"
        for before, after in zip(rows, rows[1:]):
            if not -1 <= after["date_start"] - before["date_stop"] <= 1:
                yield (f"{name}: {before['job_state']} ended at {before['date_stop']}, "
                       f"{after['job_state']} began at {after['date_start']}")


def indexes(run):
    """Rows of ended jobs that still count as current, and rows that are nobody's."""
    ended = {job["job_id"] for job in run.jobs if job["state"] in ENDED}
    moldables = {row["moldable_id"]: row["moldable_job_id"] for row in run.rows("moldable_job_descriptions")}
    groups = {row["res_group_id"]: moldables.get(row["res_group_moldable_id"]) for row in run.rows("job_resource_groups")}
    for table, column, index, owner in (
            ("moldable_job_descriptions", "moldable_job_id", "moldable_index", lambda key: key),
            ("job_resource_groups", "res_group_moldable_id", "res_group_index", moldables.get),
            ("job_resource_descriptions", "res_job_group_id", "res_job_index", groups.get),
            ("job_types", "job_id", "types_index", lambda key: key),
            ("job_dependencies", "job_id", "job_dependency_index", lambda key: key),
            ("assigned_resources", "moldable_job_id", "assigned_resource_index", moldables.get)):
        counts = collections.Counter()
        for row in run.rows(table):
            job = owner(row[column])
            if job not in run.names:
                counts["belong to no job"] += 1
            elif job in ended and row[index] != "LOG":
                counts[f"of ended jobs are {row[index]}, as of {run.name(job)}"] += 1
        for what, count in counts.items():
            yield f"{table}: {count} rows {what}"
    with_challenge = {row["job_id"] for row in run.rows("challenges")}
    without = [job for job in run.jobs if job["job_id"] not in with_challenge]
    if without:
        yield f"challenges: {len(without)} jobs have none, as {run.name(without[0]['job_id'])}"


def at_rest(run):
    """What should be still once all jobs have ended."""
    for queue in run.rows("queues"):
        if queue["state"] != "Active":
            yield f"queue {queue['queue_name']} is {queue['state']}"
    for row in run.rows("resources"):
        odd = {column: row[column] for column, value in (
            ("state", "Alive"), ("next_state", "UnChanged"), ("suspended_jobs", "NO"), ("scheduler_priority", 0))
            if row[column] != value}
        if odd:
            yield f"resource {row['resource_id']} of {row['network_address']}: {json.dumps(odd)}"
    for table, column, value in (("event_logs", "to_check", "NO"), ("frag_jobs", "frag_state", "FRAGGED")):
        count = sum(1 for row in run.rows(table) if row[column] != value)
        if count:
            yield f"{table}: {count} rows have another {column} than {value}"
    for row in run.rows("walltime_change"):
        if row["pending"] != 0:
            yield f"walltime_change of {run.name(row['job_id'])} is pending"
    for table in ("gantt_jobs_predictions", "gantt_jobs_predictions_visu"):
        left = [row for row in run.rows(table) if row["moldable_job_id"] != 0]
        if left:
            yield f"{table}: {len(left)} rows of jobs that have ended"
    unaccounted = [job for job in run.jobs if job["state"] == "Terminated" and job["accounted"] != "YES"]
    if unaccounted and run.result.get("accounts", True):
        yield f"{len(unaccounted)} Terminated jobs are not accounted, as {run.name(unaccounted[0]['job_id'])}"
    nodes = grouped(run.rows("resources"), "network_address")
    for node, rows in nodes.items():
        if len(rows) != CORES:
            yield f"{node} has {len(rows)} resources, not {CORES}"
