"""No hole in trade ids, whatever happens to the connection; and a hole that cannot be filled is shown."""

from __future__ import annotations

import pytest
from harness import Pipeline, eventually

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
