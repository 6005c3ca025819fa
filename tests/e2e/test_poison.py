"""Records that cannot be used: unchanged in dead-letters with the reason, and the rest is stored."""

from __future__ import annotations

import struct
from decimal import Decimal

from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from harness import Pipeline, eventually

KEY = "BTC-USDT"


def start(pipeline: Pipeline) -> None:
    pipeline.settings["CURRENCIES"] = "BTC"
    pipeline.start_simulator(SIM_TRADE_RATE="40", SIM_INSTRUMENTS="BTC-USDT")
    pipeline.start("scheduler", "persister", "ingestor")
    pipeline.open_market()
    pipeline.wait_executed_more(40)


def wire_format(schema_id: int, payload: bytes) -> bytes:
    return struct.pack(">bI", 0, schema_id) + payload


def trades_schema_id(pipeline: Pipeline) -> int:
    return pipeline.topics.registry.get_latest_version(f"{pipeline.topics.prefix}trades-value").schema_id


def test_poison_becomes_dead_letters_and_the_rest_is_stored(pipeline: Pipeline) -> None:
    start(pipeline)
    poison = {
        b"": "empty",
        b"\x01\x00\x00\x00\x01abc": "another magic byte",
        wire_format(999_999, b"abc"): "an id that the registry does not know",
        wire_format(trades_schema_id(pipeline), b"\x02"): "cut short",
        wire_format(trades_schema_id(pipeline), b"\xff" * 40): "no Avro",
    }
    for value in poison:
        pipeline.topics.produce("trades", KEY, value)
        pipeline.wait_executed_more(10)
    letters = eventually(
        "each is a dead letter",
        lambda: len(found := pipeline.topics.read_raw("dead-letters")) >= len(poison) and found,
    )
    assert {letter.value or b"" for letter in letters} == set(poison)
    for letter in letters:
        assert letter.key == KEY
        assert letter.headers["__connect.errors.topic"].decode() == f"{pipeline.topics.prefix}trades"
        assert letter.headers["__connect.errors.partition"].isdigit()
        assert letter.headers["__connect.errors.offset"].isdigit()
        assert letter.headers["__connect.errors.stage"] == b"decode"
        assert letter.headers["__connect.errors.connector.name"] == b"persister"
        assert letter.headers["__connect.errors.exception.message"]
    expected = pipeline.halt_and_drain()
    assert pipeline.table_trades() == expected


def test_a_record_that_the_table_refuses_is_a_dead_letter_with_its_sqlstate(pipeline: Pipeline) -> None:
    start(pipeline)
    pipeline.sql("ALTER TABLE trades ADD CONSTRAINT refuses_one_price CHECK (px <> 12345.678)")
    [template] = [record.value for record in pipeline.topics.read("trades")][:1]
    refused = {**template, "tradeId": 1, "px": Decimal("12345.678")}
    schema = pipeline.topics.registry.get_schema(trades_schema_id(pipeline))
    serialize = AvroSerializer(pipeline.topics.registry, schema, conf={"auto.register.schemas": False})
    context = SerializationContext(f"{pipeline.topics.prefix}trades", MessageField.VALUE)
    value = serialize(refused, context)
    pipeline.topics.produce("trades", KEY, value)
    pipeline.wait_executed_more(20)
    [letter] = eventually("the dead letter", lambda: pipeline.topics.read_raw("dead-letters"))
    assert letter.value == value
    assert letter.headers["__connect.errors.stage"] == b"store"
    assert b"23514" in b"".join(letter.headers.values())
    expected = pipeline.halt_and_drain()
    assert pipeline.table_trades() == expected


def test_a_tombstone_stops_nothing(pipeline: Pipeline) -> None:
    start(pipeline)
    pipeline.topics.produce("trades", KEY, None)
    pipeline.wait_executed_more(20)
    expected = pipeline.halt_and_drain()
    assert pipeline.table_trades() == expected
