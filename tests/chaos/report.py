"""What a run shows and keeps: a line per round, tables at the end, and everything as JSON under build/chaos."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from checker import Findings
from faults import Fault
from mutations import MUTATIONS
from pipeline import MEMORY_LIMIT_MIB
from rounds import Round, Verdict
from watch import Watch
from world import World

VOID_SHARE_MAX = 0.1
DESCRIPTORS_LIMIT = {"ingestor": 80, "persister": 56, "scheduler": 72}
MIB = 1024


class Report:
    """Collects the rounds, and decides how the run ended."""

    def __init__(self, directory: Path, seed: int, rate: int, is_sanitized: bool) -> None:
        self._directory = directory
        self._seed = seed
        self._rate = rate
        self._bounds_memory = not is_sanitized  # whose shadow memory is not ours
        self._started = time.monotonic()
        self._rounds: list[Round] = []
        self._seen: Counter[str] = Counter()
        self._limits: dict[str, float] = {}
        self._worst: dict[str, float] = {}
        self._skipped: dict[str, str] = {}
        self._problems: list[str] = []
        self._final: list[Findings] = []
        self._trades = 0
        self._peaks: dict[str, dict[str, int]] = {}

    def begin(self, plan: list[list[Fault]]) -> None:
        """The head of the table."""
        kinds = len({each.name for faults in plan for each in faults})
        print(f"chaos: seed {self._seed}, {len(plan)} rounds, {kinds} kinds of faults, {self._rate} trades/s")
        print(f"{'round':>5}  {'verdict':7}  {'fault':>6}  {'recovery':>8}  {'records':>8}  what happened", flush=True)

    def skip(self, fault: Fault, reason: str) -> None:
        """A kind that cannot be injected here."""
        self._skipped[fault.name] = reason
        print(f"chaos: {fault.name} skipped: {reason}")

    def take(self, result: Round, faults: list[Fault]) -> None:
        """A round that is over."""
        self._rounds.append(result)
        self._seen.update(result.seen())
        for fault in faults:
            self._limits[fault.name] = fault.limit_seconds
            if len(faults) == 1:
                self._worst[fault.name] = max(self._worst.get(fault.name, 0), result.recovery_seconds)
        happened = "; ".join(f"{name}: {text}" for name, text in zip(result.faults, result.evidence, strict=False))
        print(
            f"{result.number:>5}  {result.verdict:7}  {result.fault_seconds:5.1f}s  {result.recovery_seconds:7.1f}s  "
            f"{result.records:>8,}  {happened}"
        )
        for problem in result.problems:
            print(f"         {problem}")
        print(end="", flush=True)
        with (self._directory / "rounds.jsonl").open("a") as log:
            log.write(json.dumps(result.as_json()) + "\n")

    def take_final(self, verdict: Verdict) -> None:
        """The complete comparison at the end."""
        self._final, self._trades = verdict.findings, verdict.trades
        self._problems += verdict.unseen_mutations
        print(f"chaos: the exchange executed {verdict.trades:,} trades; all of them again, from the beginning:")
        for each in verdict.findings:
            print(f"         {each}")
            if not each.is_clean():
                self._problems += [str(each), *each.examples]
        seen = len(MUTATIONS) - len(verdict.unseen_mutations)
        print(f"         of {len(MUTATIONS)} rows spoilt on purpose the checker saw {seen}")

    def take_watch(self, watch: Watch) -> None:
        """Memory and descriptors."""
        for kind, peak in sorted(watch.peak_kib.items()):
            count = watch.peak_descriptors[kind]
            self._peaks[kind] = {"rss_mib": round(peak / MIB), "descriptors": count}
            if self._bounds_memory and peak > MEMORY_LIMIT_MIB[kind] * MIB:
                self._problems.append(f"{kind}: {peak / MIB:.0f} MiB, the limit is {MEMORY_LIMIT_MIB[kind]}")
            if count > DESCRIPTORS_LIMIT[kind]:
                self._problems.append(f"{kind}: {count} file descriptors, the limit is {DESCRIPTORS_LIMIT[kind]}")

    def take_stop(self, world: World) -> None:
        """How the services ended."""
        self._problems += world.stop_problems + list(world.reports())

    def fail(self, problem: str) -> None:
        """Something that belongs to no round."""
        self._problems.append(problem)

    def finish(self) -> int:
        """The tables, the record and the last line; the exit status."""
        counts = Counter(each.verdict for each in self._rounds)
        if counts["void"] > max(1, VOID_SHARE_MAX * len(self._rounds)):
            self._problems.append(f"{counts['void']} of {len(self._rounds)} rounds are void")
        self._show_faults()
        self._show_summary(counts)
        for problem in self._problems:
            print(f"chaos: {problem}")
        (self._directory / "summary.json").write_text(json.dumps(self._as_json(counts), indent=1) + "\n")
        failed = counts["failed"] + len(self._problems)
        print(f"{counts['passed']} passed, {failed} failed", flush=True)
        return 0 if failed == 0 and counts["passed"] > 0 else 1

    def _show_faults(self) -> None:
        print(f"\n{'fault':26} {'seen':>5} {'worst recovery':>15} {'limit':>7}")
        for name in sorted(self._limits):
            worst = f"{self._worst[name]:.1f} s" if name in self._worst else "with others"
            print(f"{name:26} {self._seen[name]:>5} {worst:>15} {self._limits[name]:>5.0f} s")
        for name, reason in self._skipped.items():
            print(f"{name:26} skipped: {reason}")

    def _show_summary(self, counts: Counter[str]) -> None:
        def total(kind: str) -> int:
            """The rounds find what the end finds again."""
            in_rounds = sum(getattr(each, kind) for each in self._rounds)
            return max(in_rounds, sum(getattr(each, kind) for each in self._final))

        verdicts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("passed", "failed", "void"))
        print(f"\nrounds        {len(self._rounds)} ({verdicts})")
        print(f"trades        {self._trades:,}")
        for kind in ("lost", "duplicated", "different", "phantom", "disordered"):
            print(f"{kind:13} {total(kind)}")
        print(f"worst single  {max(self._worst.values(), default=0):.1f} s to recover")
        for kind, peak in self._peaks.items():
            print(f"{kind:13} peak {peak['rss_mib']} MiB of {MEMORY_LIMIT_MIB[kind]}, {peak['descriptors']} descriptors")
        print(f"took          {(time.monotonic() - self._started) / 60:.1f} min\n")

    def _as_json(self, counts: Counter[str]) -> dict[str, Any]:
        return {
            "seed": self._seed,
            "rate": self._rate,
            "rounds": dict(counts),
            "trades": self._trades,
            "seen": dict(self._seen),
            "worst_recovery_seconds": self._worst,
            "limits_seconds": self._limits,
            "skipped": self._skipped,
            "peaks": self._peaks,
            "final": [vars(each) for each in self._final],
            "problems": self._problems,
            "seconds": round(time.monotonic() - self._started, 1),
        }
