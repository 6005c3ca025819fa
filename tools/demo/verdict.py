"""Compares what the simulator executed with what Kafka and PostgreSQL hold, trade by trade."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from pipeline import REPOSITORY, LedgerTrade, PipelineError, Simulator

STALLED_SECONDS = 30
POLL_SECONDS = 0.5

Key = tuple[str, int]
Content = tuple[Decimal, Decimal, str, int]  # price, size, side, time in ms

ROWS_QUERY = """
COPY (SELECT inst_id, trade_id, px, sz, side, (extract(epoch FROM ts) * 1000)::bigint FROM trades) TO STDOUT
"""


@dataclass(frozen=True)
class Comparison:
    """One copy of the trades, held against the ledger."""

    name: str
    records: int
    missing: int
    twice: int
    different: int
    unknown: int  # trades that the exchange never made

    def is_exact(self) -> bool:
        """True when the copy holds each trade once, digit by digit, and nothing else."""
        return not (self.missing or self.twice or self.different or self.unknown)

    def __str__(self) -> str:
        return (
            f"{self.name:12} {self.records:>9,} records: {self.missing} missing, {self.twice} twice, "
            f"{self.different} different, {self.unknown} unknown"
        )


class Verdict:
    """Judges a run. `before` is what the ledger held when the services were not yet to catch anything."""

    def __init__(self, simulator: Simulator, environment: Mapping[str, str], before: Iterable[LedgerTrade]) -> None:
        self.simulator = simulator
        self.environment = {**os.environ, **environment}
        self._before = set(before)

    def executed(self) -> int:
        """How many trades there were to catch."""
        return len(self._ledger())

    def wait_until_drained(self) -> None:
        """Returns when the table has as many trades as the ledger, or when it has stopped growing."""
        expected = self.executed()
        rows, changed_at = -1, time.monotonic()
        while rows < expected and time.monotonic() - changed_at < STALLED_SECONDS:
            now = int(self._psql("SELECT count(*) FROM trades"))
            if now != rows:
                rows, changed_at = now, time.monotonic()
            time.sleep(POLL_SECONDS)

    def compare(self) -> list[Comparison]:
        """The topic and the table against the ledger."""
        ledger = self._ledger()
        return [
            _compare("topic trades", ledger, self._topic()),
            _compare("table trades", ledger, self._table()),
        ]

    def _ledger(self) -> dict[Key, Content]:
        return {
            (t.inst_id, t.trade_id): (Decimal(t.price), Decimal(t.size), t.side, t.time_ms)
            for t in self.simulator.ledger()
            if t not in self._before
        }

    def _table(self) -> Iterable[tuple[Key, Content]]:
        for line in self._psql(ROWS_QUERY).splitlines():
            inst_id, trade_id, price, size, side, time_ms = line.split("\t")
            yield (inst_id, int(trade_id)), (Decimal(price), Decimal(size), side, int(time_ms))

    def _topic(self) -> Iterable[tuple[Key, Content]]:
        command = [str(REPOSITORY / "build/bin/avrocat"), "-t", "trades", "-o", "beginning", "-e"]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise PipelineError(f"avrocat failed: {done.stderr.strip()}")
        for line in done.stdout.splitlines():
            trade = json.loads(line)["value"]
            yield (
                (trade["instId"], trade["tradeId"]),
                (Decimal(trade["px"]), Decimal(trade["sz"]), trade["side"], _milliseconds(trade["ts"])),
            )

    def _psql(self, statement: str) -> str:
        done = subprocess.run(
            ["psql", "-XAtqc", statement], env=self.environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise PipelineError(f"psql failed: {done.stderr.strip()}")
        return done.stdout


def _compare(name: str, ledger: Mapping[Key, Content], copies: Iterable[tuple[Key, Content]]) -> Comparison:
    seen: Counter[Key] = Counter()
    different: set[Key] = set()
    for key, content in copies:
        seen[key] += 1
        if key in ledger and ledger[key] != content:
            different.add(key)
    return Comparison(
        name,
        records=seen.total(),
        missing=len(ledger.keys() - seen.keys()),
        twice=sum(count > 1 for count in seen.values()),
        different=len(different),
        unknown=len(seen.keys() - ledger.keys()),
    )


def _milliseconds(text: str) -> int:
    """Unix milliseconds of RFC 3339 in UTC, without a float on the way."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
