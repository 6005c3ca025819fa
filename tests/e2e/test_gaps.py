"""No hole in trade ids, whatever happens to the connection; and a hole that cannot be filled is shown."""

from __future__ import annotations

import time

import pytest
from harness import DRAIN_SECONDS, Pipeline, assert_same_trades, contents, eventually
from pipeline import Service

INSTRUMENT = "BTC-USDT"


@pytest.fixture
def running(pipeline: Pipeline) -> Pipeline:
    """A pipeline in the middle of a lively market."""
    pipeline.settings["CURRENCIES"] = "BTC,ETH"
    pipeline.start_simulator(SIM_TRADE_RATE="30", SIM_INSTRUMENTS="BTC-USDT,ETH-USDT")
    pipeline.start("scheduler", "persister", "ingestor")
    pipeline.open_market()
    pipeline.wait_executed_more(60)
    return pipeline


def disconnects(pipeline: Pipeline) -> float:
    """How often the ingestor has lost a connection."""
    [ingestor] = [each for each in pipeline.programs if each.name == "ingestor"]
    return ingestor.metrics().value("websocket_disconnects_total")


@pytest.mark.parametrize(
    "fault, parameters",
    [("drop", {}), ("close", {"code": 4004}), ("refuse", {"ms": 3000})],
    ids=["drop", "close-4004", "drop-and-refuse"],
)
def test_a_lost_connection_leaves_no_hole(running: Pipeline, fault: str, parameters: dict[str, int]) -> None:
    simulator = running.simulator
    simulator.fault(fault, **parameters)
    if fault == "refuse":
        simulator.fault("drop")
    eventually("the ingestor sees the disconnect", lambda: disconnects(running) >= 1)
    running.wait_executed_more(120)
    running.assert_complete()
    assert running.sql("SELECT * FROM trade_gaps") == []


def test_trades_that_were_executed_but_never_sent_are_fetched(running: Pipeline) -> None:
    running.simulator.fault("gap", instId=INSTRUMENT, count=7)
    running.wait_executed_more(60)
    running.assert_complete()
    [[repaired]] = running.sql("SELECT count(*) FROM trades WHERE inst_id = %s AND origin = 'rest'", INSTRUMENT)
    assert repaired == 7
    rows = running.sql("SELECT status, records, to_id - from_id + 1 FROM fetches WHERE reason = 'gap'")
    assert rows == [("done", 7, 7)]


def test_trades_that_okx_cannot_give_stay_visible_as_unfillable(running: Pipeline) -> None:
    running.simulator.fault("lose", instId=INSTRUMENT, count=5)
    running.wait_executed_more(60)
    running.assert_complete()
    lost = [each.trade_id for each in running.executed() if each.is_lost]
    assert len(lost) == 5

    def unfillable() -> list[tuple]:
        return running.sql("SELECT inst_id, from_id, to_id, trades, error FROM trade_gaps WHERE state = 'unfillable'")

    found = eventually("the hole is reported", unfillable, 60)
    reason = "OKX does not have 5 of these trades, asked 5 times"
    assert found == [(INSTRUMENT, min(lost), max(lost), 5, reason)]


def test_a_malformed_frame_is_a_dead_letter_and_costs_no_trade(running: Pipeline) -> None:
    running.simulator.fault("malformed", count=3)
    running.wait_executed_more(60)
    running.assert_complete()
    letters = eventually("dead letters", lambda: running.topics.read_raw("dead-letters"))
    assert len(letters) == 3
    for letter in letters:
        assert letter.headers["__connect.errors.stage"] == b"parse"
        assert letter.headers["__connect.errors.exception.message"]


def test_the_upgrade_notice_is_followed_before_the_connection_is_cut(running: Pipeline) -> None:
    connections = running.simulator.stats()["connections"]["total"]
    running.simulator.fault("notice", after_ms=3000)
    eventually("a second connection", lambda: running.simulator.stats()["connections"]["total"] > connections)
    running.wait_executed_more(240)
    running.assert_complete()
    assert running.value("SELECT count(*) FROM trades WHERE origin = 'rest'") == 0


