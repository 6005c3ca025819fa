"""The frame cannon (yard_cannon.c), and an ingestor in front of it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from context import Bench, results_of
from harness import Pipeline
from machine import cpu_seconds
from pipeline import Service
from processes import wait_for

# What the ingestor's producer has by default; the yardsticks get the same.
PRODUCER = {
    "compression.type": "lz4",
    "linger.ms": "5",
    "queue.buffering.max.messages": "50000",
    "queue.buffering.max.kbytes": "32768",
}
SECONDS_MAX = 180


def producer_arguments(**changes: str) -> list[str]:
    """The settings as a yardstick takes them; linger_ms="0" changes linger.ms."""
    changed = {name.replace("_", "."): value for name, value in changes.items()}
    return [f"{name}={value}" for name, value in {**PRODUCER, **changed}.items()]


class Cannon:
    """Sends a number of trades once it is told to. As a context manager it ends with the block."""

    def __init__(self, bench: Bench, trades: int, instruments: int, *options: str) -> None:
        self.trades = trades
        self.instruments = instruments
        counts = ("--instruments", str(instruments), "--trades", str(trades))
        self._program = bench.start_yardstick("yard_cannon", *counts, *options)
        self.port = self._next()["port"]

    def _next(self) -> dict[str, Any]:
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        if not line:
            raise RuntimeError("the cannon ended")
        return json.loads(line)

    def wait_subscribed(self) -> None:
        """Returns once every instrument is subscribed."""
        self._next()

    def fire(self) -> None:
        """Begins to send."""
        self._program.send_signal(signal.SIGUSR1)

    def wait_fired(self) -> dict[str, Any]:
        """Waits until all is sent: began_us, ended_us of the monotonic clock, cpu_seconds."""
        return self._next()

    def instrument_ids(self) -> str:
        """INSTRUMENTS for the ingestor; the yardsticks have the same."""
        return ",".join(f"T{number:04}-USDT" for number in range(self.instruments))

    def __enter__(self) -> Cannon:
        return self

    def __exit__(self, *_: object) -> None:
        self._program.terminate()
        self._program.communicate()


@dataclass(frozen=True)
class Result:
    """How fast, and how much CPU time of the ingestor (or the yardstick) a million records took."""

    records_per_second: float
    cpu_per_million: float

    @classmethod
    def of(cls, results: Mapping[str, float]) -> Result:
        """From a yardstick's JSON."""
        records = results["records"]
        return cls(records / results["seconds"], results["cpu_seconds"] / records * 1e6)


@contextmanager
def ingestor(bench: Bench, cannon: Cannon, **settings: str) -> Iterator[tuple[Pipeline, Service]]:
    """An ingestor that is subscribed to every instrument of the cannon."""
    address = f"127.0.0.1:{cannon.port}"
    okx = {"OKX_WS_URL": f"ws://{address}", "OKX_REST_URL": f"http://{address}"}
    with bench.pipeline("ingest", INSTRUMENTS=cannon.instrument_ids(), **okx) as pipeline:
        del pipeline.settings["CURRENCIES"]
        service = pipeline.service("ingestor", **settings)
        service.start()
        cannon.wait_subscribed()
        service.wait_ready(60)
        yield pipeline, service


def published(service: Service) -> float:
    """How many trades Kafka has acknowledged to the ingestor."""
    return service.metrics().value("records_published_total", topic="trades")


def run_ingestor(bench: Bench, trades: int, instruments: int, **settings: str) -> Result:
    """One round of the product: all trades of the cannon acknowledged by Kafka."""
    with Cannon(bench, trades, instruments) as cannon, ingestor(bench, cannon, **settings) as (_, service):
        before = cpu_seconds(service.pid)
        began = time.monotonic()
        cannon.fire()
        if not wait_for(lambda: published(service) >= trades, SECONDS_MAX):
            raise RuntimeError(f"{published(service):.0f} of {trades} trades after {SECONDS_MAX} s")
        seconds = time.monotonic() - began
        return Result(trades / seconds, (cpu_seconds(service.pid) - before) / trades * 1e6)


def run_yardstick(bench: Bench, name: str, trades: int, instruments: int, *arguments: str) -> Result:
    """One round of a yardstick that takes the cannon's frames; arguments follow PORT INSTRUMENTS TRADES."""
    with Cannon(bench, trades, instruments) as cannon:
        program = bench.start_yardstick(name, str(cannon.port), str(instruments), str(trades), *arguments)
        cannon.wait_subscribed()
        cannon.fire()
        return Result.of(results_of(program, SECONDS_MAX))
