"""Shows what shell scripts that drain nodes for jobs do wrong, and bebida in the same places: brings up a lab with
each, with a real Slurm and a real Kubernetes on the same two nodes, brings about what happens to batch systems, and
prints a table. Ends with 1 if bebida was wrong anywhere; what the scripts do is shown, and not judged.

usage: Scripts/story-bebida-hazards [--one-by-one] [--only TEXT] [--programs DIRECTORY] [-v]
"""

import argparse
import os
import sys
import textwrap
import threading
import traceback

from scenarios import SCENARIOS, Found
from stage import Site, StoryError

WIDTH = 44


class Run:
    """All scenarios on one site."""

    def __init__(self, title, site, wanted, verbose):
        self.title, self.site, self.wanted, self.verbose = title, site, wanted, verbose
        self.found = {}
        self.trouble = ""

    def run(self):
        try:
            self.site.start()
            for name, scenario in self.wanted:
                self.found[name] = self.play(scenario)
                if self.verbose:
                    print(f"    {self.title}: {name}: {'; '.join(filter(None, self.found[name].words))}", flush=True)
                self.site.settle()
        except Exception:  # pylint: disable=broad-except -- told, and the lab ends
            self.trouble = traceback.format_exc()
            if self.verbose:
                print(f"    {self.title}: {self.trouble}", flush=True)
        finally:
            try:
                self.site.stop()
            except Exception as error:  # pylint: disable=broad-except
                self.trouble += f"\n{error}"

    def play(self, scenario):
        found = Found()
        self.site.witness.forget()
        try:
            scenario(self.site, found)
        except StoryError as error:
            found.add(False, "", "stuck: " + str(error).split(";", maxsplit=1)[0])
            if self.verbose:
                print(f"    {self.title}: {error}", flush=True)
        return found


def table(names, scripts, bebida):
    """Rows of four columns, cut at words."""
    head = ("what happens", "the drain scripts", "bebida", "bebida is")
    rows = [[name, *["; ".join(filter(None, run.found[name].words)) if name in run.found else "not run" for run in (scripts, bebida)],
             "right" if name in bebida.found and bebida.found[name].is_right else "WRONG"] for name in names]
    for row in [head, *rows]:
        cells = [textwrap.wrap(cell, WIDTH) or [""] for cell in row]
        for number in range(max(map(len, cells))):
            print("  ".join((cell[number] if number < len(cell) else "").ljust(WIDTH) for cell in cells).rstrip())
        print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one-by-one", action="store_true", help="one lab after the other, not both at once")
    parser.add_argument("--only", metavar="TEXT", help="the scenarios whose names contain it")
    parser.add_argument("--programs", default=".build/release", metavar="DIRECTORY", help="[%(default)s]")
    parser.add_argument("-v", "--verbose", action="store_true", help="each scenario as it ends")
    options = parser.parse_args()
    wanted = [one for one in SCENARIOS if (options.only or "") in one[0]]
    here = os.path.dirname(os.path.abspath(__file__))
    compositions = {"the drain scripts": os.path.join(here, "../../Benchmarks/bebida/scripts-slurm.yaml"),
                    "bebida": "bebida-slurm"}
    runs = [Run(title, Site(f"hazards-{number}-{os.getpid()}", options.programs, composition), wanted, options.verbose)
            for number, (title, composition) in enumerate(compositions.items(), 1)]
    threads = [threading.Thread(target=run.run) for run in runs]
    for thread in threads:
        thread.start()
        if options.one_by_one:
            thread.join()
    for thread in threads:
        thread.join()
    table([name for name, _ in wanted], *runs)
    for run in runs:
        if run.trouble:
            print(f"{run.title}: {run.trouble}", file=sys.stderr)
    ours = runs[1].found
    is_right = len(ours) == len(wanted) and all(found.is_right for found in ours.values())
    return 0 if is_right and not any(run.trouble for run in runs) else 1


sys.exit(main())
