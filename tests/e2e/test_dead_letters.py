"""The round trip of dead letters: listed, explained, put back, stored; and what cannot be put back is said so."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from harness import BINARIES, Pipeline, eventually
from pipeline import REPOSITORY
from processes import free_ports
from topics import Record, murmur2_partition

KEY = "BTC-USDT"
TIMEOUT_SECONDS = 120
TS = datetime.now(timezone.utc).replace(microsecond=123000)
# Every digit that a price may have.
PX = Decimal("12345678901234567890.123456789012345678")
TRADE: Mapping[str, Any] = {
    "instId": KEY,
    "tradeId": 1,
    "px": PX,
    "sz": Decimal("0.000000000000000001"),
    "side": "buy",
    "ts": TS,
    "count": None,
    "source": "0",
    "seqId": None,
    "origin": "REST",
    "receivedAt": TS,
    "extra": {"ünï": 'a"b'},
}


def run(pipeline: Pipeline, *arguments: str, given: str | bytes | None = None, **settings: str) -> Any:
    """dead-letters with the pipeline's settings."""
    return subprocess.run(
        [str(BINARIES / "dead-letters"), *arguments],
        env={**os.environ, **pipeline.settings, **settings},
        input=given.encode() if isinstance(given, str) else given if given is not None else b"",
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
    )


def output(pipeline: Pipeline, *arguments: str, given: str | bytes | None = None) -> str:
    """What it prints; it must succeed."""
    done = run(pipeline, *arguments, given=given)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def listed(pipeline: Pipeline, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output(pipeline, "list", "-f", "json", *arguments).splitlines()]


def wait_listed(pipeline: Pipeline, count: int, *arguments: str) -> list[dict[str, Any]]:
    """The open letters, once there are that many."""
    return eventually(
        f"{count} letters", lambda: len(found := listed(pipeline, *arguments)) >= count and found, TIMEOUT_SECONDS
    )


def trade(trade_id: int, **changes: Any) -> dict[str, Any]:
    return {**TRADE, "tradeId": trade_id, **changes}


def encode(pipeline: Pipeline, value: Mapping[str, Any]) -> bytes:
    """A trade as any other Avro library encodes it; the schema is registered if need be."""
    [encoded] = encode_all(pipeline, [value])
    return encoded


