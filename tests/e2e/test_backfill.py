"""History: complete, within OKX's rate, resumed and not begun anew; and the bar that closes now arrives now."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

from harness import STOP_SECONDS, Pipeline, eventually

INSTRUMENTS = 5
HOUR = timedelta(hours=1)
HISTORY_START = datetime(2020, 1, 1, tzinfo=timezone.utc)
# OKX's published limits per 2 s (okx-v5, endpoints); the simulator counts what it was asked in any such window.
LIMITS = {"history-candles": 20, "candles": 40}


def stored_bars(pipeline: Pipeline) -> int:
    return pipeline.value("SELECT count(*) FROM candles WHERE bar = '1H' AND confirm")


def rest_statistics(pipeline: Pipeline) -> dict[str, dict[str, int]]:
    """Endpoint, without its folder, to requests, throttled and max_in_window."""
    return {name.rsplit("/", 1)[-1]: each for name, each in pipeline.simulator.stats()["rest"].items()}


def holes(pipeline: Pipeline) -> list[tuple]:
    """Neighbouring bars of an instrument that are not an hour apart."""
    return pipeline.sql(
        """
        SELECT inst_id, previous, ts FROM (
            SELECT inst_id, ts, lag(ts) OVER (PARTITION BY inst_id ORDER BY ts) AS previous
            FROM candles WHERE bar = '1H' AND confirm) pairs
        WHERE ts - previous <> interval '1 hour'
        """
    )


def test_all_hours_since_2020_arrive_within_the_rate_and_through_restarts(pipeline: Pipeline) -> None:
    pipeline.settings["HISTORY_START"] = "2020-01-01"
    pipeline.start_simulator(SIM_TRADE_RATE="1")
    scheduler, persister, ingestor = pipeline.start("scheduler", "persister", "ingestor")
    pipeline.open_market()
    expected = INSTRUMENTS * ((datetime.now(timezone.utc) - HISTORY_START) // HOUR)

    eventually("half of the history", lambda: stored_bars(pipeline) > expected / 2, 180)
    before = rest_statistics(pipeline)["history-candles"]["requests"]
    assert scheduler.terminate(STOP_SECONDS) == 0
    assert ingestor.terminate(STOP_SECONDS) == 0
    half = stored_bars(pipeline)
    for service in (scheduler, ingestor):
        service.start()
    for service in (scheduler, ingestor):
        service.wait_ready()

    eventually("the whole history", lambda: stored_bars(pipeline) >= expected, 180)
    assert holes(pipeline) == []
    first = pipeline.sql("SELECT inst_id, min(ts) FROM candles WHERE bar = '1H' GROUP BY 1")
    assert [start for _, start in first] == [HISTORY_START] * INSTRUMENTS

    rest = rest_statistics(pipeline)
    for endpoint, limit in LIMITS.items():
        assert rest.get(endpoint, {}).get("max_in_window", 0) <= limit, rest
        assert rest.get(endpoint, {}).get("throttled", 0) == 0, rest
    # What the restart asked for again is at most what was under way, not the half that was there.
    after = rest["history-candles"]["requests"] - before
    assert after < 1.15 * (expected - half) / 300 + 25, f"{after} requests for {expected - half} bars"
    assert persister.metrics().value("dead_letters_total") == 0


def test_a_bar_that_closes_at_a_firing_arrives_confirmed_by_that_firing(pipeline: Pipeline) -> None:
    pipeline.settings |= {
        "CANDLES_CRON": "* * * * *",
        "CANDLE_BARS": "1m",
        "CURRENCIES": "BTC",
        "HISTORY_START": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    }
    pipeline.start_simulator(SIM_TRADE_RATE="5", SIM_INSTRUMENTS="BTC-USDT")
    pipeline.start("scheduler", "persister", "ingestor")
    pipeline.open_market()
    minute = datetime.now(timezone.utc).replace(second=0, microsecond=0)
    closes = minute + timedelta(minutes=1)
    time.sleep(max(0.0, (closes - datetime.now(timezone.utc)).total_seconds()))  # the close is a time, not a condition

    def confirmed() -> list[tuple]:
        return pipeline.sql("SELECT confirm FROM candles WHERE bar = '1m' AND ts = %s", minute)

    eventually("the bar that has just closed", lambda: confirmed() == [(True,)], 30)
    assert pipeline.value("SELECT count(*) FROM candles WHERE NOT confirm") == 0


def test_history_before_the_listing_does_not_keep_the_rest_waiting(pipeline: Pipeline) -> None:
    """OKX knows nothing of the first years of a young instrument; the command that asked says so and is final."""
    pipeline.settings |= {"HISTORY_START": "2018-01-01", "CURRENCIES": "TON", "CANDLE_BARS": "1D"}
    pipeline.start_simulator(SIM_TRADE_RATE="1", SIM_INSTRUMENTS="TON-USDT")
    scheduler, _, _ = pipeline.start("scheduler", "persister", "ingestor")

    def is_planned_out() -> bool:
        metrics = scheduler.metrics()
        total = metrics.value("backfill_bars_total")
        return total > 0 and metrics.value("backfill_bars_done") == total

    eventually("no bar is left to ask for", is_planned_out, 60)
    eventually(
        "every result is stored",
        lambda: pipeline.value("SELECT count(*) FROM fetches WHERE kind = 'candles' AND status = 'requested'") == 0,
    )
    assert pipeline.value("SELECT count(*) FROM fetches WHERE kind = 'candles' AND status NOT IN ('done', 'incomplete')") == 0
    assert pipeline.value("SELECT count(*) FROM candles WHERE bar = '1D'") > 0
