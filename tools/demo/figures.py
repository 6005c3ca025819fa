"""What the demo shows: counters of the services and answers of the database, turned into rates."""

from __future__ import annotations

import os
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline import Metrics, Service, quantile

RATE_WINDOW_SECONDS = 10
LATENCY = "end_to_end_latency_seconds"
SERVICES = ("ingestor", "persister", "scheduler")
TABLES = ("trades", "candles", "currencies")

PRICES_QUERY = """
SELECT 'price', inst_id, px, sz, side, extract(epoch FROM now() - ts)::numeric(12, 1) FROM last_prices
"""
GAPS_QUERY = """
SELECT 'repaired', count(*) FROM fetches WHERE kind = 'trades' AND reason = 'gap' AND status = 'done'
UNION ALL SELECT state, sum(trades) FROM trade_gaps GROUP BY state
"""
ROWS_QUERY = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in TABLES)


@dataclass(frozen=True)
class Price:
    """The newest trade of one instrument, as the database has it."""

    inst_id: str
    price: str
    size: str
    side: str
    age_seconds: float


@dataclass
class Figures:
    """One moment of the pipeline. None where there is nothing to say yet."""

    elapsed_seconds: float = 0
    reasons: dict[str, dict[str, str]] = field(default_factory=dict)  # service -> what is not ready
    trades_received: int = 0
    trades_per_second: float | None = None
    records_per_second: float | None = None
    rows_per_second: float | None = None
    rows: dict[str, int] = field(default_factory=dict)
    latency_p50: float | None = None
    latency_p99: float | None = None
    lag: int = 0
    bars_total: int = 0
    bars_done: int = 0
    backfill_seconds_left: float | None = None
    gaps_found: int = 0
    gaps_repaired: int = 0
    trades_missing: int = 0
    trades_unfillable: int = 0
    dead_letters: int = 0
    prices: list[Price] = field(default_factory=list)


@dataclass(frozen=True)
class _Moment:
    time: float
    received: float
    published: float
    written: float
    bars_done: float
    latency: dict[float, float]


class Collector:
    """Asks the services and the database, and remembers enough to tell rates."""

    def __init__(self, services: Mapping[str, Service], environment: Mapping[str, str]) -> None:
        self.services = services
        limits = {"PGCONNECT_TIMEOUT": "2", "PGOPTIONS": "-c statement_timeout=5s"}
        self.environment = {**os.environ, **environment, **limits}
        self.started = time.monotonic()
        self._moments: deque[_Moment] = deque()
        self._rows_before = {row[0]: int(row[1]) for row in self._query(ROWS_QUERY)}

    def collect(self) -> Figures:
        """A full picture of now."""
        metrics = {name: _scrape(service) for name, service in self.services.items()}
        figures = Figures(elapsed_seconds=time.monotonic() - self.started)
        figures.reasons = {name: _reasons(service) for name, service in self.services.items()}
        self._add_counters(figures, metrics)
        self._add_rates(figures, metrics)
        self._add_database(figures)
        return figures

    def _add_counters(self, figures: Figures, metrics: Mapping[str, Metrics]) -> None:
        ingestor, persister, scheduler = (metrics[name] for name in SERVICES)
        figures.trades_received = int(ingestor.value("trades_received_total"))
        figures.gaps_found = int(ingestor.value("gaps_detected_total"))
        figures.lag = int(persister.value("consumer_lag_records"))
        figures.dead_letters = int(sum(each.value("dead_letters_total") for each in metrics.values()))
        figures.bars_total = int(scheduler.value("backfill_bars_total"))
        figures.bars_done = int(scheduler.value("backfill_bars_done"))
        figures.rows = {
            table: self._rows_before.get(table, 0) + int(persister.value("rows_written_total", table=table))
            for table in TABLES
        }

    def _add_rates(self, figures: Figures, metrics: Mapping[str, Metrics]) -> None:
        now = _Moment(
            time.monotonic(),
            figures.trades_received,
            sum(each.value("records_published_total") for each in metrics.values()),
            metrics["persister"].value("rows_written_total"),
            figures.bars_done,
            metrics["persister"].buckets(LATENCY),
        )
        self._moments.append(now)
        while now.time - self._moments[0].time > RATE_WINDOW_SECONDS:
            self._moments.popleft()
        then = self._moments[0]
        seconds = now.time - then.time
        if seconds <= 0:
            return
        figures.trades_per_second = (now.received - then.received) / seconds
        figures.records_per_second = (now.published - then.published) / seconds
        figures.rows_per_second = (now.written - then.written) / seconds
        bars_per_second = (now.bars_done - then.bars_done) / seconds
        if bars_per_second > 0:
            figures.backfill_seconds_left = (figures.bars_total - now.bars_done) / bars_per_second
        recent = {bound: count - then.latency.get(bound, 0) for bound, count in now.latency.items()}
        figures.latency_p50 = quantile(recent, 0.50)
        figures.latency_p99 = quantile(recent, 0.99)

    def _add_database(self, figures: Figures) -> None:
        for kind, *values in self._query(PRICES_QUERY) + self._query(GAPS_QUERY):
            if kind == "price":
                figures.prices.append(Price(values[0], values[1], values[2], values[3], float(values[4])))
            elif kind == "repaired":
                figures.gaps_repaired = int(values[0])
            elif kind == "open":
                figures.trades_missing = int(values[0])
            elif kind == "unfillable":
                figures.trades_unfillable = int(values[0])

    def _query(self, statement: str) -> list[list[str]]:
        """The rows; none when the database is away, which the persister's readiness tells."""
        done = subprocess.run(
            ["psql", "-XAtq", "-F", "\t", "-c", statement], env=self.environment, capture_output=True, text=True
        )
        return [line.split("\t") for line in done.stdout.splitlines()]


def _scrape(service: Service) -> Metrics:
    try:
        return service.metrics()
    except OSError:
        return Metrics("")


def _reasons(service: Service) -> dict[str, str]:
    is_ready, reasons = service.readiness()
    return {} if is_ready else reasons or {"ready": "not yet"}