def encode_all(pipeline: Pipeline, values: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    serialize = AvroSerializer(pipeline.topics.registry, (REPOSITORY / "schemas/Trade.avsc").read_text())
    context = SerializationContext(f"{pipeline.topics.prefix}trades", MessageField.VALUE)
    for value in values:
        encoded = serialize(dict(value), context)
        assert encoded is not None
        yield encoded


def produce(pipeline: Pipeline, value: bytes | None, topic: str = "trades", **more: Any) -> None:
    producer = Producer({**pipeline.topics.client, "partitioner": "murmur2_random"})
    producer.produce(pipeline.topics.prefix + topic, **{"key": KEY, "value": value, **more})
    assert producer.flush(TIMEOUT_SECONDS) == 0


def stored(pipeline: Pipeline, trade_id: int) -> Any:
    """The row as its columns' text, or None."""
    rows = pipeline.sql(
        "SELECT px::text, sz::text, side, ts, source, origin::text, extra::text FROM trades WHERE trade_id = %s",
        trade_id,
    )
    return rows[0] if rows else None


def wait_stored(pipeline: Pipeline, trade_id: int) -> Any:
    return eventually(f"trade {trade_id} is stored", lambda: stored(pipeline, trade_id))


def back_on_topic(pipeline: Pipeline, letter: str, topic: str = "trades") -> list[Record]:
    """The records that were put back from this letter."""
    return [
        record
        for record in pipeline.topics.read_raw(topic)
        if record.headers.get("__connect.errors.retried-from") == letter.encode()
    ]


@pytest.fixture
def desk(pipeline: Pipeline) -> Pipeline:
    """Topics and a persister: nothing but the test writes."""
    pipeline.start("persister")
    return pipeline


# --- put back unchanged ---------------------------------------------------------------------------------


def test_a_record_that_the_table_refused_is_stored_once_its_cause_is_mended(desk: Pipeline) -> None:
    desk.sql("ALTER TABLE trades ADD CONSTRAINT refuses_buyers CHECK (side <> 'buy')")
    value = encode(desk, trade(1))
    produce(desk, value, headers={"traceparent": "00-abc", "binary": b"\x00\xff"})
    [letter] = wait_listed(desk, 1)
    assert letter["sourceTopic"] == f"{desk.topics.prefix}trades"
    assert letter["sourcePartition"] == murmur2_partition(KEY, 3) and letter["sourceOffset"] >= 0
    assert (letter["key"], letter["stage"], letter["sqlstate"]) == (KEY, "store", "23514")
    assert (letter["attempts"], letter["state"], letter["bytes"]) == (1, "open", len(value))
    assert "refuses_buyers" in letter["message"]

    explained = output(desk, "explain", letter["letter"])
    for part in ("23514", "refuses_buyers", "traceparent = 00-abc", "CHECK", f"retry {letter['letter']}", str(PX)):
        assert part in explained, explained
    assert "|....." in explained, "the hex dump begins with the wire format"

    desk.sql("ALTER TABLE trades DROP CONSTRAINT refuses_buyers")
    assert stored(desk, 1) is None
    done = output(desk, "retry", letter["letter"])
    assert done.startswith(f"{letter['letter']} put back: {desk.topics.prefix}trades {letter['sourcePartition']}:")
    row = wait_stored(desk, 1)
    assert row[:3] == (str(PX), "0.000000000000000001", "buy")
    assert row[3] == TS and row[4:6] == ("0", "rest") and json.loads(row[6]) == TRADE["extra"]

    [record] = back_on_topic(desk, letter["letter"])
    assert (record.value, record.key, record.partition) == (value, KEY, letter["sourcePartition"])
    assert record.headers == {
        "traceparent": b"00-abc",
        "binary": b"\x00\xff",
        "__connect.errors.attempts": b"1",
        "__connect.errors.retried-from": letter["letter"].encode(),
    }


def test_what_is_put_back_is_marked_and_not_put_back_twice(desk: Pipeline) -> None:
    desk.sql("ALTER TABLE trades ADD CONSTRAINT refuses_buyers CHECK (side <> 'buy')")
    produce(desk, encode(desk, trade(1)))
    [letter] = wait_listed(desk, 1)
    desk.sql("ALTER TABLE trades DROP CONSTRAINT refuses_buyers")
    assert f"{letter['letter']} would be put back" in output(desk, "retry", "-n", letter["letter"])
    assert len(listed(desk)) == 1 and not back_on_topic(desk, letter["letter"])
    output(desk, "retry", letter["letter"], letter["letter"])
    assert listed(desk) == []
    [settled] = listed(desk, "--settled")
    assert (settled["letter"], settled["state"]) == (letter["letter"], "put-back")
    again = run(desk, "retry", letter["letter"])
    assert again.returncode == 1 and b"is put back already" in again.stderr
    assert "no open letter" in output(desk, "retry", "--all", "-y")
    assert len(back_on_topic(desk, letter["letter"])) == 1
    assert "put back already" in output(desk, "explain", letter["letter"])
    output(desk, "retry", "--force", letter["letter"])
    assert len(back_on_topic(desk, letter["letter"])) == 2


def test_a_letter_that_is_still_bad_comes_again_with_its_attempts_counted(desk: Pipeline) -> None:
    desk.sql("ALTER TABLE trades ADD CONSTRAINT refuses_buyers CHECK (side <> 'buy')")
    produce(desk, encode(desk, trade(1)))
    before = None
    for attempt in (1, 2, 3, 4):
        [letter] = wait_listed(desk, 1)
        assert (letter["attempts"], letter["retriedFrom"]) == (attempt, before)
        before = letter["letter"]
        if attempt < 4:
            output(desk, "retry", "--all", "-y")
            eventually("it is a letter again", lambda: [each["letter"] for each in listed(desk)] not in ([], [before]))
    left = run(desk, "retry", "--all", "-y")
    assert left.returncode == 0 and b"1 left alone: they were letters more than 3 times" in left.stderr
    assert b"no open letter matches" in left.stdout
    assert f"was letter {letter['retriedFrom']} before" in output(desk, "explain", before)
    desk.sql("ALTER TABLE trades DROP CONSTRAINT refuses_buyers")
    output(desk, "retry", "--all", "-y", "--attempts-max", "9")
    assert wait_stored(desk, 1)[0] == str(PX)
    assert listed(desk) == []


def test_all_are_put_back_with_one_command_and_filters_choose(desk: Pipeline) -> None:
    desk.sql("ALTER TABLE trades ADD CONSTRAINT refuses_buyers CHECK (side <> 'buy')")
    count = 505  # more than the tool does at once
    producer = Producer(dict(desk.topics.client))
    for value in encode_all(desk, (trade(trade_id) for trade_id in range(1, count + 1))):
        producer.produce(f"{desk.topics.prefix}trades", value, KEY)
    producer.produce(f"{desk.topics.prefix}trades", b"noise", KEY)
    assert producer.flush(TIMEOUT_SECONDS) == 0
    wait_listed(desk, count + 1)
    assert len(listed(desk, "--stage", "decode")) == 1
    assert len(listed(desk, "-r", "23514", "-t", "trades", "--since", "1h")) == count
    assert listed(desk, "-t", "candles") == listed(desk, "--since", "2099-01-01") == []
    desk.sql("ALTER TABLE trades DROP CONSTRAINT refuses_buyers")

    asked = run(desk, "retry", "--all", "-s", "store")
    assert asked.returncode == 2 and f"{count} letters would be put back".encode() in asked.stderr
    assert len(output(desk, "retry", "--all", "-s", "store", "-y").splitlines()) == count
    eventually("all are stored", lambda: desk.value("SELECT count(*) FROM trades") == count, TIMEOUT_SECONDS)
    [noise] = listed(desk)
    still = run(desk, "retry", "--all", "-y")
    assert still.returncode == 1 and b"it would fail again" in still.stderr
    output(desk, "dismiss", "--all", "-y")
    assert listed(desk) == []
    assert {each["state"] for each in listed(desk, "--settled")} == {"put-back", "dismissed"}
    assert "dismissed" in output(desk, "explain", noise["letter"])


# --- put back corrected -----------------------------------------------------------------------------------


def test_an_undecodable_value_is_put_back_corrected_as_json(desk: Pipeline) -> None:
    produce(desk, encode(desk, trade(1))[:40])
    [letter] = wait_listed(desk, 1)
    explained = json.loads(output(desk, "explain", letter["letter"], "-f", "json"))
    assert explained["schema"].endswith("Trade") and explained["valueError"] and explained["value"] is None
    assert "not further" in output(desk, "explain", letter["letter"])
    refused = run(desk, "retry", letter["letter"])
    assert refused.returncode == 1 and b"it would fail again" in refused.stderr
    assert not back_on_topic(desk, letter["letter"])

    corrected = {
        **TRADE,
        "px": str(PX),
        "sz": "0.000000000000000001",
        "ts": TS.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "receivedAt": TS.isoformat(timespec="microseconds").replace("+00:00", "Z"),
    }
    wrong = {**corrected, "px": "1e-19"}
    for bad in (wrong, {**corrected, "pxx": "1"}, {**corrected, "px": 1.5}, {}):
        done = run(desk, "retry", letter["letter"], "--json", "-", given=json.dumps(bad))
        assert done.returncode == 2, done.stderr
    output(desk, "retry", letter["letter"], "--json", "-", given=json.dumps(corrected))
    row = wait_stored(desk, 1)
    assert row[0] == str(PX) and row[3] == TS and json.loads(row[6]) == TRADE["extra"]
    [record] = back_on_topic(desk, letter["letter"])
    assert record.value[5:] == encode(desk, TRADE)[5:], "as any other Avro library encodes it"


def test_what_explain_prints_can_be_edited_and_put_back(desk: Pipeline) -> None:
    desk.sql("ALTER TABLE trades ADD CONSTRAINT refuses_buyers CHECK (side <> 'buy')")
    produce(desk, encode(desk, trade(1)))
    [letter] = wait_listed(desk, 1)
    value = json.loads(output(desk, "explain", letter["letter"], "-f", "json"))["value"]
    assert value["px"] == str(PX)
    output(desk, "retry", letter["letter"], "--json", "-", given=json.dumps({**value, "side": "sell"}))
    assert wait_stored(desk, 1)[:3] == (str(PX), "0.000000000000000001", "sell")


def test_raw_bytes_replace_a_value(desk: Pipeline, tmp_path: Any) -> None:
    produce(desk, struct.pack(">bI", 0, 999_999) + b"abc")
    [letter] = wait_listed(desk, 1)
    assert "does not know the schema" in output(desk, "explain", letter["letter"])
    file = tmp_path / "value"
    file.write_bytes(encode(desk, trade(7)))
    output(desk, "retry", letter["letter"], "--value-file", str(file))
    assert wait_stored(desk, 7)[0] == str(PX)
    assert b"No such file" in run(desk, "retry", letter["letter"], "--value-file", str(tmp_path / "none")).stderr


# --- what cannot be put back -------------------------------------------------------------------------------


def test_a_frame_of_okx_cannot_be_put_back_but_dismissed(pipeline: Pipeline) -> None:
    pipeline.settings["CURRENCIES"] = "BTC"
    simulator = pipeline.start_simulator(SIM_TRADE_RATE="40", SIM_INSTRUMENTS=KEY)
    pipeline.start("scheduler", "persister", "ingestor")
    pipeline.open_market()
    pipeline.wait_executed_more(20)
    simulator.fault("malformed", count=1)
    [letter] = wait_listed(pipeline, 1)
    assert letter["sourceTopic"].startswith("okx:") and letter["stage"] == "parse"
    explained = output(pipeline, "explain", letter["letter"])
    assert "cannot be put back" in explained and "trade_gaps" in explained
    for arguments in (("retry", letter["letter"]), ("retry", "--all", "-y", "--force")):
        done = run(pipeline, *arguments)
        assert done.returncode == 1 and b"never was a record" in done.stderr and b"over REST" in done.stderr
    output(pipeline, "dismiss", letter["letter"])
    assert listed(pipeline) == []
    pipeline.assert_complete()  # the frame's trades came by REST


def test_a_state_that_a_newer_one_replaced_is_not_put_back_over_it(desk: Pipeline) -> None:
    key = "X/X-Chain"
    produce(desk, b"noise", "currencies", key=key)
    [letter] = wait_listed(desk, 1, "-t", "currencies")
    produce(desk, b"more noise", "currencies", key=key)
    newer = wait_listed(desk, 2, "-t", "currencies")[1]
    snapshot = {"ccy": "X", "chain": "X-Chain", "snapshotAt": "2026-01-01T00:00:00Z", "snapshotRows": 1}
    value = json.dumps({**snapshot, "receivedAt": "2026-01-01T00:00:00Z", "extra": {}})
    done = run(desk, "retry", letter["letter"], "--json", "-", given=value)
    assert done.returncode == 1 and b"newer state" in done.stderr
    assert f"{newer['sourceOffset']}".encode() in done.stderr
    output(desk, "retry", newer["letter"], "--json", "-", given=value)
    assert eventually("the row", lambda: desk.sql("SELECT ccy FROM currencies WHERE chain = 'X-Chain'"))


def test_foreign_records_in_dead_letters_are_shown_and_never_put_back(desk: Pipeline) -> None:
    produce(desk, b"\x1b[31mhello", "dead-letters", headers={"a": b"\x1b[2J"})
    produce(desk, b"x", "dead-letters", headers={"__connect.errors.topic": "other.trades"})
    unknown, other = wait_listed(desk, 2)
    text = output(desk, "list") + output(desk, "explain", unknown["letter"])
    assert "\x1b" not in text
    assert "No header says" in text
    for letter in (unknown, other):
        assert run(desk, "retry", letter["letter"], "--force").returncode == 1
    assert "TOPIC_PREFIX" in output(desk, "explain", other["letter"])


# --- as a program ---------------------------------------------------------------------------------------------


def test_the_list_as_text_has_a_line_for_each_letter(desk: Pipeline) -> None:
    produce(desk, b"noise")
    [letter] = wait_listed(desk, 1)
    heading, line = output(desk, "list").splitlines()
    assert heading.split() == "LETTER SOURCE KEY STAGE REASON TIMES STATE WHEN MESSAGE".split()
    source = f"{desk.topics.prefix}trades:{letter['sourcePartition']}:{letter['sourceOffset']}"
    assert line.split()[:7] == [letter["letter"], source, KEY, "decode", "protocol", "1", "open"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "say what to do"),
        (["loot"], "none of list, explain, retry and dismiss"),
        (["list", "--nonsense"], "--nonsense"),
        (["list", "0:1"], "takes no positions"),
        (["list", "--since", "yesterday"], "yesterday"),
        (["list", "-y"], "-y"),
        (["explain"], "position of one letter"),
        (["explain", "x"], "no position"),
        (["retry"], "either positions"),
        (["retry", "0:1", "--all"], "either positions"),
        (["retry", "0:1", "-t", "trades"], "filters with --all only"),
        (["retry", "0:1", "0:2", "--json", "x"], "belongs to one letter"),
        (["dismiss", "0:1", "--force"], "--force"),
    ],
)
def test_wrong_arguments_are_named(arguments: list[str], text: str) -> None:
    done = subprocess.run([str(BINARIES / "dead-letters"), *arguments], env={}, capture_output=True, text=True)
    assert done.returncode == 2 and text in done.stderr and done.stderr.startswith("dead-letters: ")
    assert len(done.stderr.splitlines()) == 1


