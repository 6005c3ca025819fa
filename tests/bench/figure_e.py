"""Backfill: candles against the rate that OKX publishes, and as fast as the exchange answers without one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from cannon import SECONDS_MAX
from context import Bench
from harness import Pipeline
from machine import peak_resident_bytes, resident_bytes
from pipeline import Service
from processes import wait_for
from report import AT_LEAST, AT_MOST, Aim, Comparison

TITLE = "backfill"
WINDOW_SECONDS = 2
PUBLISHED_RATE = 20  # history-candles per window
ENDPOINT = "history-candles"
NO_LIMIT = "1000"  # requests per window, the most that can be set
MEBIBYTE = 1024**2


@dataclass(frozen=True)
class Run:
    """What one backfill did while it was looked at."""

    requests_per_second: float
    candles_per_second: float
    most_in_window: int
    growth: float  # of the ingestor's memory, the end over the beginning
    scheduler_bytes: int


def run(bench: Bench) -> Iterable[Comparison]:
    """Minute bars since 2020 of five instruments: years more than there is time for."""
    limit = f"the published rate ({PUBLISHED_RATE} requests per {WINDOW_SECONDS} s)"
    rate = Comparison("e", "requests for candles", "/s", limit=limit, aim=Aim(AT_LEAST, 0.95))
    window = Comparison("e", f"most requests in any {WINDOW_SECONDS} s", "", limit=limit, aim=Aim(AT_MOST, 1))
    candles = Comparison("e", "candles at the published rate", "/s")
    free = Comparison("e", "candles without a limit, one ingestor", "/s")
    growth = Comparison("e", "ingestor's memory at the end over the beginning", "times", aim=Aim(AT_MOST, 1.1))
    scheduler = Comparison("e", "scheduler's peak RSS meanwhile", "MiB", aim=Aim(AT_MOST, 16))
    seconds = bench.pick(full=40, quick=6)
    for _ in bench.rounds(full=3, quick=1):
        kept = _backfill(bench, seconds)
        rate.add(kept.requests_per_second, PUBLISHED_RATE / WINDOW_SECONDS)
        window.add(kept.most_in_window, PUBLISHED_RATE)
        candles.add(kept.candles_per_second)
        growth.add(kept.growth)
        scheduler.add(kept.scheduler_bytes / MEBIBYTE)
        unlimited = _backfill(
            bench, seconds, {"SIM_RATE_LIMITS": "off"}, OKX_LIMIT_HISTORY_CANDLES=NO_LIMIT, BACKFILL_IN_FLIGHT="64"
        )
        free.add(unlimited.candles_per_second)
    return [rate, window, candles, free, growth, scheduler]


def _requests(pipeline: Pipeline) -> tuple[int, int]:
    """So far, and the most within any window."""
    assert pipeline.simulator is not None
    for name, counts in pipeline.simulator.stats()["rest"].items():
        if name.rsplit("/", 1)[-1] == ENDPOINT:
            return counts["requests"], counts["max_in_window"]
    return 0, 0


def _candles(ingestor: Service) -> float:
    return ingestor.metrics().value("records_published_total", topic="candles")


def _backfill(bench: Bench, seconds: float, simulator: dict[str, str] | None = None, **settings: str) -> Run:
    with bench.pipeline("backfill", HISTORY_START="2020-01-01", CANDLE_BARS="1m", **settings) as pipeline:
        pipeline.start_simulator(SIM_TRADE_RATE="1", **(simulator or {}))
        scheduler, ingestor = pipeline.start("scheduler", "ingestor")
        # Past the first window, in which the whole budget is there at once.
        if not wait_for(lambda: _requests(pipeline)[0] > 2 * PUBLISHED_RATE, SECONDS_MAX):
            raise RuntimeError("no candles are asked for")
        requests, candles = _requests(pipeline)[0], _candles(ingestor)
        memory, began = resident_bytes(ingestor.pid), time.monotonic()
        time.sleep(seconds)
        now_requests, most = _requests(pipeline)
        now_candles, elapsed = _candles(ingestor), time.monotonic() - began
        return Run(
            requests_per_second=(now_requests - requests) / elapsed,
            candles_per_second=(now_candles - candles) / elapsed,
            most_in_window=most,
            growth=resident_bytes(ingestor.pid) / memory,
            scheduler_bytes=peak_resident_bytes(scheduler.pid),
        )
