"""Planned reconnects are not seen: no hole, no trade twice, no moment without subscriptions or readiness."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from harness import Pipeline, eventually
from pipeline import Service

CURRENCIES = ["BTC", "ETH", "TON", "SOL", "XRP"]
RATE = 200  # trades a second of each
LOOKS_MIN = 50  # fewer prove little


class Watch:
    """Asks again and again, in the background, whether something holds; remembers each time that it did not."""

    def __init__(self, condition: Callable[[], object]) -> None:
        self.problems: list[object] = []
        self.looks = 0
        self._condition = condition
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over.set()
        self._thread.join()

    def wait_long_enough(self) -> None:
        """Waits until it has looked often enough, however slow the machine is."""
        eventually("it was watched for long enough", lambda: self.looks > LOOKS_MIN)

    def _run(self) -> None:
        while not self._is_over.wait(0.02):
            problem = self._condition()
            self.looks += 1
            if problem:
                self.problems.append(problem)


def start(pipeline: Pipeline, **settings: str) -> Service:
    """A busy market over three connections, and the ingestor that follows it.

    It never stands still: what the simulator makes up for on resuming is not sent on connections that came meanwhile.
    """
    pipeline.settings["CURRENCIES"] = ",".join(CURRENCIES)
    pipeline.start_simulator(SIM_TRADE_RATE=str(RATE)).resume()
    pipeline.settings |= {"WS_CHANNELS_PER_CONNECTION": "2", **settings}
    _, ingestor = pipeline.start("persister", "ingestor")
    pipeline.wait_begun()
    return ingestor


def forget_what_came_before(pipeline: Pipeline) -> None:
    """Halts; from here on the ledger begins with the first trade that was stored of each instrument."""
    pipeline.simulator.halt()
    query = "SELECT inst_id, min(trade_id - coalesce(count, 1) + 1) FROM trades GROUP BY inst_id"
    first = dict(pipeline.sql(query))
    pipeline.before = [each for each in pipeline.simulator.ledger() if each.trade_id < first[each.inst_id]]


def replaced(ingestor: Service) -> float:
    """How many connections have handed over."""
    return ingestor.metrics().value("websocket_disconnects_total", reason="replaced")


def assert_unseen(pipeline: Pipeline, ingestor: Service, watch: Watch) -> None:
    """What happened left no trace but the connections themselves."""
    forget_what_came_before(pipeline)
    expected = pipeline.assert_complete()
    metrics = ingestor.metrics()
    assert metrics.value("gaps_detected_total") == 0
    assert metrics.value("duplicate_trades_total") > 0  # there was an overlap
    assert watch.problems == []
    published = Counter(
        (record.value["instId"], record.value["tradeId"], record.value["origin"])
        for record in pipeline.topics.read("trades")
    )
    assert set(published.values()) == {1}
    assert {origin for _, _, origin in published} == {"STREAM"}
    assert len(published) == len(expected)


def outage(pipeline: Pipeline, ingestor: Service) -> object:
    """What is wrong now, as the exchange and the readiness see it."""
    subscriptions = pipeline.simulator.stats()["subscriptions"]
    is_ready, reasons = ingestor.readiness()
    return None if subscriptions >= len(CURRENCIES) and is_ready else (subscriptions, reasons)


@pytest.mark.parametrize("channel", ["trades-all", "trades"])
def test_connections_that_reach_their_age_are_replaced_unseen(pipeline: Pipeline, channel: str) -> None:
    ingestor = start(pipeline, WS_CONNECTION_AGE="2s", OKX_TRADES_CHANNEL=channel)
    with Watch(lambda: outage(pipeline, ingestor)) as watch:
        eventually("twelve connections are replaced", lambda: replaced(ingestor) >= 12, 60)
        watch.wait_long_enough()
    if channel == "trades-all":
        assert_unseen(pipeline, ingestor, watch)
        return
    # Aggregates: fewer records than executions, so the ledger cannot be compared one to one; volume can.
    forget_what_came_before(pipeline)
    executed = pipeline.executed_count()
    eventually("all stored", lambda: pipeline.value("SELECT sum(coalesce(count, 1)) FROM trades") >= executed)
    assert pipeline.value("SELECT sum(coalesce(count, 1)) FROM trades") == executed
    assert ingestor.metrics().value("gaps_detected_total") == 0
    assert watch.problems == []


def test_announced_ends_are_survived_unseen(pipeline: Pipeline) -> None:
    """Five times notice 64008 and the cut after it, in the middle of a busy market."""
    ingestor = start(pipeline)
    with Watch(lambda: outage(pipeline, ingestor)) as watch:
        for _ in range(5):
            before = replaced(ingestor)
            pipeline.simulator.fault("notice", after_ms=6000)
            eventually("the three connections are replaced", lambda: replaced(ingestor) >= before + 3, 15)
        watch.wait_long_enough()
    reasons = {s.labels["reason"] for s in ingestor.metrics().matching("websocket_disconnects_total")}
    assert reasons == {"replaced"}  # never OKX's cut
    assert_unseen(pipeline, ingestor, watch)


def test_a_connection_that_lags_behind_its_successor_costs_no_hole(pipeline: Pipeline) -> None:
    """The successor is ahead by a hundred trades; those are on their way, not missing."""
    ingestor = start(pipeline)
    pipeline.simulator.fault("delay", ms=500)
    with Watch(lambda: outage(pipeline, ingestor)) as watch:
        pipeline.simulator.fault("notice", after_ms=6000)
        eventually("the three connections are replaced", lambda: replaced(ingestor) >= 3, 15)
        watch.wait_long_enough()
    assert_unseen(pipeline, ingestor, watch)


def test_connections_age_out_no_faster_than_okx_lets_them_connect(pipeline: Pipeline) -> None:
    """Far too short an age for so many connections: the simulator refuses the fourth within a second."""
    ingestor = start(pipeline, WS_CONNECTION_AGE="200ms", WS_CHANNELS_PER_CONNECTION="1")
    eventually("thirty connections are replaced", lambda: replaced(ingestor) >= 30, 60)
    metrics = ingestor.metrics()
    assert metrics.value("websocket_disconnects_total", reason="connect_failed") == 0
    forget_what_came_before(pipeline)
    pipeline.assert_complete()
    assert ingestor.metrics().value("gaps_detected_total") == 0
