#!/usr/bin/env python3
"""A plug-in that sorts: jobs with a short walltime are planned before those with a long one."""
import json
import sys

for line in sys.stdin:
    question = json.loads(line)
    assert question["version"] == 1 and question["kind"] == "sort"
    jobs = sorted(
        question["jobs"], key=lambda job: min(shape["walltime"] for shape in job["moldables"])
    )
    print(json.dumps({"order": [job["id"] for job in jobs]}), flush=True)
