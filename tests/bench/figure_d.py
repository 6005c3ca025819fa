"""End to end: from the exchange's send to the row being visible to another session."""

from __future__ import annotations

import time
from collections.abc import Iterable

import psycopg
from cannon import SECONDS_MAX, Cannon, ingestor
from context import Bench
from harness import Pipeline
from processes import wait_for
from report import AT_MOST, Aim, Comparison

TITLE = "end to end"
RATE = 10_000
INSTRUMENTS = 5
LOOK_SECONDS = 0.002
SETTLE_SECONDS = 1  # left out: the first records of a topic and the first rows of a table take longer, once
MONTHS = 3  # of trades that a persister makes when it starts: this one and two ahead
AIMS = {"p50": (0.5, Aim(AT_MOST, 50)), "p99": (0.99, Aim(AT_MOST, 250)), "p99.9": (0.999, None)}
# The cannon's trades say in seq_id when they were sent; an instrument's become visible in order.
NEW_ROWS = """SELECT new.* FROM unnest(%s::text[], %s::bigint[]) AS seen (id, last),
    LATERAL (SELECT inst_id, trade_id, seq_id FROM trades WHERE inst_id = seen.id AND trade_id > seen.last) AS new"""


def run(bench: Bench) -> Iterable[Comparison]:
    """All services with their default settings."""
    lines = {
        name: Comparison("d", f"{name} to the visible row, {RATE:,}/s", "ms", aim=aim) for name, (_, aim) in AIMS.items()
    }
    trades = RATE * bench.pick(full=20, quick=6)
    for _ in bench.rounds(full=5, quick=1):
        delays = _delays(bench, trades)
        for name, (share, _aim) in AIMS.items():
            lines[name].add(delays[min(len(delays) - 1, int(share * len(delays)))])
    return lines.values()


def _delays(bench: Bench, trades: int) -> list[float]:
    """Milliseconds of each trade once everything has settled, sorted."""
    options = ("--rate", str(RATE), "--send-times")
    with Cannon(bench, trades, INSTRUMENTS, *options) as cannon, ingestor(bench, cannon) as (pipeline, _):
        pipeline.start("persister")
        if not wait_for(lambda: _months(pipeline) >= MONTHS, SECONDS_MAX):
            raise RuntimeError("the persister makes no partitions")
        cannon.fire()
        delays = _watch(pipeline, cannon.instrument_ids().split(","), trades)
    settled_us = min(delays)[0] + SETTLE_SECONDS * 1e6
    return sorted(delay for sent_us, delay in delays if sent_us >= settled_us)


def _months(pipeline: Pipeline) -> int:
    return pipeline.value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'trades'::regclass")


def _watch(pipeline: Pipeline, instruments: list[str], trades: int) -> list[tuple[int, float]]:
    """Looks for rows that were not there before, all the time: when each trade was sent, and its milliseconds."""
    seen = dict.fromkeys(instruments, 0)
    delays: list[tuple[int, float]] = []
    deadline = time.monotonic() + SECONDS_MAX
    settings = {name: pipeline.settings[name] for name in ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD")}
    with psycopg.connect(_conninfo(settings), autocommit=True, prepare_threshold=0) as connection:
        while len(delays) < trades:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(delays)} of {trades} rows after {SECONDS_MAX} s")
            rows = connection.execute(NEW_ROWS, (list(seen), list(seen.values()))).fetchall()
            now_us = time.time() * 1e6
            for inst_id, trade_id, sent_us in rows:
                seen[inst_id] = max(seen[inst_id], trade_id)
                delays.append((sent_us, (now_us - sent_us) / 1000))
            time.sleep(LOOK_SECONDS)
    return delays


def _conninfo(settings: dict[str, str]) -> str:
    return psycopg.conninfo.make_conninfo(
        host=settings["PGHOST"],
        port=settings["PGPORT"],
        dbname=settings["PGDATABASE"],
        user=settings["PGUSER"],
        password=settings["PGPASSWORD"],
    )
