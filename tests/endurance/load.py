"""A pipeline under load for one loop: its services, their peaks of memory, and the comparison at its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

REPOSITORY = Path(__file__).resolve().parents[2]
for folder in ("tools/stack", "tools/demo", "tests/e2e"):
    sys.path.insert(0, str(REPOSITORY / folder))

from harness import Pipeline, eventually  # noqa: E402
from pipeline import Service  # noqa: E402
from stack import Stack  # noqa: E402
from topics import LiveTail  # noqa: E402
from verdict import Comparison, Verdict  # noqa: E402

LOGS = REPOSITORY / "build/test-logs/endurance"
PARTITIONS = 12
READY_SECONDS = 120
KEEPS_COMMITS = {"synchronous_commit": "on"}  # without fsync, a PostgreSQL that is killed still keeps them


def peak_megabytes(pid: int) -> float:
    """The most memory that the process has ever had resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(f"process {pid} has ended")


@dataclass
class Outcome:
    """What a loop has to show."""

    name: str
    happened: str  # the faults that were seen to happen
    trades: int = 0
    topic: Comparison | None = None
    table: Comparison | None = None
    recoveries: list[float] = field(default_factory=list)
    recovery_limit: float | None = None
    peaks: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def judge(self) -> None:
        """Adds what breaks a promise. The topic may hold a trade twice, the table may not."""
        assert self.topic is not None and self.table is not None
        if self.topic.missing or self.topic.different or self.topic.unknown:
            self.problems.append(str(self.topic))
        if not self.table.is_exact():
            self.problems.append(str(self.table))
        if self.recovery_limit is not None and max(self.recoveries, default=0) > self.recovery_limit:
            self.problems.append(f"recovery took {max(self.recoveries):.1f} s, allowed {self.recovery_limit:g} s")

    def has_passed(self) -> bool:
        """True when every promise was kept."""
        return not self.problems


class Load:
    """Servers of its own, the simulator at a rate, and the services. As a context manager it starts and ends them."""

    def __init__(self, name: str, trades_per_second: int, **settings: str) -> None:
        self.name = name
        self.trades_per_second = trades_per_second
        self.peaks: dict[str, float] = {}
        self.stack = Stack(logs=LOGS / name / "stack", is_fast=True, postgres_settings=KEEPS_COMMITS)
        self._settings = settings

    def __enter__(self) -> Load:
        self.stack.start()
        self.pipeline = Pipeline(self.stack, self.name, LOGS / self.name / "services")
        self.pipeline.settings |= {"TOPIC_PARTITIONS": str(PARTITIONS), **self._settings}
        self.simulator = self.pipeline.start_simulator(
            SIM_TRADE_RATE=str(self.trades_per_second // len(self.pipeline.instruments()))
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.pipeline.close()
        finally:
            self.stack.stop()

    def start(self, *names: str) -> list[Service]:
        """Starts services; the market opens once every instrument is subscribed."""
        services = self.pipeline.start(*names)
        self.pipeline.open_market()
        return services

    def services(self) -> Iterable[Service]:
        """Those that run."""
        return [each for each in self.pipeline.programs if isinstance(each, Service) and each.is_running()]

    def note_peaks(self) -> None:
        """Remembers the most memory that a service of each name has had; call it before one ends."""
        for service in self.services():
            self.peaks[service.name] = max(self.peaks.get(service.name, 0), peak_megabytes(service.pid))

    def kill(self, service: Service) -> float:
        """SIGKILL; the Unix time of it."""
        self.note_peaks()
        service.kill()
        return time.time()

    def await_live(self, tail: LiveTail, since: float, what: str, timeout_seconds: float = 120) -> float:
        """Waits until every instrument has a live trade again; the seconds since then."""
        instruments = self.pipeline.instruments()
        eventually(f"live trades after {what}", lambda: tail.are_live(instruments, since), timeout_seconds)
        return time.time() - since

    def conclude(self, outcome: Outcome) -> Outcome:
        """Halts the market, lets everything drain, compares, judges."""
        self.simulator.halt()
        verdict = Verdict(self.simulator, self.pipeline.settings, self.pipeline.before)
        verdict.wait_until_drained()
        self.note_peaks()
        outcome.trades = verdict.executed()
        outcome.topic, outcome.table = verdict.compare()
        outcome.peaks = self.peaks
        outcome.judge()
        return outcome
