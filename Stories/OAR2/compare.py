#!/usr/bin/env python3
"""Compares what the same workload left in the tables of OAR 2 alone and of a configuration of ours. Prints
each difference that the list of known ones does not have, once, with how often it was seen and an example.

usage: Scripts/compare-oar2 [--configuration NAME] [--all] REFERENCE.json OURS.json

  --configuration NAME  which rows of Docs/OAR2-differences.md count
  --all                 print the known differences as well
"""

import argparse
import collections
import os
import re
import sys

import drive
from rows import Tables, command_records, job_records, other_records

KNOWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Docs/OAR2-differences.md")
# How much of a long value is shown.
SHOWN = 400


class Difference:
    """One class of differences: what kind of job, where, and what each side has."""

    def __init__(self, kind, where, reference, ours):
        self.kind, self.where, self.reference, self.ours = kind, where, str(reference), str(ours)
        self.examples = []
        self.reason = None


def texts(differences):
    """The differences to be read: those that are the same for jobs of several kinds are shown once."""
    groups = collections.defaultdict(list)
    for one in differences:
        groups[one.where, one.reference, one.ours].append(one)
    for (where, reference, ours), group in groups.items():
        count = sum(len(one.examples) for one in group)
        kinds = ", ".join(one.kind for one in group)
        yield (f"{count} × {where}: {kinds} (as {group[0].examples[0]})\n"
               f"    OAR 2: {shown(reference)}\n    ours:  {shown(ours)}")


def shown(value):
    value = value.replace("\n", "\\n") or "(nothing)"
    return value if len(value) <= SHOWN else value[:SHOWN] + "…"


class Known:
    """A row of the list of known differences; each field is a pattern as file names have them."""

    def __init__(self, fields):
        self.configurations, self.kind, self.where, self.reference, self.ours, self.why = fields
        self.used = 0

    def covers(self, configuration, difference):
        if configuration and not any(matches(name, configuration) for name in self.configurations.split()):
            return False
        return all(any(matches(one, value) for one in pattern.split(" or ")) for pattern, value in (
            (self.kind, difference.kind), (self.where, difference.where),
            (self.reference, difference.reference or "(nothing)"), (self.ours, difference.ours or "(nothing)")))


def matches(pattern, value):
    """Whether a value is as a pattern says: `*` is any text, `?` any letter, all else itself."""
    parts = re.split(r"([*?])", pattern)
    expression = "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(expression, value, re.DOTALL) is not None


def known_differences(path=KNOWN):
    """The rows of the tables of the document that have six columns."""
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            cells = [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
            cells = [cell.replace("\\|", "|") for cell in cells]
            if len(cells) == 6 and cells[0] != "configurations" and not set(cells[0]) <= set("-: "):
                found.append(Known(cells))
    return found


def kind_of(name):
    """The kind of a job or scene: its name without numbers."""
    return name.split(".")[0]


def differences(reference, ours):
    """All classes of differences between two runs."""
    found = {}

    def add(name, kind, where, first, second):
        key = (kind, where, str(first), str(second))
        found.setdefault(key, Difference(kind, where, first, second)).examples.append(name)

    def compare(name, kind, first, second):
        for where in sorted(first.keys() | second.keys()):
            if first.get(where) != second.get(where):
                add(name, kind, where, first.get(where, "(none)"), second.get(where, "(none)"))

    left, right = job_records(reference), job_records(ours)
    for name in sorted(left.keys() | right.keys()):
        if name not in left or name not in right:
            add(name, kind_of(name), "jobs", *("there" if name in side else "missing" for side in (left, right)))
        else:
            compare(name, kind_of(name), left[name], right[name])
    compare("the site", "site", other_records(reference), other_records(ours))
    left, right = command_records(reference), command_records(ours)
    for scene in sorted(left.keys() | right.keys()):
        for first, second in zip(left.get(scene, []), right.get(scene, [])):
            if first != second:
                add(scene, kind_of(scene), f"command {first[0].split(' ')[0]}", first[1], second[1])
    return sorted(found.values(), key=lambda one: (one.where, one.kind))


def compare(reference, ours, configuration):
    """The differences that are known, and those that are not."""
    known = known_differences()
    explained, open_ones = [], []
    for difference in differences(Tables(reference), Tables(ours)):
        row = next((row for row in known if row.covers(configuration, difference)), None)
        if row is None:
            open_ones.append(difference)
        else:
            row.used += 1
            difference.reason = row.why
            explained.append(difference)
    return explained, open_ones


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--configuration", default="")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("reference")
    parser.add_argument("ours")
    options = parser.parse_args()
    explained, open_ones = compare(
        drive.load(options.reference), drive.load(options.ours), options.configuration)
    if options.all:
        for reason in dict.fromkeys(difference.reason for difference in explained):
            print(f"known: {reason}")
            for text in texts(one for one in explained if one.reason == reason):
                print(text)
        print("not explained:")
    for text in texts(open_ones):
        print(text)
    reasons = collections.Counter(difference.reason for difference in explained)
    print(f"{len(open_ones)} unexplained differences, {len(explained)} explained by {len(reasons)} reasons")
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
