"""Ingest throughput: from the exchange's frames to Kafka's acknowledgements."""

from __future__ import annotations

from collections.abc import Iterable

from cannon import Result, producer_arguments, run_ingestor, run_yardstick
from context import Bench
from report import AT_LEAST, AT_MOST, Aim, Comparison

TITLE = "ingest throughput"
INSTRUMENTS = 5


def run(bench: Bench) -> Iterable[Comparison]:
    """The ingestor against the shortest pipeline, and both libraries alone."""
    trades = bench.pick(full=1_000_000, quick=200_000)
    pipeline = "shortest pipeline (receive, read and encode by hand, produce)"
    rate = Comparison("a", "trades/s acknowledged", "/s", limit=pipeline, aim=Aim(AT_LEAST, 0.85))
    cost = Comparison("a", "CPU of the ingestor", "s per million", limit=pipeline, aim=Aim(AT_MOST, 1.25))
    libraries = {
        "librdkafka alone (same bytes and settings)": _produce,
        "libwebsockets alone (receive and discard)": _receive,
    }
    alone = {name: Comparison("a", "CPU of the ingestor", "s per million", limit=name) for name in libraries}
    for _ in bench.rounds():
        shortest = _pipeline(bench, trades)
        ours = run_ingestor(bench, trades, INSTRUMENTS)
        rate.add(ours.records_per_second, shortest.records_per_second)
        cost.add(ours.cpu_per_million, shortest.cpu_per_million)
        for name, measure in libraries.items():
            alone[name].add(ours.cpu_per_million, measure(bench, trades).cpu_per_million)
    return [rate, cost, *alone.values()]


def _pipeline(bench: Bench, trades: int) -> Result:
    with bench.topic() as topic:
        return run_yardstick(
            bench, "yard_pipeline", trades, INSTRUMENTS, bench.brokers, topic, *producer_arguments()
        )


def _produce(bench: Bench, trades: int) -> Result:
    with bench.topic() as topic:
        arguments = (bench.brokers, topic, str(INSTRUMENTS), str(trades), *producer_arguments())
        return Result.of(bench.yardstick("yard_produce", *arguments))


def _receive(bench: Bench, trades: int) -> Result:
    return run_yardstick(bench, "yard_receive", trades, INSTRUMENTS)
