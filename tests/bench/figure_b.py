"""Ingest latency: from the exchange's send to Kafka's acknowledgement, and to a consumer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from cannon import SECONDS_MAX, Cannon, ingestor, producer_arguments
from context import Bench, results_of
from machine import cpu_seconds
from pipeline import quantile
from report import AT_MOST, Aim, Comparison

TITLE = "ingest latency"
INSTRUMENTS = 5
SETTLE_SECONDS = 1  # what the yardsticks leave out, too: a topic's first records take longer than all others
LATENCY = "publish_latency_seconds"
YARDSTICK = "shortest pipeline, linger 0"
QUANTILES = {"p50": (0.5, Aim(AT_MOST, 1.3)), "p99": (0.99, Aim(AT_MOST, 1.5)), "p999": (0.999, None)}
LINGERS = {"0": "linger 0", "5": "default linger"}


def run(bench: Bench) -> Iterable[Comparison]:
    """Each rate, once settled: the yardstick with linger 0, then the ingestor with linger 0 and with its default."""
    comparisons: list[Comparison] = []
    _yardstick(bench, 1_000, 2_000)  # a broker's first seconds are slower than all others
    for rate in (1_000, 10_000) if bench.is_quick else (1_000, 10_000, 50_000):
        bench.say(f"{rate} trades/s")
        comparisons += _at_rate(bench, rate, rate * bench.pick(full=10, quick=3))
    return comparisons


def _at_rate(bench: Bench, rate: int, trades: int) -> list[Comparison]:
    lines = {
        (linger, place, name): Comparison(
            "b",
            f"{name.replace('p999', 'p99.9')} to {place}, {rate:,}/s, {LINGERS[linger]}",
            "ms",
            limit=YARDSTICK,
            aim=aim if linger == "0" and rate <= 10_000 else None,
        )
        for linger in LINGERS
        for place in ("acknowledgement", "consumer")
        for name, (_, aim) in QUANTILES.items()
    }
    cost = Comparison("b", f"CPU of the ingestor, {rate:,}/s, linger 0", "s per million", limit="default linger")
    for _ in bench.rounds(full=5, quick=1):
        limit = _yardstick(bench, rate, trades)
        ours = {linger: _ingestor(bench, rate, trades, linger) for linger in LINGERS}
        for (linger, place, name), line in lines.items():
            line.add(ours[linger][place][name], limit[place][name])
        cost.add(ours["0"]["cpu"]["per_million"], ours["5"]["cpu"]["per_million"])
    return [*lines.values(), cost]


@contextmanager
def _consumer(bench: Bench, topic: str, trades: int) -> Iterator[Any]:
    program = bench.start_yardstick("yard_consume", bench.brokers, topic, str(trades))
    try:
        assert program.stdout is not None
        if not program.stdout.readline():
            raise RuntimeError("the consumer ended")
        yield program
    finally:
        program.terminate()


def _options(rate: int) -> tuple[str, ...]:
    return ("--rate", str(rate), "--send-times")


def _yardstick(bench: Bench, rate: int, trades: int) -> dict[str, dict[str, float]]:
    with (
        bench.topic() as topic,
        Cannon(bench, trades, INSTRUMENTS, *_options(rate)) as cannon,
        _consumer(bench, topic, trades) as consumer,
    ):
        arguments = (str(cannon.port), str(INSTRUMENTS), str(trades), bench.brokers, topic)
        program = bench.start_yardstick("yard_pipeline", *arguments, *producer_arguments(linger_ms="0"))
        cannon.wait_subscribed()
        cannon.fire()
        acknowledged = results_of(program, SECONDS_MAX)["acknowledged_ms"]
        return {"acknowledgement": acknowledged, "consumer": results_of(consumer, SECONDS_MAX)["to_consumer_ms"]}


def _ingestor(bench: Bench, rate: int, trades: int, linger: str) -> dict[str, dict[str, float]]:
    with (
        Cannon(bench, trades, INSTRUMENTS, *_options(rate)) as cannon,
        ingestor(bench, cannon, KAFKA_LINGER_MS=linger) as (pipeline, service),
        _consumer(bench, f"{pipeline.settings['TOPIC_PREFIX']}trades", trades) as consumer,
    ):
        used = cpu_seconds(service.pid)
        cannon.fire()
        time.sleep(SETTLE_SECONDS)
        settling = service.metrics().buckets(LATENCY)
        results = results_of(consumer, SECONDS_MAX)
        used = cpu_seconds(service.pid) - used
        buckets = {
            bound: count - settling[bound] for bound, count in service.metrics().buckets(LATENCY).items()
        }
        on_the_way = results["to_ingestor_ms"]["p50"]  # the histogram begins where the ingestor has the frame
        acknowledged = {
            name: (quantile(buckets, share) or 0) * 1000 + on_the_way for name, (share, _) in QUANTILES.items()
        }
        return {
            "acknowledgement": acknowledged,
            "consumer": results["to_consumer_ms"],
            "cpu": {"per_million": used / trades * 1e6},
        }
