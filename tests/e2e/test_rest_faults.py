"""OKX's REST interface at its worst: whatever it answers, the history ends complete and every digit right."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from harness import Pipeline, eventually

HOUR = timedelta(hours=1)
DAYS = 200  # eight pages of history and one of recent candles

FAULTS = {
    "too many requests": {"status": 429, "code": "50011"},
    "too many requests with HTTP 200": {"status": 200, "code": "50011"},
    "service unavailable": {"status": 503, "code": "50001"},
    "system error": {"status": 500, "code": "50026"},
    "HTML of the CDN": {"form": "html"},
    "cut short": {"form": "truncate"},
}


def fetched(pipeline: Pipeline) -> dict[str, int]:
    return dict(pipeline.sql("SELECT status, count(*) FROM fetches WHERE kind = 'candles' GROUP BY status"))


def spoil_then_fetch(pipeline: Pipeline, fault: dict[str, str | int], count: int = 3) -> None:
    """Starts a history of one instrument with the first answers spoilt, and waits until it is complete."""
    start = (datetime.now(timezone.utc) - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    pipeline.settings |= {"CURRENCIES": "BTC", "HISTORY_START": start.strftime("%Y-%m-%d")}
    pipeline.start_simulator(SIM_TRADE_RATE="1")
    pipeline.simulator.fault("rest", endpoint="market/history-candles", count=count, **fault)
    pipeline.simulator.fault("rest", endpoint="market/candles", count=1, **fault)
    pipeline.start("scheduler", "persister", "ingestor")
    pipeline.simulator.resume()
    expected = (datetime.now(timezone.utc) - start) // HOUR
    # Bars rather than rows up to now: the hour may end during the test, and its bar arrives as well.
    query = "SELECT count(*), min(ts) FROM candles WHERE bar = '1H' AND confirm AND ts < %s"
    end = start + expected * HOUR
    eventually("all hours", lambda: pipeline.sql(query, end)[0] == (expected, start), 90)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_history_is_complete_after(pipeline: Pipeline, fault: dict[str, str | int]) -> None:
    spoil_then_fetch(pipeline, fault)
    eventually("every command is done", lambda: set(fetched(pipeline)) == {"done"})


def test_history_is_complete_after_answers_that_never_come(pipeline: Pipeline) -> None:
    spoil_then_fetch(pipeline, {"form": "hang"}, count=1)
    eventually("every command is done", lambda: set(fetched(pipeline)) == {"done"})


def test_a_signed_request_with_a_stale_clock_is_repeated_with_okx_time(pipeline: Pipeline) -> None:
    pipeline.settings["CURRENCIES"] = "BTC"
    pipeline.start_simulator(SIM_TRADE_RATE="1")
    pipeline.simulator.fault("rest", endpoint="asset/currencies", status=401, code="50102", count=1)
    pipeline.start("scheduler", "persister", "ingestor")
    query = "SELECT status, requests FROM fetches WHERE kind = 'currencies' AND status <> 'requested'"
    [[status, requests]] = eventually("the currencies job has a result", lambda: pipeline.sql(query))
    assert (status, requests) == ("done", 2)
    times = [stats for name, stats in pipeline.simulator.stats()["rest"].items() if name.endswith("time")]
    assert times[0]["requests"] in (1, 2)  # the ingestor may also want to know how old a trade is


def test_a_refusal_for_good_ends_as_a_failed_command_with_okx_code(pipeline: Pipeline) -> None:
    pipeline.settings["CURRENCIES"] = "BTC"
    pipeline.start_simulator(SIM_TRADE_RATE="1")
    pipeline.simulator.fault("rest", endpoint="asset/currencies", status=401, code="50110", count=100)
    pipeline.start("scheduler", "persister", "ingestor")
    query = "SELECT status, retriable, error FROM fetches WHERE kind = 'currencies' AND status <> 'requested'"
    [[status, retriable, error]] = eventually("the currencies job has a result", lambda: pipeline.sql(query))
    assert (status, retriable) == ("failed", False)
    assert "50110" in error
