#!/usr/bin/env python3
"""Builds the fuzz targets with libFuzzer, ASan and UBSan, and runs each for some seconds.

One line per target, then "N passed, N failed". What a target finds stays under build/fuzz:
corpus/TARGET (inputs that reached code of their own), logs/TARGET.log and crashes/TARGET-*.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "fuzz"
SANITIZERS = "fuzzer,address,undefined"
BINARIES = ROOT / "build" / ("san-" + SANITIZERS.replace(",", "-")) / "tests" / "fuzz"
WORK = ROOT / "build" / "fuzz"
LIMITS = {"rss_limit_mb": "512", "timeout": "5"}
PARALLEL = 2
KEPT_INPUT_BYTES_MAX = 1024  # of an input that joins the committed corpus


@dataclass
class Outcome:
    target: str
    passed: bool
    executions: int
    edges: int
    corpus: int
    crashes: list[Path]
    log: Path

    def line(self) -> str:
        return (f"{'ok  ' if self.passed else 'FAIL'}  {self.target:<28} {self.executions:>12,} executions"
                f" {self.edges:>7,} edges {self.corpus:>6,} inputs")


def targets(only: str) -> list[str]:
    """Names without fuzz_, those named in only (comma-separated) or all."""
    every = sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.c"))
    wanted = [name.removeprefix("fuzz_") for name in only.split(",") if name]
    unknown = sorted(set(wanted) - set(every))
    if unknown:
        sys.exit(f"no such target: {', '.join(unknown)} (there are {', '.join(every)})")
    return wanted or every


def build(names: list[str]) -> None:
    binaries = [str((BINARIES / f"fuzz_{name}").relative_to(ROOT)) for name in names]
    command = ["make", "-s", "-C", str(ROOT), f"-j{os.cpu_count() or 1}", "CC=clang", f"SAN={SANITIZERS}", *binaries]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        sys.exit("the fuzz targets do not build")


def options(name: str) -> tuple[dict[str, str], str]:
    """libFuzzer's options of the target, and its captures: a pattern of files under $OKX_CAPTURES."""
    parser = configparser.ConfigParser()
    parser.read(HERE / f"fuzz_{name}.options")
    settings = dict(parser["libfuzzer"]) if parser.has_section("libfuzzer") else {}
    if "dict" in settings:
        settings["dict"] = str(HERE / settings["dict"])
    captures = parser.get("seeds", "captures", fallback="")
    return {**LIMITS, **settings}, captures


def seeds(name: str, captures: str) -> list[Path]:
    folders = [HERE / "corpus" / f"fuzz_{name}"]
    source = os.environ.get("OKX_CAPTURES", "")
    if captures and source:
        folder = WORK / "captures" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in Path(source).glob(captures):
            (folder / path.name).symlink_to(path.resolve())
        folders.append(folder)
    return folders


def command_of(name: str, **more: str) -> list[str]:
    settings, _ = options(name)
    flags = [f"-{key}={value}" for key, value in {**settings, **more}.items()]
    return [str(BINARIES / f"fuzz_{name}"), *flags]


def fuzz(name: str, seconds: int) -> Outcome:
    corpus = WORK / "corpus" / f"fuzz_{name}"
    crashes = WORK / "crashes"
    log = WORK / "logs" / f"fuzz_{name}.log"
    for folder in (corpus, crashes, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(crashes.iterdir())
    command = command_of(name, max_total_time=str(seconds), print_final_stats="1",
                         artifact_prefix=f"{crashes}/fuzz_{name}-")
    folders = [corpus, *seeds(name, options(name)[1])]
    with log.open("wb") as out:
        status = subprocess.run([*command, *map(str, folders)], stdout=out, stderr=out, cwd=ROOT, check=False).returncode
    text = log.read_text(errors="replace")
    progress = re.findall(r"cov: (\d+) ft: \d+ corp: (\d+)/", text) or [("0", "0")]
    executions = re.findall(r"stat::number_of_executed_units:\s*(\d+)", text) or re.findall(r"^#(\d+)\s", text, re.M) or ["0"]
    return Outcome(f"fuzz_{name}", status == 0, int(executions[-1]), int(progress[-1][0]), int(progress[-1][1]),
                   sorted(set(crashes.iterdir()) - before), log)


def run(names: list[str], seconds: int) -> int:
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        for outcome in pool.map(lambda name: fuzz(name, seconds), names):
            print(outcome.line(), flush=True)
            if outcome.passed:
                continue
            failed += 1
            print(f"      log: {outcome.log.relative_to(ROOT)}")
            for crash in outcome.crashes:
                print(f"      replay: {(BINARIES / outcome.target).relative_to(ROOT)} {crash.relative_to(ROOT)}")
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


def keep(name: str) -> int:
    """Adds the smallest inputs that reach code (edges, not counts of them) which the committed seeds do not."""
    committed = HERE / "corpus" / f"fuzz_{name}"
    found = WORK / "corpus" / f"fuzz_{name}"
    if not found.is_dir():
        return 0
    committed.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as small:
        for path in found.iterdir():
            if path.stat().st_size <= KEPT_INPUT_BYTES_MAX:
                shutil.copy(path, small)
        before = len(list(committed.iterdir()))
        subprocess.run([*command_of(name, merge="1", use_counters="0"), str(committed), small], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return len(list(committed.iterdir())) - before


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--only", default="", help="these targets, separated by commas")
    parser.add_argument("--keep", action="store_true", help="do not fuzz; add what was found to tests/fuzz/corpus")
    arguments = parser.parse_args()
    names = targets(arguments.only)
    build(names)
    if not arguments.keep:
        return run(names, arguments.seconds)
    for name in names:
        print(f"fuzz_{name}: {keep(name)} inputs added")
    return 0


if __name__ == "__main__":
    sys.exit(main())