def test_a_websocket_that_lags_behind_rest_loses_no_first_trades(pipeline: Pipeline) -> None:
    pipeline.settings["CURRENCIES"] = "BTC,ETH"
    simulator = pipeline.start_simulator(SIM_TRADE_RATE="30", SIM_INSTRUMENTS="BTC-USDT,ETH-USDT")
    pipeline.start("scheduler", "persister", "ingestor")
    simulator.fault("stall", ms=7000)
    pipeline.open_market()
    asked = lambda: simulator.stats()["rest"]["market/trades"]["requests"]  # noqa: E731
    eventually("REST is asked for the last trades", lambda: asked() >= 2)
    pipeline.wait_executed_more(60)
    pipeline.assert_complete()


def follow_in_silence(pipeline: Pipeline, **rest_fault: str | int) -> tuple[Service, int]:
    """Subscribed to a market that trades, but for now tells no trade on the WebSocket; and since when (ms) at the latest."""
    pipeline.settings["CURRENCIES"] = "BTC,ETH"
    simulator = pipeline.start_simulator(SIM_TRADE_RATE="30", SIM_INSTRUMENTS="BTC-USDT,ETH-USDT")
    simulator.resume()
    for inst_id in pipeline.instruments():
        simulator.fault("gap", instId=inst_id, count=1_000_000)
    if rest_fault:
        simulator.fault("rest", **rest_fault)
    _, ingestor = pipeline.start("persister", "ingestor")
    return ingestor, int(time.time() * 1000)


def assert_complete_since(pipeline: Pipeline, followed_ms: int) -> None:
    """All that was executed since then is stored; and of what was executed before, no more than the start took."""
    pipeline.wait_executed_more(60)
    pipeline.simulator.halt()
    ledger = pipeline.simulator.ledger()
    expected = contents(each for each in ledger if each.time_ms >= followed_ms)
    eventually("all is stored", lambda: expected.keys() <= pipeline.table_trades().keys(), DRAIN_SECONDS)
    started = {key: content for key, content in pipeline.table_trades().items() if key not in expected}
    assert_same_trades(pipeline.table_trades(), {**expected, **started}, "table")
    known = contents(each for each in ledger if each.time_ms >= followed_ms - 10_000)
    assert started.keys() <= known.keys()
    assert pipeline.sql("SELECT * FROM trade_gaps") == []


def test_a_first_connection_that_is_lost_before_its_first_trade_leaves_no_hole(pipeline: Pipeline) -> None:
    """REST told of trades that were still to come on the WebSocket, and then did not."""
    _, followed_ms = follow_in_silence(pipeline)

    def begun() -> bool:
        positions = {record.key: record.value["tradeId"] for record in pipeline.topics.read("positions")}
        return len(positions) == 2 and None not in positions.values()

    eventually("REST has told where both begin", begun)
    pipeline.wait_executed_more(60)
    pipeline.simulator.fault("drop")
    eventually("the ingestor sees the disconnect", lambda: disconnects(pipeline) >= 1)
    pipeline.simulator.fault("clear")
    assert_complete_since(pipeline, followed_ms)


def test_rest_may_tell_where_a_series_begins_after_its_connection_was_lost(pipeline: Pipeline) -> None:
    _, followed_ms = follow_in_silence(pipeline, endpoint="market/trades", status=503, count=1_000_000)
    pipeline.wait_executed_more(60)
    pipeline.simulator.fault("drop")
    eventually("the ingestor sees the disconnect", lambda: disconnects(pipeline) >= 1)
    pipeline.wait_executed_more(60)
    pipeline.simulator.fault("clear")
    assert_complete_since(pipeline, followed_ms)


def test_an_ingestor_that_dies_before_a_series_has_begun_leaves_no_hole(pipeline: Pipeline) -> None:
    ingestor, followed_ms = follow_in_silence(pipeline, endpoint="market/trades", status=503, count=1_000_000)
    eventually("both are announced", lambda: len({each.key for each in pipeline.topics.read("positions")}) == 2)
    pipeline.wait_executed_more(60)
    ingestor.kill()
    pipeline.wait_executed_more(60)
    pipeline.simulator.fault("clear")
    ingestor.start()
    ingestor.wait_ready()
    assert_complete_since(pipeline, followed_ms)
