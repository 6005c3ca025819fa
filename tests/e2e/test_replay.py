"""Recorded OKX messages, played by the simulator: each ends in PostgreSQL with every digit, or in dead-letters
with a reason. The recordings are not part of the repository: OKX_CAPTURES names their folder.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from harness import Pipeline, eventually
from pipeline import REPOSITORY

CAPTURES = Path(os.environ.get("OKX_CAPTURES", REPOSITORY.parent / "shared/data/okx"))
TRADE_CHANNELS = ("trades", "trades-all")

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"no recorded messages in {CAPTURES}; set OKX_CAPTURES")


def frames() -> dict[str, tuple[bytes, dict[str, Any]]]:
    """File name to frame, as bytes and as JSON."""
    texts = {path.name: path.read_bytes().strip() for path in sorted(CAPTURES.glob("ws-*.json"))}
    return {name: (text, json.loads(text)) for name, text in texts.items()}


def stored_form(row: dict[str, Any]) -> tuple[Any, ...]:
    """A trade as OKX sent it, in the form of STORED_TRADES."""
    return (
        row["instId"],
        int(row["tradeId"]),
        Decimal(row["px"]),
        Decimal(row["sz"]),
        row["side"],
        int(row["ts"]),
        int(row["count"]) if "count" in row else None,
        row.get("source"),
        row.get("seqId"),
    )


STORED_TRADES = """
SELECT inst_id, trade_id, px, sz, side, (extract(epoch FROM ts) * 1000)::bigint, count, source, seq_id FROM trades
"""


@pytest.fixture
def replayed(pipeline: Pipeline) -> Pipeline:
    """A pipeline at the exchange of the recordings."""
    instruments = {frame["arg"]["instId"] for _, frame in frames().values() if is_trades(frame)}
    pipeline.settings |= {"OKX_TRADES_CHANNEL": "trades", "INSTRUMENTS": ",".join(sorted(instruments))}
    del pipeline.settings["CURRENCIES"]
    pipeline.start_simulator("--replay", str(CAPTURES))
    for name in ("scheduler", "persister", "ingestor"):
        pipeline.service(name).start()
    return pipeline


def is_trades(frame: dict[str, Any]) -> bool:
    return "data" in frame and frame["arg"]["channel"] in TRADE_CHANNELS


def test_every_recorded_frame_is_stored_exactly_or_a_dead_letter(replayed: Pipeline) -> None:
    expected_rows = [stored_form(row) for _, frame in frames().values() if is_trades(frame) for row in frame["data"]]
    others = {text: name for name, (text, frame) in frames().items() if "data" in frame and not is_trades(frame)}
    assert expected_rows and others

    def missing_rows() -> list[tuple[Any, ...]]:
        stored = set(replayed.sql(STORED_TRADES))
        return [row for row in expected_rows if row not in stored]

    eventually("every recorded trade is stored", lambda: not missing_rows(), 40)

    def missing_letters() -> list[str]:
        letters = {letter.value for letter in replayed.topics.read_raw("dead-letters")}
        return [name for text, name in others.items() if text not in letters]

    eventually("every other frame is a dead letter", lambda: not missing_letters(), 40)
    for letter in replayed.topics.read_raw("dead-letters"):
        assert letter.headers["__connect.errors.exception.message"]
        assert letter.headers["__connect.errors.topic"].startswith(b"okx:")


def test_recorded_currencies_are_stored_with_every_digit(replayed: Pipeline) -> None:
    recorded = [
        row
        for path in CAPTURES.glob("rest-asset-currencies-*.json")
        for row in json.loads(path.read_text())["data"]
    ]
    query = "SELECT min_wd, max_fee, min_dep, wd_quota FROM currencies WHERE ccy = %s AND chain = %s"

    def stored() -> list[tuple[Decimal, ...]]:
        return replayed.sql(query, "BTC", "BTC-Bitcoin")

    found = eventually("the currency is stored", stored)
    wanted = [tuple(number(row, name) for name in ("minWd", "maxFee", "minDep", "wdQuota")) for row in recorded]
    assert found[0] in wanted


def rest_rows(pattern: str) -> list[Any]:
    return [row for path in sorted(CAPTURES.glob(pattern)) for row in json.loads(path.read_text())["data"]]


def ask(pipeline: Pipeline, kind: str, inst_id: str, identity: str, **members: Any) -> None:
    """A command of a user's own on control, as docs/topics.md describes it."""
    topics = pipeline.topics
    schema = topics.registry.get_latest_version(f"{topics.prefix}control-value").schema
    serialize = AvroSerializer(topics.registry, schema, conf={"auto.register.schemas": False})
    absent = {name: None for name in ("instId", "bar", "fromId", "toId", "fromTs", "toTs")}
    command = {**absent, "id": identity, "kind": kind, "instId": inst_id, "reason": "GAP", "attempt": 1}
    command |= {"createdAt": datetime.now(timezone.utc), **members}
    context = SerializationContext(f"{topics.prefix}control", MessageField.VALUE)
    topics.produce("control", inst_id, serialize(command, context))


def test_recorded_rest_trades_are_stored_with_every_digit(replayed: Pipeline) -> None:
    rows = rest_rows("rest-market-*trades-*.json")
    assert rows
    eventually("control exists", lambda: replayed.sql("SELECT 1 FROM fetches LIMIT 1"))
    for row in rows:
        ask(replayed, "TRADES", row["instId"], f"trades/{row['instId']}/{row['tradeId']}-{row['tradeId']}",
            fromId=int(row["tradeId"]), toId=int(row["tradeId"]))  # fmt: skip

    def missing() -> list[tuple[Any, ...]]:
        stored = set(replayed.sql(STORED_TRADES))
        return [stored_form(row) for row in rows if stored_form(row) not in stored]

    eventually("every recorded trade is stored", lambda: not missing(), 60)


def test_recorded_candles_are_stored_with_every_digit(replayed: Pipeline) -> None:
    rows = rest_rows("rest-market-candles-1m-BTC-USDT-SWAP.json")
    assert rows
    times = [datetime.fromtimestamp(int(row[0]) / 1000, timezone.utc) for row in rows]
    eventually("control exists", lambda: replayed.sql("SELECT 1 FROM fetches LIMIT 1"))
    ask(replayed, "CANDLES", "BTC-USDT-SWAP", "candles/BTC-USDT-SWAP/1m/recorded", bar="1m",
        fromTs=min(times), toTs=max(times) + timedelta(minutes=1))  # fmt: skip
    query = "SELECT ts, open, high, low, close, vol, vol_ccy, vol_ccy_quote, confirm FROM candles WHERE bar = '1m'"
    wanted = {(time, *(Decimal(text) for text in row[1:8]), row[8] == "1") for time, row in zip(times, rows)}
    eventually("every recorded candle is stored", lambda: set(replayed.sql(query)) == wanted, 60)


def number(row: dict[str, Any], name: str) -> Decimal | None:
    return Decimal(row[name]) if row.get(name) else None