def test_it_answers_to_what_every_program_does(pipeline: Pipeline) -> None:
    assert "dead-letters retry" in output(pipeline, "--help") and "KAFKA_BOOTSTRAP_SERVERS" in output(pipeline, "-h")
    assert output(pipeline, "list", "--version").startswith("dead-letters ")
    assert pipeline.settings["TOPIC_PREFIX"] in output(pipeline, "--print-config")


def test_servers_and_letters_that_are_not_there_are_clear_errors(pipeline: Pipeline) -> None:
    done = run(pipeline, "list")
    assert done.returncode == 3 and b"dead-letters does not exist" in done.stderr
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    done = run(pipeline, "list", KAFKA_BOOTSTRAP_SERVERS=nowhere)
    assert done.returncode == 1 and f"cannot reach Kafka at {nowhere}".encode() in done.stderr
    pipeline.topics.create("dead-letters", 1)
    assert run(pipeline, "list").returncode == 0
    for verb in ("explain", "retry", "dismiss"):
        done = run(pipeline, verb, "0:0")
        assert done.returncode == 3 and b"there is no letter 0:0" in done.stderr
    pipeline.topics.create("trades", 3)
    header = {"__connect.errors.topic": f"{pipeline.topics.prefix}trades", "__connect.errors.stage": "store"}
    produce(pipeline, struct.pack(">bI", 0, 1) + b"abc", "dead-letters", headers=header)
    for verb in ("explain", "retry"):
        done = run(pipeline, verb, "0:0", SCHEMA_REGISTRY_URL=f"http://{nowhere}")
        assert done.returncode == 1 and nowhere.encode() in done.stderr, done.stderr
