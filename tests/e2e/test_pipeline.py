"""An undisturbed run: what the exchange executed, what the topics hold and what the tables hold are the same."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from decimal import Decimal

from harness import Pipeline, contents, eventually, yesterday
from topics import murmur2_partition

INSTRUMENTS = ["BTC-USDT", "ETH-USDT", "TON-USDT", "SOL-USDT", "XRP-USDT"]


def test_an_ingestor_is_ready_only_when_every_instrument_is_subscribed(pipeline: Pipeline) -> None:
    simulator = pipeline.start_simulator(SIM_TRADE_RATE="1")
    ingestor = pipeline.service("ingestor")
    ingestor.start()
    ingestor.wait_ready()
    assert simulator.stats()["subscriptions"] == len(INSTRUMENTS)


def test_ledger_topic_and_table_hold_the_same_trades(market_day: Pipeline) -> None:
    expected = market_day.assert_complete()
    assert {inst_id for inst_id, _ in expected} == set(INSTRUMENTS)


def test_no_trade_is_published_twice_in_an_undisturbed_run(market_day: Pipeline) -> None:
    counts = Counter((record.value["instId"], record.value["tradeId"]) for record in market_day.topics.read("trades"))
    assert [key for key, count in counts.items() if count > 1] == []


def test_foreign_deserializer_gives_exact_decimals_and_utc_datetimes(market_day: Pipeline) -> None:
    ledger = {(each.inst_id, each.trade_id): each for each in market_day.executed()}
    for record in market_day.topics.read("trades"):
        trade, executed = record.value, ledger[record.value["instId"], record.value["tradeId"]]
        assert type(trade["px"]) is Decimal and type(trade["sz"]) is Decimal
        assert digits(trade["px"]) == digits(Decimal(executed.price))
        assert digits(trade["sz"]) == digits(Decimal(executed.size))
        assert isinstance(trade["ts"], datetime) and trade["ts"].tzinfo == timezone.utc
        assert contents([executed])[executed.inst_id, executed.trade_id][3] == trade["ts"]
        assert trade["source"] == executed.source
        assert trade["origin"] == "STREAM"
        assert abs((trade["receivedAt"] - trade["ts"]).total_seconds()) < 60


def test_a_trade_is_keyed_by_instrument_and_lands_where_the_java_client_would_put_it(market_day: Pipeline) -> None:
    partitions = market_day.topics.partition_counts()["trades"]
    for record in market_day.topics.read("trades"):
        assert record.key == record.value["instId"]
        assert record.partition == murmur2_partition(record.key, partitions)


def test_trades_of_an_instrument_are_in_the_order_of_their_ids(market_day: Pipeline) -> None:
    newest: dict[str, int] = {}
    for record in market_day.topics.read("trades"):
        assert record.value["tradeId"] > newest.get(record.key, 0)
        newest[record.key] = record.value["tradeId"]


def test_record_time_is_the_time_of_publishing(market_day: Pipeline) -> None:
    for record in market_day.topics.read("trades"):
        assert abs(record.timestamp_ms - record.value["receivedAt"].timestamp() * 1000) < 5000


def test_topics_are_created_with_the_configured_partitions(market_day: Pipeline) -> None:
    assert market_day.topics.partition_counts() == {
        "trades": 3,
        "candles": 3,
        "control": 3,
        "positions": 3,
        "currencies": 1,
        "fetch-results": 1,
        "dead-letters": 1,
    }


def test_schemas_are_registered_as_the_files_say_and_stay_compatible(market_day: Pipeline) -> None:
    registry = market_day.topics.registry
    for topic, schema in {"trades": "Trade", "candles": "Candle", "control": "FetchCommand"}.items():
        subject = f"{market_day.topics.prefix}{topic}-value"
        text = registry.get_latest_version(subject).schema.schema_str
        assert f'"{schema}"' in text and '"logicalType"' in text and '"doc"' in text
        assert registry.get_compatibility(subject) == "FULL_TRANSITIVE"


def test_position_of_each_instrument_is_its_last_published_trade(market_day: Pipeline) -> None:
    last = {each.inst_id: each.trade_id for each in market_day.executed()}

    def positions() -> dict[str, int | None]:
        return {record.key: record.value["tradeId"] for record in market_day.topics.read("positions")}

    eventually("positions reach the last trade", lambda: positions() == last)


def test_every_firing_and_command_has_its_result_in_fetches(market_day: Pipeline) -> None:
    def unanswered() -> int:
        return market_day.value("SELECT count(*) FROM fetches WHERE status = 'requested'")

    eventually("every command is answered", lambda: unanswered() == 0, 60)
    rows = market_day.sql("SELECT kind, status, count(*) FROM fetches GROUP BY 1, 2")
    assert {(kind, status) for kind, status, _ in rows} >= {("candles", "done"), ("currencies", "done")}
    assert not [row for row in rows if row[1] == "failed"]


def test_candles_since_history_start_have_no_hole(market_day: Pipeline) -> None:
    for inst_id in INSTRUMENTS:
        count, first, last = market_day.sql(
            "SELECT count(*), min(ts), max(ts) FROM candles WHERE inst_id = %s AND bar = '1H' AND confirm", inst_id
        )[0]
        assert first == datetime.fromisoformat(yesterday()).replace(tzinfo=timezone.utc)
        assert count == (last - first).total_seconds() / 3600 + 1


def test_last_prices_shows_the_newest_trade(market_day: Pipeline) -> None:
    newest = {each.inst_id: each for each in market_day.executed()}
    rows = {inst_id: (price, trade_id) for inst_id, price, trade_id in market_day.sql("SELECT inst_id, px, trade_id FROM last_prices")}
    assert rows == {inst_id: (Decimal(each.price), each.trade_id) for inst_id, each in newest.items()}


def test_nothing_is_a_dead_letter_and_no_gap_is_open(market_day: Pipeline) -> None:
    assert market_day.topics.read_raw("dead-letters") == []
    assert market_day.sql("SELECT * FROM trade_gaps") == []


def digits(value: Decimal) -> str:
    """Every digit that carries value, as text: what arrived must not have passed through a float."""
    return format(value.normalize(), "f")
