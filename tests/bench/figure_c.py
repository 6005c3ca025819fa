"""Persist throughput: from a full topic into the real table."""

from __future__ import annotations

from collections.abc import Iterable

from backlog import BARE_TABLE, Alone, Backlog, backlog
from context import Bench
from report import AT_LEAST, AT_MOST, Aim, Comparison

TITLE = "persist throughput"
COPY = "COPY into the same table, batches of 5,000"
COPY_AT_ONCE = "COPY into the same table, all at once"
BARE_COPY = "COPY into a table without index"
UNNEST = "INSERT … SELECT unnest ON CONFLICT DO NOTHING"
MEBIBYTE = 1024**2


def run(bench: Bench) -> Iterable[Comparison]:
    """Rows that are new, then the same ones again."""
    fresh = Comparison("c", "fresh rows/s", "/s", limit=COPY, aim=Aim(AT_LEAST, 0.8))
    against = {
        limit: Comparison("c", "fresh rows/s", "/s", limit=limit) for limit in (COPY_AT_ONCE, BARE_COPY)
    }
    replayed = Comparison("c", "replayed rows/s", "/s", limit=UNNEST, aim=Aim(AT_LEAST, 0.8))
    cost = Comparison("c", "CPU of the persister, fresh", "s per million", aim=Aim(AT_MOST, 3))
    replay_cost = Comparison("c", "CPU of the persister, replayed", "s per million", aim=Aim(AT_MOST, 3))
    server = {
        what: Comparison("c", f"CPU of PostgreSQL's process, {what}", "s per million", limit=limit)
        for what, limit in (("fresh", COPY), ("replayed", UNNEST))
    }
    memory = Comparison("f", "persister reading a backlog, peak RSS", "MiB", aim=Aim(AT_MOST, 64))
    with backlog(bench, bench.pick(full=1_000_000, quick=200_000)) as topic:
        for _ in bench.rounds(full=5, quick=1):
            limit = _copy(topic)
            topic.empty_table()
            ours = topic.persist()
            again = topic.persist()
            fresh.add(ours.rows_per_second, limit.rows_per_second)
            server["fresh"].add(ours.server_cpu_per_million, limit.server_cpu_per_million)
            against[COPY_AT_ONCE].add(ours.rows_per_second, _copy(topic, topic.count).rows_per_second)
            limit = topic.alone("unnest")
            replayed.add(again.rows_per_second, limit.rows_per_second)
            server["replayed"].add(again.server_cpu_per_million, limit.server_cpu_per_million)
            topic.pipeline.sql(f"TRUNCATE {BARE_TABLE}")
            against[BARE_COPY].add(ours.rows_per_second, topic.alone("copy", BARE_TABLE).rows_per_second)
            cost.add(ours.cpu_per_million)
            replay_cost.add(again.cpu_per_million)
            memory.add(max(ours.peak_bytes, again.peak_bytes) / MEBIBYTE)
    return [fresh, *against.values(), replayed, cost, replay_cost, *server.values(), memory]


def _copy(topic: Backlog, batch: int | None = None) -> Alone:
    topic.empty_table()
    return topic.alone("copy", batch=batch) if batch else topic.alone("copy")
