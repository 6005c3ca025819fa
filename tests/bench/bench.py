#!/usr/bin/env python3
"""The benchmark: figures of the whole pipeline on real servers, each as a ratio to what the libraries allow.

A figure is a module figure_X.py with TITLE and run(bench), which yields report.Comparison. Limit and product are
measured in turns within each round, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

from context import RESULTS, Bench
from machine import Machine, description
from report import Comparison, table
from stack import Stack

FIGURES = sorted(path.stem.removeprefix("figure_") for path in Path(__file__).parent.glob("figure_*.py"))


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line; BENCH=quick and ONLY=a,c say the same in the environment."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", default=os.environ.get("BENCH") == "quick", help="under three minutes"
    )
    parser.add_argument("--only", default=os.environ.get("ONLY", ""), help=f"of {','.join(FIGURES)}")
    options = parser.parse_args(arguments)
    options.figures = [each for each in options.only.split(",") if each] or FIGURES
    unknown = set(options.figures) - set(FIGURES)
    if unknown:
        parser.error(f"no such figure: {','.join(sorted(unknown))} (there are {','.join(FIGURES)})")
    return options


def measure(figures: list[str], bench: Bench) -> list[Comparison]:
    """Every figure in turn.."""
    comparisons: list[Comparison] = []
    for name in figures:
        module = importlib.import_module(f"figure_{name}")
        bench.say(f"figure {name}: {module.TITLE}")
        started = time.monotonic()
        comparisons += module.run(bench)
        bench.say(f"figure {name} took {time.monotonic() - started:.0f} s")
    return comparisons


def write_json(comparisons: list[Comparison], machine: Machine, options: argparse.Namespace) -> Path:
    """The results for programs: build/bench/bench-TIME.json."""
    now = datetime.now(timezone.utc)
    path = RESULTS / f"bench-{now:%Y%m%dT%H%M%SZ}.json"
    content = {
        "at": now.isoformat(timespec="seconds"),
        "form": "quick" if options.quick else "full",
        "machine": machine.as_json(),
        "comparisons": [each.as_json() for each in comparisons],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def main() -> int:
    """Prints the table on stdout and progress on stderr; 0 when everything could be measured."""
    options = parse_arguments(sys.argv[1:])
    RESULTS.mkdir(parents=True, exist_ok=True)
    machine = Machine()
    with Stack(logs=RESULTS / "logs/stack") as stack:
        comparisons = measure(options.figures, Bench(stack, machine, is_quick=options.quick))
    path = write_json(comparisons, machine, options)
    only = f" ONLY={','.join(options.figures)}" if options.figures != FIGURES else ""
    print(f"`{'BENCH=quick ' if options.quick else ''}make bench{only}` on {description()}.")
    print(f"{machine.verdict()} Each value: median (minimum to maximum) of interleaved rounds.\n")
    print(table(comparisons), flush=True)
    print(f"bench: written to {path}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
