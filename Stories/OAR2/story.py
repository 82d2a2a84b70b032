"""Judges configurations of Liburna with OAR 2 on a real OAR 2 in the lab: the same workload runs through OAR 2
alone and through each of them, and a line is printed for each.

usage: Scripts/story-oar2 [OPTION...] [CONFIGURATION...]   (all of them unless some are given)

Ends with 1 if a job was lost, a row is not as OAR leaves it, or a difference is not explained in
Docs/OAR2-differences.md.
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import backout
import compare
import drive
import judge
import measure
import web
from configurations import CONFIGURATIONS
from lab import Lab, LabError
from stage import SceneError

REFERENCE = "oar2"
# Findings and differences that are shown of one configuration.
SHOWN = 40


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1000, metavar="N", help="jobs of the workload [1000]")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another order of the same scenes [1]")
    parser.add_argument("--lanes", type=int, default=8, metavar="N", help="scenes at the same time [8]")
    parser.add_argument("--trials", type=int, default=measure.TRIALS, metavar="N",
                        help="how often each latency is measured; 0 leaves it out [%(default)s]")
    parser.add_argument("--together", action="store_true",
                        help="all configurations at once, as CI has little time; latencies mean nothing then")
    parser.add_argument("--no-web", action="store_true", help="without Monika and DrawGantt")
    parser.add_argument("--reference", metavar="FILE",
                        help="what OAR 2 alone left, kept from another run of the same size and seed")
    parser.add_argument("--alone", action="store_true", help="judged, but not compared with OAR 2 alone")
    parser.add_argument("--keep", metavar="DIRECTORY", help="where to keep what each left, for Scripts/compare-oar2")
    parser.add_argument("--programs", default=".build/release", metavar="DIRECTORY", help="[%(default)s]")
    parser.add_argument("-v", "--verbose", action="store_true", help="each scene as it ends")
    parser.add_argument("configurations", nargs="*", metavar="CONFIGURATION",
                        choices=[[], *(one.name for one in CONFIGURATIONS)])
    return parser.parse_args()


class Story:
    """One run of the story: its options, and what OAR 2 alone left."""

    def __init__(self, wanted, place):
        self.wanted = wanted
        self.place = place
        self.reference = drive.load(wanted.reference) if wanted.reference else None
        self.has_reference = threading.Event()
        if self.reference or wanted.alone:
            self.has_reference.set()
        if self.reference and (self.reference["size"], self.reference["seed"]) != (wanted.size, wanted.seed):
            sys.exit(f"{wanted.reference} is of {self.reference['size']} jobs and seed {self.reference['seed']}")

    def report(self, configuration):
        """What tells of the progress of one of them."""

        def tell(text):
            if self.wanted.verbose:
                print(f"    {configuration.name}: {text}", flush=True)

        return tell

    def run(self, configuration):
        """The whole of one configuration; what is found, and the figures of its line."""
        report = self.report(configuration)
        lab = Lab(f"story-{configuration.name}-{os.getpid()}", self.wanted.programs, configuration.name,
                  self.wanted.lanes, self.place, () if self.wanted.no_web else web.PACKAGES)
        try:
            lab.start()
            result = drive.run(lab, self.wanted.size, self.wanted.seed, report)
            findings, errors = judge.judge(result)
            if not self.wanted.no_web:
                web.configure(lab)
            back = backout.try_it(lab, configuration, report, with_web=not self.wanted.no_web)
            findings += back["findings"]
            figures = measure.measure(lab, self.wanted.trials, report) if self.wanted.trials else None
        finally:
            # The others must not wait for a reference that will not come.
            if configuration.name == REFERENCE and sys.exc_info()[0] is not None:
                self.has_reference.set()
            lab.stop()
        result |= {"configuration": configuration.name, "back": back, "figures": figures}
        if self.wanted.keep:
            drive.keep(result, os.path.join(self.wanted.keep, f"{configuration.name}.json"))
        return result, findings, errors

    def judged(self, configuration):
        """Runs a configuration, prints its line and what was found; whether all was well."""
        began = time.monotonic()
        try:
            result, findings, errors = self.run(configuration)
        except (LabError, SceneError, OSError, subprocess.SubprocessError) as error:
            print(f"{configuration.name:<17} {error}: FAILED", flush=True)
            if self.wanted.verbose:
                traceback.print_exc()
            return False
        known, differences = [], []
        if configuration.name == REFERENCE:
            self.reference = self.reference or result
            self.has_reference.set()
        # Beside others, the reference may end last.
        self.has_reference.wait()
        if self.reference and self.reference is not result:
            known, differences = compare.compare(self.reference, result, configuration.name)
            findings += compare_pages(self.reference, result)
        verdict = "ok" if not findings and not differences else "FAILED"
        text = [line(configuration, result, errors, known, differences, verdict, time.monotonic() - began)]
        text += [f"    {one}" for one in findings[:SHOWN]]
        classes = list(compare.texts(differences))
        text += ["    " + one.replace("\n", "\n    ") for one in classes[:SHOWN]]
        left = max(0, len(findings) - SHOWN) + max(0, len(classes) - SHOWN)
        if left:
            text.append(f"    and {left} more; --keep keeps the tables for Scripts/compare-oar2")
        print("\n".join(text), flush=True)
        return verdict == "ok"


def compare_pages(reference, result):
    """What Monika and DrawGantt show differently; what they show beside, as a property more, is no loss."""
    first, second = ((one.get("back") or {}).get("web") for one in (reference, result))
    if not first or not second:
        return []
    return [f"{what}: {first['shape'][what]} became {second['shape'][what]}"
            for what in first["shape"] if not set(first["shape"][what]) <= set(second["shape"][what])]


def line(configuration, result, errors, known, differences, verdict, seconds):
    """One configuration in one line."""
    parts = [f"{configuration.name:<17} {len(result['tables']['jobs']):>5} jobs {result['seconds']:>7.1f} s",
             f"{errors} wrong errors", f"{len(differences)} differences ({len(known)} known)"]
    if figures := result["figures"]:
        parts.append(f"start {figures['start']:.2f} s ({figures['start after the answer']:.2f} s after the answer), "
                     f"next {figures['next']:.2f} s, 100 oarsub {figures['submissions']:.1f} s")
    for word, taken in result["back"]["times"].items():
        parts.append(f"{word} {taken:.1f} s")
    if pages := result["back"]["web"]:
        parts.append(f"Monika {pages['jobs of Monika']} jobs, DrawGantt {pages['jobs of DrawGantt']}")
    return ", ".join(parts) + f", {seconds:.0f} s in all: {verdict}"


def shipped(programs):
    """The compositions that there are."""
    out = subprocess.run([os.path.join(programs, "liburna"), "lab", "init", "--list"],
                         capture_output=True, text=True, check=True).stdout
    return {row.split()[0] for row in out.splitlines()[1:] if row.strip()}


def main():
    wanted = options()
    chosen = [one for one in CONFIGURATIONS if not wanted.configurations or one.name in wanted.configurations]
    there = shipped(wanted.programs)
    if wanted.keep:
        os.makedirs(wanted.keep, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="liburna-story-oar2.", dir="/var/tmp") as place:
        story = Story(wanted, place)
        if story.reference is None and not wanted.alone and not any(one.name == REFERENCE for one in chosen):
            chosen.insert(0, CONFIGURATIONS[0])
        missing = [one for one in chosen if one.name not in there]
        for one in missing:
            print(f"{one.name:<17} there is no such composition: FAILED", flush=True)
        chosen = [one for one in chosen if one not in missing]
        with concurrent.futures.ThreadPoolExecutor(len(chosen) if wanted.together else 1) as pool:
            verdicts = list(pool.map(story.judged, chosen))
    return 0 if all(verdicts) and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
