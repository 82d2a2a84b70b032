"""What a workload left in the tables, made comparable: the rows of each job under the job's name, without ids,
dates and the resources that were free to choose."""

import collections
import re

# What a text may hold that is another one each time, and what stands for it.
MASKS = [
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "<date>"),
    (re.compile(r"Karma ?= ?-?[\d.]+"), "Karma=<n>"),
    (re.compile(r"\bp?node\d+\b"), "<node>"),
    # Which of the scenes' two users it was.
    (re.compile(r"\buser[12]\b"), "<user>"),
    (re.compile(r"(\[(?:bipbip|Leon|MetaSched|sarko)?) \d+\]"), r"\1 <job>]"),
    (re.compile(r"\b([Jj]ob(?:\(s\))?(?:_id)?(?: ?[=#:])? ?)\d+"), r"\1<job>"),
    (re.compile(r"(inner=|--resubmit[= ]|(?<= )-a )\d+"), r"\1<job>"),
    (re.compile(r"\b(frontend):\d+"), r"\1:<port>"),
    (re.compile(r"\[\d+\] from \d+ with \d+; current time=\d+"), "[<job>] from <date> with <n>; current time=<date>"),
    (re.compile(r"new id = \d+"), "new id = <job>"),
    (re.compile(r"Cannot frag \d+"), "Cannot frag <job>"),
    (re.compile(r"(oardodo .*) \d+ "), r"\1 <job> "),
    (re.compile(r"(Change walltime from \d+ to) \d+"), r"\1 <n>"),
    (re.compile(r"lab-[\w-]+|story-[\w-]+"), "<lab>"),
]
# Columns that say when; whether they are set is compared.
DATES = {"submission_time", "start_time", "stop_time", "frag_date", "date", "date_start", "date_stop",
         "last_job_date", "window_start", "window_stop"}
# Tables that belong to jobs, which job_records has; others are compared as a whole.
OF_JOBS = {
    "jobs", "job_state_logs", "event_logs", "event_log_hostnames", "frag_jobs", "walltime_change", "challenges",
    "moldable_job_descriptions", "job_resource_groups", "job_resource_descriptions", "job_types",
    "job_dependencies", "assigned_resources",
}


def masked(value):
    """A column's value without what differs by nature."""
    if not isinstance(value, str):
        return value
    for pattern, stands_for in MASKS:
        value = pattern.sub(stands_for, value)
    return value


def grouped(rows, column):
    """Rows by the value of a column."""
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups


class Tables:
    """The tables of one run, with the jobs' names."""

    def __init__(self, result):
        self.result = result
        self.tables = result["tables"]
        self.jobs = sorted(self.tables["jobs"], key=lambda job: job["job_id"])
        parents = {job["job_id"]: job["resubmit_job_id"] for job in self.jobs}
        self.names = {job["job_id"]: f"{job['job_name'] or ''}[{job['array_index']}]"
                      + "'" * generation(parents, job["job_id"]) for job in self.jobs}

    def rows(self, table):
        return self.tables.get(table, [])

    def name(self, number):
        """A job by its name, or 0 as it is."""
        return self.names.get(number, "0" if number == 0 else "<no such job>")

    def plain(self, row, without=()):
        """The columns of a row that can be compared as they are."""
        return {
            column: ("set" if value else value) if column in DATES else masked(value)
            for column, value in row.items()
            if column not in without
        }


def generation(parents, job):
    """How often a job was submitted again: what was bears the name of the first."""
    count = 0
    while parents.get(job) and count < len(parents):
        job = parents[job]
        count += 1
    return count


def job_records(run):
    """For each job by name: {where: value}, where is TABLE.COLUMN, or a TABLE for what is one sequence."""
    moldables = grouped(run.rows("moldable_job_descriptions"), "moldable_job_id")
    groups = grouped(run.rows("job_resource_groups"), "res_group_moldable_id")
    descriptions = grouped(run.rows("job_resource_descriptions"), "res_job_group_id")
    assigned = grouped(run.rows("assigned_resources"), "moldable_job_id")
    hostnames = grouped(run.rows("event_log_hostnames"), "event_id")
    of_job = {table: grouped(run.rows(table), column) for table, column in (
        ("job_state_logs", "job_id"), ("event_logs", "job_id"), ("frag_jobs", "frag_id_job"),
        ("walltime_change", "job_id"), ("challenges", "job_id"), ("job_types", "job_id"),
        ("job_dependencies", "job_id"))}
    records = {}
    for job in run.jobs:
        number = job["job_id"]
        mine = sorted(moldables[number], key=lambda row: row["moldable_id"])
        record = {f"jobs.{column}": value for column, value in run.plain(
            job, without=("job_id", "array_id", "assigned_moldable_job", "resubmit_job_id")).items()}
        record["jobs.array_id"] = run.name(job["array_id"])
        record["jobs.resubmit_job_id"] = run.name(job["resubmit_job_id"])
        record["jobs.assigned_moldable_job"] = place(mine, "moldable_id", job["assigned_moldable_job"])
        record |= shapes(run, mine, groups, descriptions, assigned)
        states = sorted(of_job["job_state_logs"][number], key=lambda row: row["job_state_log_id"])
        record["job_state_logs"] = " ".join(row["job_state"] for row in states)
        record["job_state_logs.date_stop"] = "all but the last" if all(
            bool(row["date_stop"]) == (row is not states[-1]) for row in states) else " ".join(
                f"{row['job_state']}={row['date_stop']}" for row in states)
        # What was asked for, and what a scheduler said to it.
        asked, _, said = (record["jobs.message"] or "").partition(" (")
        record["jobs.message"], record["jobs.message of the scheduler"] = asked, said and f"({said}"
        record |= events(of_job["event_logs"][number], hostnames)
        if job["reservation"] == "Scheduled" and "event_logs REDUCE_RESERVATION_WALLTIME" in record:
            # By how much depends on how late it was.
            record["jobs.message"] = re.sub(r"W=[\d:]+", "W=<n>", record["jobs.message"])
            record["moldable_job_descriptions"] = re.sub(
                r"walltime=\d+", "walltime=<n>", record["moldable_job_descriptions"])
        record["job_types"] = "; ".join(sorted(
            f"{masked(row['type'])} {row['types_index']}" for row in of_job["job_types"][number]))
        record["job_dependencies"] = "; ".join(sorted(
            f"{run.name(row['job_id_required'])} {row['job_dependency_index']}"
            for row in of_job["job_dependencies"][number]))
        record["challenges"] = "; ".join(
            " ".join(f"{column} {'set' if row[column] else 'empty'}" for column in sorted(row) if column != "job_id")
            for row in of_job["challenges"][number])
        for table in ("frag_jobs", "walltime_change"):
            record[table] = "; ".join(
                written(run.plain(row, without=("job_id", "frag_id_job"))) for row in of_job[table][number])
        records[run.names[number]] = record
    return records


