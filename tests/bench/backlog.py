"""A topic full of trades, the persister that takes them into PostgreSQL, and PostgreSQL alone with the same rows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException
from context import Bench
from harness import Pipeline
from machine import cpu_seconds, peak_resident_bytes
from pipeline import Service
from processes import wait_for

SECONDS_MAX = 300
GROUP_SECONDS_MAX = 30
BATCH_ROWS = 5_000  # the persister's default
DAY_MS = 24 * 3600 * 1000
BARE_TABLE = "trades_without_index"
OTHER_TABLE = "other_pages"
OTHER_ROWS = 20_000  # of a page each, more than shared_buffers holds


@dataclass(frozen=True)
class Result:
    """How fast rows were written, and what the persisters used."""

    rows_per_second: float
    cpu_per_million: float
    server_cpu_per_million: float  # of PostgreSQL's processes that served them
    peak_bytes: int


@dataclass(frozen=True)
class Alone:
    """How fast PostgreSQL took the same rows when they were there already, encoded, and what its process used."""

    rows_per_second: float
    server_cpu_per_million: float


class Backlog:
    """Sample trades in the topic of a pipeline; their first is number `first`, all of them of yesterday."""

    def __init__(self, bench: Bench, pipeline: Pipeline, first: int, count: int) -> None:
        self.bench = bench
        self.pipeline = pipeline
        self.first = first
        self.count = count
        self.start_ms = int(time.time() * 1000) - DAY_MS
        numbers = {"FILL_FIRST": first, "FILL_COUNT": count, "FILL_START_MS": self.start_ms}
        self._run("yard_fill", **{name: str(value) for name, value in numbers.items()})
        pipeline.sql("SELECT create_trades_partition(to_timestamp(%s / 1000)::date)", self.start_ms)
        pipeline.sql(f"CREATE TABLE {BARE_TABLE} (LIKE trades)")
        pipeline.sql("CREATE EXTENSION pg_prewarm")
        pipeline.sql(f"CREATE TABLE {OTHER_TABLE} (filler text) WITH (fillfactor = 10)")
        pipeline.sql(f"INSERT INTO {OTHER_TABLE} SELECT repeat('x', 1000) FROM generate_series(1, {OTHER_ROWS})")

    def _run(self, name: str, *arguments: str, **environment: str) -> dict[str, Any]:
        settings = {**os.environ, **self.pipeline.settings, **environment}
        return self.bench.yardstick(name, *arguments, environment=settings, timeout_seconds=SECONDS_MAX)

    def empty_table(self) -> None:
        """As before the first trade, with nothing left for the server to write out."""
        self.pipeline.sql("TRUNCATE trades")
        self.pipeline.sql("CHECKPOINT")

    def alone(self, mode: str, table: str = "trades", batch: int = BATCH_ROWS) -> Alone:
        """PostgreSQL alone with the trades of the topic."""
        return self._alone(mode, self.first, self.count, table, batch)

    def put_before(self, count: int) -> None:
        """Rows that are in the table already, older than those of the topic.

        A server that was just emptied has free buffers, one with many rows has none: they are full in any case. And
        what autovacuum would begin now is done.
        """
        self._alone("copy", self.first - count, count, "trades", BATCH_ROWS)
        self.pipeline.sql("VACUUM (ANALYZE) trades")
        self.pipeline.sql("CHECKPOINT")
        self.pipeline.sql(f"SELECT pg_prewarm('{OTHER_TABLE}')")

    def _alone(self, mode: str, first: int, count: int, table: str, batch: int) -> Alone:
        arguments = (mode, str(first), str(count), str(batch), str(self.start_ms))
        results = self._run("yard_postgres", *arguments, YARDSTICK_TABLE=table)
        rows = results["rows"]
        return Alone(rows / results["seconds"], results["server_cpu_seconds"] / rows * 1e6)

    def persist(self, persisters: int = 1, **settings: str) -> Result:
        """Reads the topic from its beginning until every trade is in the table."""
        self._forget_group()
        with self._running(persisters, **settings) as services:
            # What it takes to join the group is figure f's; here the clock starts with the first rows.
            self._await(services, 1)
            servers = self._servers()
            server_used = sum(cpu_seconds(pid) for pid in servers)
            began, done, used = time.monotonic(), _rows(services), _cpu(services)
            self._await(services, self.count)
            rows = self.count - done
            return Result(
                rows / (time.monotonic() - began),
                (_cpu(services) - used) / rows * 1e6,
                (sum(cpu_seconds(pid) for pid in servers) - server_used) / rows * 1e6,
                max(peak_resident_bytes(service.pid) for service in services),
            )

    def _servers(self) -> list[int]:
        """PostgreSQL's processes that serve the persisters."""
        query = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'persister'"
        )
        return [pid for [pid] in self.pipeline.sql(query)]

    @contextmanager
    def _running(self, persisters: int, **settings: str) -> Iterator[list[Service]]:
        services = [self.pipeline.service("persister", **settings) for _ in range(persisters)]
        for service in services:
            service.start()
        try:
            yield services
        finally:
            for service in services:
                service.terminate()

    @staticmethod
    def _await(services: list[Service], rows: int) -> None:
        def is_done() -> bool:
            return all(service.is_running() for service in services) and _rows(services) >= rows

        if not wait_for(is_done, SECONDS_MAX):
            raise RuntimeError(f"{_rows(services)} of {rows} rows\n{services[0].last_lines()}")

    def _forget_group(self) -> None:
        """A group that begins anew; it can be deleted once the broker has seen its last member leave."""
        group = f"{self.pipeline.settings['TOPIC_PREFIX']}persister"

        def is_gone() -> bool:
            try:
                self.bench.admin.delete_consumer_groups([group])[group].result()
            except KafkaException as error:
                return error.args[0].name() == "GROUP_ID_NOT_FOUND"
            return True

        if not wait_for(is_gone, GROUP_SECONDS_MAX):
            raise RuntimeError(f"group {group} cannot be deleted")


def _rows(services: list[Service]) -> int:
    """Trades that the persisters have committed, those that were there already included."""
    total = 0.0
    for service in services:
        try:
            metrics = service.metrics()
        except OSError:  # not listening yet
            continue
        total += sum(metrics.value(f"rows_{what}_total", table="trades") for what in ("written", "duplicate"))
    return int(total)


def _cpu(services: list[Service]) -> float:
    return sum(cpu_seconds(service.pid) for service in services)


@contextmanager
def backlog(bench: Bench, count: int, first: int = 0) -> Iterator[Backlog]:
    """A pipeline of its own with a full topic and an empty database."""
    with bench.pipeline("persist") as pipeline:
        yield Backlog(bench, pipeline, first, count)


