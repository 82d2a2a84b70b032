"""The scenes of the workload: each is a few jobs of one kind, with what users do to them. A scene has a node for
itself; its name is the kind of its jobs in the comparison."""

import time

from stage import Job, SceneError

SCENES = {}
# Scenes that wait for a minute and more.
SLOW = set()


def scene(jobs, slow=False):
    """Marks a scene and says how many jobs it leaves in the database."""

    def mark(function):
        SCENES[function.__name__] = (function, jobs)
        if slow:
            SLOW.add(function.__name__)
        return function

    return mark


def date(seconds):
    """So many seconds from now, as `oarsub -r` takes it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + seconds))


# Jobs that do what they say.


@scene(jobs=3)
def batch(stage):
    jobs = [
        stage.one("-l", "core=1,walltime=0:10", "true"),
        # Long enough to be accounted.
        stage.one("-l", "host=1/core=2", "--project", "galley", "hostname; sleep 2"),
        stage.one("-l", "core=2,walltime=0:10", "--notify", "exec:/bin/true", "sleep 1"),
    ]
    stage.ends(*jobs)


@scene(jobs=4)
def failing(stage):
    stage.ends(
        stage.one("-l", "core=1,walltime=0:10", "exit 3", exit_code=3 << 8),
        stage.one("-l", "core=1,walltime=0:10", "kill -9 $$", exit_code=None),
        stage.one("-l", "core=1,walltime=0:10", "/nowhere/to/be/found", exit_code=127 << 8),
        stage.one("-l", "core=1,walltime=0:10", "/etc/passwd", exit_code=126 << 8),
    )


@scene(jobs=2)
def unwritable(stage):
    jobs = [stage.one("-l", "core=1,walltime=0:10", "-O", "/root/out", "true", state="Error", exit_code=None)]
    # An oarsub of ours may say so at once.
    jobs += stage.submit("-l", "core=1,walltime=0:10", "-d", "/nowhere", "true", state="Error", exit_code=None,
                         may_be_refused=True)
    stage.ends(*jobs)


@scene(jobs=2)
def moldable(stage):
    stage.ends(
        stage.one("-l", "core=8,walltime=0:10", "-l", "core=2,walltime=0:20", "true"),
        stage.one("-l", "host=1/core=4,walltime=0:5", "-l", "core=1,walltime=0:30", "-l", "host=1", "sleep 1"),
    )


@scene(jobs=4)
def array(stage):
    stage.ends(*stage.submit(
        "-l", "core=1,walltime=0:10", "--array", "4", "exit $OAR_ARRAY_INDEX", exit_code=lambda index: index << 8))


@scene(jobs=3)
def parameters(stage):
    name = f"parameters.{stage.scene}"
    stage.lab.must("frontend", "sh", "-c", 'cat >"$HOME/$1"', "sh", name, user=stage.user, text="1\n2 two\n3\n")
    stage.ends(*stage.submit("-l", "core=1,walltime=0:10", "--array-param-file", name, "/bin/echo"))


@scene(jobs=1)
def key(stage):
    stage.ends(stage.one("-l", "core=1,walltime=0:10", "-k", "true"))


@scene(jobs=1)
def heterogeneous(stage):
    stage.ends(stage.one("-l", "{core > 0}/core=1+{host <> 'frontend'}/core=2,walltime=0:10", "true"))


@scene(jobs=1)
def interactive(stage):
    # What it ends as depends on who comes first: the end of its shell, or oarsub that asks for its deletion.
    number, said = stage.session("-I", "-l", "core=1,walltime=0:10", says="exit")
    stage.ends(Job(number, stage.scene))
    for wanted in ("Interactive mode: waiting...", "Starting...", f"Connect to OAR job {number} via the node",
                   f"Disconnected from OAR job {number}"):
        if wanted not in said:
            raise SceneError(f"{stage.scene}: oarsub -I did not say {wanted!r}: {said[-600:]!r}")


# Types.


@scene(jobs=4)
def timesharing(stage):
    first = stage.one("-l", "host=1,walltime=0:15", "-t", "timesharing=user,*", stage.gate("a"))
    second = stage.one("-l", "host=1,walltime=0:15", "-t", "timesharing=user,*", stage.gate("a"))
    stage.until(first, "Running")
    stage.until(second, "Running")
    stage.open_gate("a")
    stage.ends(first, second)
    third = stage.one("-l", "host=1,walltime=0:15", "-t", "timesharing=*,*", stage.gate("b"))
    fourth = stage.one("-l", "host=1,walltime=0:15", "-t", "timesharing=*,*", "sleep 1")
    stage.ends(fourth)
    stage.open_gate("b")
    stage.ends(third)


@scene(jobs=3)
def container(stage):
    outer = stage.one("-l", "host=1,walltime=0:20", "-t", "container", stage.gate("outer"))
    stage.until(outer, "Running")
    inner = [
        stage.one("-l", "core=2,walltime=0:5", "-t", f"inner={outer}", "true"),
        stage.one("-l", "core=1,walltime=0:5", "-t", f"inner={outer}", "sleep 1"),
    ]
    stage.ends(*inner)
    stage.open_gate("outer")
    stage.ends(outer)


@scene(jobs=2)
def noop(stage):
    over = stage.one("-l", "core=1,walltime=0:0:5", "-t", "noop", "true", exit_code=None)
    deleted = stage.one("-l", "core=1,walltime=0:10", "-t", "noop", "true", exit_code=None)
    stage.until(deleted, "Running")
    stage.command("oardel", str(deleted))
    stage.ends(over, deleted)


@scene(jobs=3)
def besteffort(stage):
    stage.ends(*stage.submit("-l", "core=1,walltime=0:10", "-t", "besteffort", "--array", "3", "true"))


@scene(jobs=2)
def preempted(stage):
    victim = stage.one("-l", "core=1,walltime=0:20", "-t", "besteffort", "sleep 600", state="Error",
                       exit_code=None)
    stage.until(victim, "Running")
    stage.rest(2)
    stage.ends(stage.one("-l", "host=1,walltime=0:10", "true"))
    stage.ends(victim)


@scene(jobs=3, slow=True)
def revived(stage):
    victim = stage.one("-l", "core=1,walltime=0:20", "-t", "besteffort", "-t", "idempotent", stage.gate("a"),
                       state="Error", exit_code=None)
    stage.until(victim, "Running")
    # OAR submits again only what has run for a minute.
    stage.rest(62)
    stage.ends(stage.one("-l", "host=1,walltime=0:10", "true"))
    again = stage.again(victim)
    stage.open_gate("a")
    stage.ends(victim, again)


@scene(jobs=2)
def elsewhere(stage):
    stage.ends(
        stage.one("-l", "core=1,walltime=0:10", "-t", "cosystem", "true"),
        stage.one("-l", "host=1,walltime=0:10", "-t", "deploy", "true"),
    )


@scene(jobs=2)
def placeholder(stage):
    # OAR 2 lets the second wait for the first; a planner that knows both types may let it start beside it.
    stage.ends(
        stage.one("-l", "host=1,walltime=0:5", "-t", f"placeholder=p{stage.node}", "sleep 1"),
        stage.one("-l", "host=1,walltime=0:5", "-t", f"allowed=p{stage.node}", "true"),
    )


@scene(jobs=4)
def dated(stage):
    stage.ends(
        stage.one("-l", "core=1,walltime=0:10", "-t", f"postpone={date(-3600)}", "true"),
        stage.one("-l", "core=1,walltime=0:10", "-t", f"deadline={date(7200)}", "true"),
        stage.one("-l", "core=1,walltime=0:10", "-t", f"expire={date(7200)}", "true"),
        stage.one("-l", "core=1,walltime=0:10", "-t", "state=permissive", "true"),
    )


# Advance reservations.


@scene(jobs=1, slow=True)
def reserved(stage):
    stage.ends(stage.one("-l", "host=1,walltime=0:5", "-r", date(25), "sleep 1"))


@scene(jobs=2)
def unreserved(stage):
    here = stage.one("-l", "host=1,walltime=0:15", stage.gate("a"))
    stage.until(here, "Running")
    stage.ends(stage.one("-l", "host=1,walltime=0:5", "-r", date(60), "true", state="Error", exit_code=None))
    stage.open_gate("a")
    stage.ends(here)


@scene(jobs=2)
def cancelled(stage):
    reservation = stage.one("-l", "host=1,walltime=0:5", "-r", date(3600), "true", state="Error", exit_code=None)
    stage.until(reservation, "Waiting")
    stage.ends(stage.one("-l", "host=1,walltime=0:5", "true"))
    stage.command("oardel", str(reservation))
    stage.ends(reservation)


# What waits for what.


@scene(jobs=3)
def dependent(stage):
    first = stage.one("-l", "core=1,walltime=0:10", stage.gate("a"))
    second = stage.one("-l", "core=1,walltime=0:10", "-a", str(first), "exit 2", exit_code=2 << 8)
    third = stage.one("-l", "core=1,walltime=0:10", "-a", str(first), "-a", str(second), "true")
    stage.until(first, "Running")
    stage.open_gate("a")
    stage.ends(first, second, third)


@scene(jobs=3)
def held(stage):
    job = stage.one("-l", "core=1,walltime=0:10", "--hold", "true")
    stage.until(job, "Hold")
    blocker = stage.one("-l", "host=1,walltime=0:10", stage.gate("a"))
    stage.until(blocker, "Running")
    waiting = stage.one("-l", "host=1,walltime=0:10", "true")
    stage.command("oarhold", str(waiting))
    stage.until(waiting, "Hold")
    stage.open_gate("a")
    stage.ends(blocker)
    stage.command("oarresume", str(job))
    stage.until(job, "Waiting", "toLaunch", "Launching", "Running", "Finishing", "Terminated")
    stage.ends(job)
    stage.command("oarresume", str(waiting))
    stage.ends(waiting)


@scene(jobs=2)
def suspended(stage):
    job = stage.one("-l", "host=1,walltime=0:20", stage.gate("a"))
    stage.until(job, "Running")
    stage.rest(2)
    stage.command("oarhold", "-r", str(job))
    stage.until(job, "Suspended")
    stage.ends(stage.one("-l", "host=1,walltime=0:10", "true"))
    stage.command("oarresume", str(job))
    stage.until(job, "Running")
    stage.rest(3)
    stage.open_gate("a")
    stage.ends(job)


@scene(jobs=2)
def resubmitted(stage):
    job = stage.one("-l", "core=1,walltime=0:10", "exit 1", exit_code=1 << 8)
    stage.ends(job)
    again = stage.one("--resubmit", str(job), exit_code=1 << 8, of=job)
    stage.ends(again)


# Walltimes.


@scene(jobs=1)
def prolonged(stage):
    job = stage.one("-l", "core=1,walltime=0:10", stage.gate("a"))
    stage.until(job, "Running")
    stage.rest(2)
    stage.command("oarwalltime", str(job), "+0:5")
    stage.states.until("the walltime was not changed", lambda _: stage.lab.database.value(
        f"select count(*) from walltime_change where job_id = {job} and pending = 0 and granted = 300") == "1")
    stage.command("oarwalltime", str(job))
    stage.open_gate("a")
    stage.ends(job)


@scene(jobs=1)
def overrun(stage):
    stage.ends(stage.one("-l", "core=1,walltime=0:0:5", "sleep 600", state="Error", exit_code=None))


@scene(jobs=2)
def checkpointed(stage):
    command = "trap 'exit 7' USR2; n=0; while [ $n -lt 600 ]; do sleep 0.2; n=$((n+1)); done"
    asked = stage.one("-l", "core=1,walltime=0:20", "--checkpoint", "60", command, exit_code=7 << 8)
    by_time = stage.one("-l", "core=1,walltime=0:4", "--checkpoint", "225", command, exit_code=7 << 8)
    stage.until(asked, "Running")
    stage.rest(3)
    stage.command("oardel", "-c", str(asked))
    stage.ends(asked, by_time)


# Deletions.


@scene(jobs=4)
def deleted(stage):
    running = stage.one("-l", "host=1,walltime=0:20", "sleep 600", state="Error", exit_code=None)
    stage.until(running, "Running")
    waiting = stage.one("-l", "host=1,walltime=0:10", "true", state="Error", exit_code=None)
    hold = stage.one("-l", "core=1,walltime=0:10", "--hold", "true", state="Error", exit_code=None)
    stage.command("oardel", str(waiting), str(hold))
    stage.ends(waiting, hold)
    stage.rest(1)
    stage.command("oardel", str(running))
    stage.ends(running)
    # Nobody else's.
    mine = stage.one("-l", "core=1,walltime=0:10", stage.gate("a"))
    stage.until(mine, "Running")
    stage.command("oardel", str(mine), user="user4")
    stage.open_gate("a")
    stage.ends(mine)


@scene(jobs=4)
def deleted_array(stage):
    blocker = stage.one("-l", "host=1,walltime=0:20", stage.gate("a"))
    stage.until(blocker, "Running")
    jobs = stage.submit("-l", "core=1,walltime=0:10", "--array", "3", "true", state="Error", exit_code=None)
    stage.command("oardel", "--array", str(jobs[0]))
    stage.ends(*jobs)
    stage.open_gate("a")
    stage.ends(blocker)


@scene(jobs=1)
def signalled(stage):
    command = "trap 'exit 5' USR1; n=0; while [ $n -lt 600 ]; do sleep 0.2; n=$((n+1)); done"
    job = stage.one("-l", "core=1,walltime=0:20", command, exit_code=5 << 8)
    stage.until(job, "Running")
    stage.rest(3)
    stage.command("oardel", "-s", "SIGUSR1", str(job))
    stage.ends(job)


# What makes no job, and what changes nodes.


@scene(jobs=0)
def refused(stage):
    stage.refused("-l", "core=9999", "true")
    stage.refused("-l", "host=1", "-p", "host = 'nowhere'", "true")
    stage.refused("-l", "nosuch=1", "true")
    stage.refused("-l", "core", "true")
    stage.refused("-q", "nosuch", "true")
    stage.refused("-q", "admin", "true")
    stage.refused("-t", "nosuch", "true")
    stage.refused("-r", "yesterday", "true")
    stage.refused()


@scene(jobs=1)
def absent(stage):
    def are(state):
        stage.states.until(f"{stage.node} is not {state}", lambda _: stage.lab.database.value(
            f"select count(*) from resources where network_address = '{stage.node}' and state <> '{state}'") == "0")

    stage.command("oarnodesetting", "-s", "Absent", "-h", stage.node, host="server", user="root")
    are("Absent")
    job = stage.one("-l", "core=1,walltime=0:10", "true")
    stage.rest(3)
    stage.command("oarnodesetting", "-s", "Alive", "-h", stage.node, host="server", user="root")
    are("Alive")
    stage.ends(job)
