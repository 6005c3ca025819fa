"""Scaling of the ingestor: more instruments at the same work, and more ingestors for the same instruments."""

from __future__ import annotations

import time
from collections.abc import Iterable

from cannon import SECONDS_MAX, Cannon, Result, published, run_ingestor
from context import Bench
from machine import cpu_seconds
from pipeline import Service
from processes import wait_for
from report import AT_MOST, Aim, Comparison

TITLE = "scaling of the ingestor"
INSTRUMENTS = (10, 100, 1_200)
INGESTORS = (1, 2, 4)
QUICK_INSTRUMENTS = (10, 1_200)
QUICK_INGESTORS = (1, 2)
SHARED_INSTRUMENTS = 100
READY_SECONDS_MAX = 60


def run(bench: Bench) -> Iterable[Comparison]:
    """CPU against that with ten instruments, throughput against that of one ingestor."""
    trades = bench.pick(full=1_000_000, quick=400_000)
    few, *more = QUICK_INSTRUMENTS if bench.is_quick else INSTRUMENTS
    cost = {
        count: Comparison(
            "g", f"CPU, {count:,} instruments", "s per million", limit=f"{few} instruments", aim=Aim(AT_MOST, 1.1)
        )
        for count in more
    }
    one, *several = QUICK_INGESTORS if bench.is_quick else INGESTORS
    speed = {
        count: Comparison("g", f"trades/s, {count} ingestors", "/s", limit="one ingestor") for count in several
    }
    shared_cost = {
        count: Comparison("g", f"CPU, {count} ingestors", "s per million", limit="one ingestor")
        for count in several
    }
    for _ in bench.rounds(full=3, quick=1):
        base = run_ingestor(bench, trades, few)
        for count, line in cost.items():
            line.add(run_ingestor(bench, trades, count).cpu_per_million, base.cpu_per_million)
        alone = _run_several(bench, trades, one)
        for count in several:
            together = _run_several(bench, trades, count)
            speed[count].add(together.records_per_second, alone.records_per_second)
            shared_cost[count].add(together.cpu_per_million, alone.cpu_per_million)
    return [*cost.values(), *speed.values(), *shared_cost.values()]


def _run_several(bench: Bench, trades: int, count: int) -> Result:
    """The ingestors share the instruments through their group, and the cannon fires once all have theirs."""
    with Cannon(bench, trades, SHARED_INSTRUMENTS) as cannon:
        address = f"127.0.0.1:{cannon.port}"
        okx = {"OKX_WS_URL": f"ws://{address}", "OKX_REST_URL": f"http://{address}"}
        with bench.pipeline("scale", INSTRUMENTS=cannon.instrument_ids(), **okx) as pipeline:
            del pipeline.settings["CURRENCIES"]
            # One after the other would subscribe everything first and then give it away again.
            services = [pipeline.service("ingestor") for _ in range(count)]
            for service in services:
                service.start()
            for service in services:
                service.wait_ready(READY_SECONDS_MAX)
            if not wait_for(lambda: _is_shared_out(services), READY_SECONDS_MAX):
                raise RuntimeError(f"{count} ingestors do not share {SHARED_INSTRUMENTS} instruments")
            used = sum(cpu_seconds(service.pid) for service in services)
            began = time.monotonic()
            cannon.fire()
            if not wait_for(lambda: sum(published(service) for service in services) >= trades, SECONDS_MAX):
                raise RuntimeError(f"not all of {trades} trades after {SECONDS_MAX} s")
            seconds = time.monotonic() - began
            used = sum(cpu_seconds(service.pid) for service in services) - used
            return Result(trades / seconds, used / trades * 1e6)


def _is_shared_out(services: list[Service]) -> bool:
    """Whether each instrument has one subscriber. An ingestor is ready before it has given up what others take."""
    subscribed = [service.metrics().value("subscriptions") for service in services]
    return all(subscribed) and sum(subscribed) == SHARED_INSTRUMENTS
