#!/usr/bin/env python3
"""A plug-in that assigns: jobs with the type assign=hourly start on the hour, counted from the epoch.

With an argument they start at other steps: assign=hourly:every=600.
"""
import json
import sys


def read():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


def write(answer):
    print(json.dumps(answer), flush=True)


def ask(**question):
    write(question)
    return read()


while True:
    question = read()
    assert question["version"] == 1 and question["kind"] == "assign"
    step = int(question["options"].get("every", 3600))
    earliest = question["not_before"]
    while True:
        spot = ask(ask="earliest", not_before=earliest)
        if spot["start"] is None:
            write({"start": None, "reason": "it fits at no full hour"})
            break
        hour = -(-spot["start"] // step) * step
        spot = ask(ask="spot", at=hour)
        if spot["start"] is not None:
            write({"start": spot["start"], "places": spot["places"]})
            break
        earliest = hour + 1
