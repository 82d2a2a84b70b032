"""Goes back from a configuration to OAR 2 alone while jobs run, wait and are reserved, and forth again: how long
each takes, and whether anything was lost."""

import time

import web
from stage import Record, SceneError, Stage, States

# Seconds within which the server must be back.
LIMIT = 5


def try_it(lab, configuration, report=lambda text: None, with_web=False):
    """Times both ways; findings are what was lost on the way. With no way back, the pages alone are looked at."""
    states, record = States(lab.database), Record()
    turn = int(time.time())
    times, findings, pages = {}, [], None
    try:
        for word, script in (("back", configuration.back), ("forth", configuration.forth)):
            stage = Stage(lab, states, record, f"{word}{turn}", lab.lanes[0], "user2")
            running = [stage.one("-l", "core=1,walltime=0:30", stage.gate("a")),
                       stage.one("-l", "core=1,walltime=0:30", stage.gate("a"))]
            for job in running:
                stage.until(job, "Running")
            waiting = [stage.one("-l", "host=1,walltime=0:10", "true"),
                       stage.one("-l", "core=1,walltime=0:10", "-a", str(running[0]), "true")]
            stage.rest(2)
            if with_web and pages is None:
                pages = web.look(lab, 7200)
                findings += pages["findings"]
            if script:
                times[word] = go(lab, script, findings)
                report(f"{word}: {times[word]:.2f} s")
            states.until("the states were not read again", lambda of: all(job.number in of for job in running))
            for job in running:
                state = states.of[job.number][0]
                if state != "Running":
                    findings.append(f"{word}: a running job is {state}")
            stage.open_gate("a")
            try:
                stage.ends(*running, *waiting)
            except SceneError as error:
                findings.append(f"{word}: {error}")
            findings += lost(lab, record, word)
            if not script:
                break
    finally:
        states.stop()
    return {"times": times, "findings": findings, "web": pages}


def go(lab, script, findings):
    """Runs the script; seconds until it said that the server is there."""
    began = time.monotonic()
    code, out, errors = lab.run("server", "sh", "-c", script)
    seconds = time.monotonic() - began
    if code != 0:
        findings.append(f"{script}: ended with {code}: {errors[-300:]}{out[-300:]}")
    if seconds > LIMIT:
        findings.append(f"{script}: took {seconds:.1f} s, more than {LIMIT} s")
    return seconds


def lost(lab, record, word):
    """Jobs that did not end as they should have, and queues that stopped."""
    for one in record.expected:
        row = lab.database.lines(f"select state, exit_code from jobs where job_id = {one['job']}")
        if row != [f"{one['state']}|{one['exit_code']}"]:
            yield f"{word}: job {one['name']} is {row}, not {one['state']} {one['exit_code']}"
    for queue in lab.database.lines("select queue_name from queues where state <> 'Active'"):
        yield f"{word}: queue {queue} is not Active"
