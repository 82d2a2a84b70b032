#!/usr/bin/env python3
"""A plug-in that finds: jobs with the type find=contiguous get resources whose ids follow each other.

It serves requests for single resources; for others it has nothing. The argument `aligned` lets each run
begin at a multiple of its length, counted from 1: find=contiguous:aligned.
"""
import json
import sys


def members(ranges):
    for part in ranges.split(",") if ranges else []:
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def run_of(need, free, aligned):
    run = []
    for one in free:
        run = run + [one] if run and run[-1] == one - 1 else [one]
        while aligned and run and len(run) == 1 and (run[0] - 1) % need:
            run = []
        if len(run) == need:
            return run
    return None


for line in sys.stdin:
    question = json.loads(line)
    assert question["version"] == 1 and question["kind"] == "find"
    need = question["need"]
    run = run_of(need, members(question["free"]), "aligned" in question["arguments"])
    if run:
        answer = {"places": f"{run[0]}-{run[-1]}"}
    else:
        answer = {"places": None, "reason": f"there are no {need} in a row"}
    print(json.dumps(answer), flush=True)
