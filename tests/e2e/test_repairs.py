"""The repair of a hole outlives whoever found it and whoever runs it, keeps to OKX's pace, and says what it cannot do."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from harness import Pipeline, eventually
from pipeline import Service

INSTRUMENT = "BTC-USDT"
PAGE = 100
HISTORY_TRADES_LIMIT = 20  # requests in 2 s


def start(pipeline: Pipeline, rate: int, **settings: str) -> Service:
    """A lively market with one instrument and one ingestor."""
    pipeline.settings |= {"CURRENCIES": "BTC", **settings}
    pipeline.start_simulator(SIM_TRADE_RATE=str(rate), SIM_INSTRUMENTS=INSTRUMENT, SIM_REST_LATENCY="700ms")
    _, _, ingestor = pipeline.start("scheduler", "persister", "ingestor")
    pipeline.open_market()
    eventually("trades are stored", lambda: pipeline.value("SELECT count(*) FROM trades") > rate)
    return ingestor


def gap_commands(pipeline: Pipeline) -> list[dict[str, Any]]:
    return [record.value for record in pipeline.topics.read("control") if record.value["reason"] == "GAP"]


def repaired(pipeline: Pipeline) -> int:
    """Trades in the topic that were fetched."""
    return sum(record.value["origin"] == "REST" for record in pipeline.topics.read("trades"))


def finished(pipeline: Pipeline) -> set[str]:
    return {record.key for record in pipeline.topics.read("fetch-results")}


def assert_each_hole_is_done_once(pipeline: Pipeline) -> None:
    commands = gap_commands(pipeline)
    assert set(Counter(each["id"] for each in commands).values()) == {1}
    wanted = {each["id"] for each in commands}
    query = "SELECT id FROM fetches WHERE reason = 'gap' AND status = 'done'"
    eventually("each repair is done", lambda: {identifier for [identifier] in pipeline.sql(query)} == wanted)
    [stats] = [each for name, each in pipeline.simulator.stats()["rest"].items() if name.endswith("history-trades")]
    assert stats["max_in_window"] <= HISTORY_TRADES_LIMIT
    assert pipeline.sql("SELECT * FROM trade_gaps") == []


def test_a_repair_outlives_who_found_the_hole_and_who_filled_half_of_it(pipeline: Pipeline) -> None:
    ingestor = start(pipeline, 100)
    pipeline.simulator.fault("gap", instId=INSTRUMENT, count=6 * PAGE)
    found = eventually("the hole is found", lambda: gap_commands(pipeline))
    ingestor.kill()
    asked = {each["id"] for each in found}
    assert not asked & finished(pipeline)
    ingestor.start()
    eventually("half of it is filled", lambda: repaired(pipeline) >= PAGE, 60)
    ingestor.kill()
    assert not asked & finished(pipeline)
    ingestor.start()
    ingestor.wait_ready(60)
    pipeline.assert_complete(120)
    assert_each_hole_is_done_once(pipeline)


def test_a_repair_goes_page_by_page(pipeline: Pipeline) -> None:
    start(pipeline, 100)
    pipeline.simulator.fault("gap", instId=INSTRUMENT, count=350)
    eventually("the hole is found", lambda: gap_commands(pipeline))
    pipeline.assert_complete(60)
    assert_each_hole_is_done_once(pipeline)
    [[records, requests]] = pipeline.sql("SELECT records, requests FROM fetches WHERE reason = 'gap'")
    assert records == 350
    assert 4 <= requests <= 5  # the newest may not be in REST at once


def test_what_is_not_asked_for_is_listed_with_the_reason(pipeline: Pipeline) -> None:
    start(pipeline, 100, REPAIR_TRADES_MAX="50")
    pipeline.simulator.fault("gap", instId=INSTRUMENT, count=120)
    query = "SELECT to_id - from_id + 1, trades, error FROM trade_gaps WHERE state = 'unfillable'"
    rows = eventually("the rest is listed", lambda: pipeline.sql(query), 60)
    error = "not asked for: the hole has more trades than REPAIR_TRADES_MAX (50)"
    assert rows == [(70, 70, error)]
    eventually("the others are filled", lambda: repaired(pipeline) == 50)


@pytest.mark.parametrize("name", ["ingestor", "persister", "scheduler"])
def test_a_repair_that_okx_refuses_for_a_while_is_done_in_the_end(pipeline: Pipeline, name: str) -> None:
    """Whoever is restarted meanwhile."""
    start(pipeline, 30)
    pipeline.simulator.fault("rest", endpoint="market/history-trades", status=503, code="50001", count=5)
    pipeline.simulator.fault("gap", instId=INSTRUMENT, count=20)
    eventually("the hole is found", lambda: gap_commands(pipeline))
    [service] = [each for each in pipeline.programs if each.name == name]
    service.kill()
    service.start()
    service.wait_ready(60)
    pipeline.assert_complete(120)
    assert_each_hole_is_done_once(pipeline)
