#!/usr/bin/env python3
"""Instructions per record of the data path's steps, under valgrind: repeatable where seconds are not.

Without arguments prints them; --update writes them into the baseline as those of this compiler and C library.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("INSTRUCTIONS_PROGRAM", REPOSITORY / "build/bench/bin/instructions"))
BASELINE = Path(__file__).with_name("instructions.json")
FEW, MANY = 1000, 3000
TOLERANCE = 0.03


@cache
def build() -> str:
    """What counts depend on: "gcc 12.2, glibc 2.36, x86_64"."""
    return subprocess.run([PROGRAM, "--build"], check=True, capture_output=True, text=True).stdout.strip()


@cache
def operations() -> list[str]:
    """The steps that can be counted."""
    return subprocess.run([PROGRAM, "--list"], check=True, capture_output=True, text=True).stdout.split()


def baseline() -> dict[str, dict[str, int]]:
    """Build to operation to instructions per record."""
    return json.loads(BASELINE.read_text())


def count(operation: str) -> int:
    """Instructions for one record: the difference of two runs, so that what happens once is left out."""
    return round((_collected(operation, MANY) - _collected(operation, FEW)) / (MANY - FEW))


def _collected(operation: str, times: int) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", PROGRAM, operation, str(times)]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or found is None:
        raise RuntimeError(f"valgrind ended with {done.returncode}\n{done.stderr}")
    return int(found[1])


def main() -> int:
    """Prints the table; with --update writes the baseline."""
    counts = {operation: count(operation) for operation in operations()}
    known = baseline()
    before = known.get(build(), {})
    print(f"Instructions per record ({build()}):\n")
    for operation, now in counts.items():
        then = before.get(operation)
        print(f"  {operation:20} {now:6}   {f'{now / then - 1:+.1%}' if then else 'not in the baseline'}")
    if "--update" in sys.argv[1:]:
        known[build()] = counts
        BASELINE.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