def events(rows, hostnames):
    """A job's events by type. OAR 2 itself writes some twice when a pass comes in between: once counts."""
    texts = collections.defaultdict(set)
    for row in rows:
        hosts = sorted(masked(host["hostname"]) for host in hostnames[row["event_id"]])
        texts[f"event_logs {row['type']}"].add(" ".join([f"({masked(row['description'])})", row["to_check"], *hosts]))
    return {where: "; ".join(sorted(found)) for where, found in texts.items()}


def written(row):
    """A row as one text."""
    return " ".join(f"{column}={value}" for column, value in sorted(row.items()))


def place(rows, column, value):
    """Which of the rows has this value: 1 is the first, 0 none is meant."""
    found = [number for number, row in enumerate(rows, 1) if row[column] == value]
    return found[0] if found else (0 if not value else "<not its own>")


def shapes(run, moldables, groups, descriptions, assigned):
    """The shapes that a job may have, with their groups and levels, and what it was given."""
    record = {"moldable_job_descriptions": "; ".join(
        written(run.plain(row, without=("moldable_id", "moldable_job_id"))) for row in moldables)}
    mine = [group for row in moldables
            for group in sorted(groups[row["moldable_id"]], key=lambda row: row["res_group_id"])]
    record["job_resource_groups"] = "; ".join(
        written(run.plain(group, without=("res_group_id", "res_group_moldable_id"))) for group in mine)
    record["job_resource_descriptions"] = "; ".join(
        written(run.plain(row, without=("res_job_group_id",))) for group in mine
        for row in sorted(descriptions[group["res_group_id"]], key=lambda row: row["res_job_order"]))
    given = [(number, row["assigned_resource_index"]) for number, moldable in enumerate(moldables, 1)
             for row in assigned[moldable["moldable_id"]]]
    record["assigned_resources"] = "; ".join(
        f"{count} of moldable {number} {index}"
        for (number, index), count in sorted(collections.Counter(given).items()))
    return record


def other_records(run):
    """What belongs to no job, as {where: value}."""
    record = {}
    resources = sorted(run.rows("resources"), key=lambda row: row["resource_id"])
    for row in resources:
        for column, value in run.plain(row, without=("resource_id", "core", "last_job_date")).items():
            if column not in ("network_address", "host", "cpuset"):
                record.setdefault(f"resources.{column}", set()).add(value)
    record = {where: " ".join(sorted(map(str, values))) for where, values in record.items()}
    # Which node had which scenes is another each time.
    logs = collections.Counter(
        f"{row['attribute']}={row['value']}{'' if row['date_stop'] else '…'}" for row in run.rows("resource_logs"))
    record["resource_logs"] = "; ".join(f"{count} × {change}" for change, count in sorted(logs.items()))
    record["accounting"] = "; ".join(sorted({
        f"{row['accounting_user']} {row['accounting_project']} {row['queue_name']} {row['consumption_type']}"
        for row in run.rows("accounting")}))
    record["event_logs without a job"] = "; ".join(sorted(
        f"{row['type']} ({masked(row['description'])}) {row['to_check']}"
        for row in run.rows("event_logs") if row["job_id"] == 0))
    for table in ("queues", "admission_rules", "scheduler", "schema", "files"):
        record[table] = "; ".join(sorted(written(run.plain(row)) for row in run.rows(table)))
    for table in sorted(run.tables):
        if table.startswith("gantt_"):
            record[table] = f"{len(run.rows(table))} rows"
    known = OF_JOBS | {"resources", "resource_logs", "accounting", "queues", "admission_rules", "scheduler",
                       "schema", "files"}
    for table in sorted(run.tables):
        if table not in known and not table.startswith("gantt_"):
            record[f"table {table}"] = "there"
    return record


def command_records(run):
    """What commands answered, by scene, in their order."""
    records = collections.defaultdict(list)
    for call in run.result["commands"]:
        words = masked(" ".join(call["words"]))
        if call["words"][0] != "oarsub":
            words = re.sub(r" \d+\b", " <job>", words)
        answer = re.sub(r"\b\d{1,6}\b", "<n>", masked(call["out"]))
        records[call["scene"]].append((words, f"{call['code']} {answer}{masked(call['errors'])}".strip()))
    return records
