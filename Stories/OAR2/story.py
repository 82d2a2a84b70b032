import argparse
import os
import sys

import drive
from lab import Lab

if __name__ == "__main__":
    name, composition, size, lanes, out, programs = sys.argv[1:7]
    lab = Lab(name, programs, composition, int(lanes), os.path.dirname(out))
    lab.start()
    result = drive.run(lab, int(size), 1, lambda text: print(text, flush=True))
    drive.keep(result, out)
    print(result["seconds"], result["problems"])
    if len(sys.argv) < 8:
        lab.stop()
