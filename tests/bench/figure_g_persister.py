"""Scaling of the persister: rows that are in the table already, and several persisters on one topic."""

from __future__ import annotations

from collections.abc import Iterable

from backlog import Backlog, Result, backlog
from context import Bench
from report import AT_LEAST, AT_MOST, Aim, Comparison

TITLE = "scaling of the persister"
FEWEST = 100_000
PERSISTERS = (2, 4)
QUICK_PERSISTERS = (2,)


def run(bench: Bench) -> Iterable[Comparison]:
    """Fresh rows/s behind 10⁵ rows and behind more; then of one persister and of several."""
    more = (1_000_000,) if bench.is_quick else (1_000_000, 10_000_000)
    behind = {
        rows: Comparison("g", f"fresh rows/s behind {rows:,} rows", "/s", limit=f"behind {FEWEST:,}", aim=Aim(AT_LEAST, 0.9))
        for rows in more
    }
    cost = {
        rows: Comparison(
            "g",
            f"CPU of PostgreSQL's process behind {rows:,} rows",
            "s per million",
            limit=f"behind {FEWEST:,}",
            aim=Aim(AT_MOST, 1.1),
        )
        for rows in more
    }
    several = QUICK_PERSISTERS if bench.is_quick else PERSISTERS
    together = {
        count: Comparison("g", f"fresh rows/s, {count} persisters", "/s", limit="one persister") for count in several
    }
    with backlog(bench, bench.pick(full=500_000, quick=200_000), first=max(more)) as topic:
        for _ in bench.rounds(full=3, quick=1):
            results = {rows: _behind(topic, rows) for rows in (FEWEST, *more)}
            fewest = results[FEWEST]
            for rows in more:
                behind[rows].add(results[rows].rows_per_second, fewest.rows_per_second)
                cost[rows].add(results[rows].server_cpu_per_million, fewest.server_cpu_per_million)
            topic.empty_table()
            alone = topic.persist().rows_per_second
            for count, line in together.items():
                topic.empty_table()
                line.add(topic.persist(count).rows_per_second, alone)
    return [*behind.values(), *cost.values(), *together.values()]


def _behind(topic: Backlog, rows: int) -> Result:
    topic.empty_table()
    topic.put_before(rows)
    return topic.persist()
