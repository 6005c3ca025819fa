#!/usr/bin/env python3
"""Endurance: the same fault over and over, or for ten minutes, under load; afterwards nothing may be lost.

After each loop the simulator's ledger, the topic and the table are compared trade by trade.
Loops are named on the command line; all of them when none is. ENDURANCE_SCALE=0.05 makes
everything that much shorter. Exit status: 0 all passed, 1 not.
"""

from __future__ import annotations

import os
import sys
import time
import traceback

from load import Outcome  # first: it knows where the other modules are
from loops import LOOPS

HEADER = (
    "| loop | seen | trades | missing, different, unknown | twice in topic | twice in table | recovery median, worst | "
    "peak memory, MB | |\n|---|---|---|---|---|---|---|---|---|"
)


def row(outcome: Outcome) -> str:
    """The outcome as a line of the table; the first figures are those of the topic and of the table."""
    wrong = twice_topic = twice_table = "?"
    if outcome.topic and outcome.table:
        pairs = [(c.missing, c.different, c.unknown) for c in (outcome.topic, outcome.table)]
        wrong = " / ".join(", ".join(str(n) for n in pair) for pair in pairs)
        twice_topic, twice_table = str(outcome.topic.twice), str(outcome.table.twice)
    times = sorted(outcome.recoveries)
    recovery = f"{times[len(times) // 2]:.1f} s, {times[-1]:.1f} s" if times else ""
    peaks = ", ".join(f"{name} {megabytes:.0f}" for name, megabytes in sorted(outcome.peaks.items()))
    cells = [outcome.name, outcome.happened, f"{outcome.trades:,}", wrong, twice_topic, twice_table, recovery, peaks]
    return f"| {' | '.join(cells)} | {'passed' if outcome.has_passed() else 'FAILED'} |"


def run(name: str, scale: float) -> Outcome:
    """One loop; what it raises counts as its failure."""
    try:
        return LOOPS[name](scale)
    except Exception as error:
        traceback.print_exc()
        return Outcome(name, "it did not come to its end", problems=[str(error)])


def main() -> int:
    names = sys.argv[1:] or list(LOOPS)
    unknown = [name for name in names if name not in LOOPS]
    if unknown:
        print(f"unknown loop {unknown[0]!r}; there are {', '.join(LOOPS)}", file=sys.stderr)
        return 2
    scale = float(os.environ.get("ENDURANCE_SCALE", "1"))
    failed = 0
    print(HEADER, flush=True)
    for name in names:
        started = time.monotonic()
        outcome = run(name, scale)
        failed += not outcome.has_passed()
        print(row(outcome), flush=True)
        for problem in outcome.problems:
            print(f"{name}: {problem}", file=sys.stderr)
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
