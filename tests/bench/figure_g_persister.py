"""Scaling of the persister: rows that are in the table already, and several persisters on one topic."""

from __future__ import annotations

from collections.abc import Iterable

from backlog import backlog
from context import Bench
from report import AT_LEAST, Aim, Comparison

TITLE = "scaling of the persister"
FEWEST = 100_000
PERSISTERS = (2, 4)


def run(bench: Bench) -> Iterable[Comparison]:
    """Fresh rows/s behind 10⁵ rows and behind more; then of one persister and of several."""
    more = (1_000_000,) if bench.is_quick else (1_000_000, 10_000_000)
    behind = {
        rows: Comparison("g", f"fresh rows/s behind {rows:,} rows", "/s", limit=f"behind {FEWEST:,}", aim=Aim(AT_LEAST, 0.9))
        for rows in more
    }
    together = {
        count: Comparison("g", f"fresh rows/s, {count} persisters", "/s", limit="one persister") for count in PERSISTERS
    }
    with backlog(bench, bench.pick(full=500_000, quick=100_000), first=max(more)) as topic:
        for _ in bench.rounds(full=3, quick=1):
            speed = {}
            for rows in (FEWEST, *more):
                topic.empty_table()
                topic.put_before(rows)
                speed[rows] = topic.persist().rows_per_second
            for rows, line in behind.items():
                line.add(speed[rows], speed[FEWEST])
            topic.empty_table()
            alone = topic.persist().rows_per_second
            for count, line in together.items():
                topic.empty_table()
                line.add(topic.persist(count).rows_per_second, alone)
    return [*behind.values(), *together.values()]
