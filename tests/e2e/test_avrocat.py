"""avrocat as its users run it: on topics that foreign producers wrote, in pipes, and with mistakes."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from stack import Stack

REPOSITORY = Path(__file__).resolve().parents[2]
AVROCAT = os.environ.get("AVROCAT", str(REPOSITORY / "build/bin/avrocat"))
TIMEOUT_SECONDS = 30
TS = datetime(2026, 11, 23, 8, 20, 0, 123000, tzinfo=timezone.utc)


def trade(trade_id: int, **changes: Any) -> dict[str, Any]:
    """A Trade as a foreign producer writes it."""
    return {
        "instId": "BTC-USDT",
        "tradeId": trade_id,
        "px": Decimal("63921.5"),
        "sz": Decimal("0.000000000000000001"),
        "side": "buy",
        "ts": TS,
        "count": None,
        "source": "0",
        "seqId": None,
        "origin": "STREAM",
        "receivedAt": TS,
        "extra": {'a"b': "c,d"},
        **changes,
    }


class Bench:
    """A topic of its own, a foreign producer for it, and avrocat."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.prefix = f"cat-{uuid.uuid4().hex[:8]}."
        self.environment = {**os.environ, **environment, "TOPIC_PREFIX": self.prefix}
        servers = {"bootstrap.servers": self.environment["KAFKA_BOOTSTRAP_SERVERS"]}
        self._admin = AdminClient(servers)
        self._producer = Producer(servers)
        registry = SchemaRegistryClient({"url": self.environment["SCHEMA_REGISTRY_URL"]})
        self._serialize = AvroSerializer(registry, (REPOSITORY / "schemas/Trade.avsc").read_text())

    def create(self, name: str, partitions: int = 1) -> None:
        topic = self.prefix + name
        self._admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(TIMEOUT_SECONDS)

    def put(self, name: str, value: bytes | None, **more: Any) -> None:
        self._producer.produce(self.prefix + name, value, **{"key": b"BTC-USDT", "partition": 0, **more})
        assert self._producer.flush(TIMEOUT_SECONDS) == 0

    def put_trade(self, trade_id: int, **more: Any) -> None:
        context = SerializationContext(self.prefix + "trades", MessageField.VALUE)
        self.put("trades", self._serialize(trade(trade_id), context), **more)

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [AVROCAT, *arguments],
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [AVROCAT, *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture
def bench(stack: Stack) -> Iterator[Bench]:
    yield Bench(stack.environment)


def lines(done: subprocess.CompletedProcess[str]) -> list[Any]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_json_has_exact_decimals_and_rfc_3339_times(bench: Bench) -> None:
    bench.create("trades")
    bench.put_trade(7)
    done = bench.run("-t", "trades", "-e")
    [line] = lines(done)
    assert done.stderr == ""
    assert line["topic"] == bench.prefix + "trades"
    assert (line["partition"], line["offset"], line["key"]) == (0, 0, "BTC-USDT")
    assert datetime.fromisoformat(line["timestamp"].replace("Z", "+00:00")) > TS.replace(year=2020)
    assert line["value"] == {
        "instId": "BTC-USDT",
        "tradeId": 7,
        "px": "63921.5",
        "sz": "0.000000000000000001",
        "side": "buy",
        "ts": "2026-11-23T08:20:00.123Z",
        "count": None,
        "source": "0",
        "seqId": None,
        "origin": "STREAM",
        "receivedAt": "2026-11-23T08:20:00.123000Z",
        "extra": {'a"b': "c,d"},
    }


def test_csv_is_read_by_an_ordinary_parser(bench: Bench) -> None:
    bench.create("trades")
    bench.put_trade(1)
    bench.put("trades", None)
    bench.put_trade(2)
    done = bench.run("-f", "csv", "-e")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["tradeId"] for row in rows] == ["1", "", "2"]
    assert [row["offset"] for row in rows] == ["0", "1", "2"]
    assert rows[0]["px"] == "63921.5"
    assert json.loads(rows[0]["extra"]) == {'a"b': "c,d"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-o", "beginning"), [0, 1, 2, 3, 4]),
        (("-o", "end"), []),
        (("-o", "3"), [3, 4]),
        (("-o", "999"), []),
        (("-o", "-2"), [3, 4]),
        (("-o", "-999"), [0, 1, 2, 3, 4]),
        (("-c", "2"), [0, 1]),
        (("-o", "1", "-c", "3"), [1, 2, 3]),
    ],
)
def test_offsets_and_counts_choose_records(bench: Bench, arguments: tuple[str, ...], expected: list[int]) -> None:
    bench.create("trades")
    for trade_id in range(5):
        bench.put_trade(trade_id)
    assert [line["tradeId"] for line in lines(bench.run("-V", "-e", *arguments))] == expected


def test_one_partition_or_all(bench: Bench) -> None:
    bench.create("trades", partitions=3)
    for partition in range(3):
        bench.put_trade(partition, partition=partition)
    assert sorted(line["partition"] for line in lines(bench.run("-e"))) == [0, 1, 2]
    assert [line["partition"] for line in lines(bench.run("-e", "-p", "1"))] == [1]
    done = bench.run("-e", "-p", "3")
    assert done.returncode == 3
    assert done.stderr == f"avrocat: topic {bench.prefix}trades has partitions 0 to 2, not 3\n"


def test_what_cannot_be_decoded_is_reported_and_the_rest_is_shown(bench: Bench) -> None:
    bench.create("trades")
    bench.put_trade(1)
    bench.put("trades", b"no wire format")
    bench.put("trades", b"\0\x7f\xff\xff\xffunknown")
    bench.put("trades", None)
    bench.put_trade(2)
    done = bench.run("-e")
    shown = lines(done)
    assert [line["value"] and line["value"]["tradeId"] for line in shown] == [1, None, None, None, 2]
    assert [line["offset"] for line in shown if "error" in line] == [1, 2]
    assert "wire format" in shown[1]["error"]
    assert "schema 2147483647" in shown[2]["error"]
    assert len(done.stderr.splitlines()) == 2


def test_dead_letters_are_shown_with_headers_and_undecoded(bench: Bench) -> None:
    bench.create("dead-letters")
    bench.put("dead-letters", b'{"arg":1}', headers={"__connect.errors.stage": b"parse"})
    bench.put("dead-letters", b"\xff\0")
    text, binary = lines(bench.run("-t", "dead-letters", "-e"))
    assert text["headers"] == {"__connect.errors.stage": "parse"}
    assert text["value"] == '{"arg":1}'
    assert binary["value"] == {"base64": "/wA="}
    assert "headers" not in binary


def test_lines_come_at_once_while_following_and_ctrl_c_is_clean(bench: Bench) -> None:
    bench.create("trades")
    bench.put_trade(1)
    cat = bench.start("-V")
    try:
        assert cat.stdout is not None and cat.stderr is not None
        assert json.loads(cat.stdout.readline())["tradeId"] == 1
        bench.put_trade(2)
        assert json.loads(cat.stdout.readline())["tradeId"] == 2
        cat.send_signal(signal.SIGINT)
        assert cat.wait(TIMEOUT_SECONDS) == 0
        assert cat.stderr.read() == ""
    finally:
        cat.kill()
        cat.communicate()


def test_a_closed_pipe_ends_it_quietly_even_on_a_quiet_topic(bench: Bench) -> None:
    bench.create("trades")
    bench.put_trade(1)
    cat = bench.start("-V")
    try:
        assert cat.stdout is not None and cat.stderr is not None
        cat.stdout.readline()
        cat.stdout.close()
        assert cat.wait(TIMEOUT_SECONDS) == 0
        assert cat.stderr.read() == ""
    finally:
        cat.kill()
        cat.wait()


def test_a_full_disk_is_an_error(bench: Bench) -> None:
    bench.create("trades")
    bench.put_trade(1)
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [AVROCAT, "-e"], env=bench.environment, stdout=full, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_SECONDS
        )
    assert done.returncode == 1
    assert done.stderr == "avrocat: write to standard output: No space left on device\n"


def test_mistakes_have_one_line_and_a_status(bench: Bench) -> None:
    bench.create("trades")
    bench.put_trade(1)
    unknown = bench.run("-t", "no-such-topic")
    assert unknown.returncode == 3
    assert unknown.stderr.startswith("avrocat: topic no-such-topic does not exist; there are: ")
    registry = bench.run("-e", SCHEMA_REGISTRY_URL="http://me:s3cret@127.0.0.1:1/apis")
    assert registry.returncode == 1
    assert "could not connect" in registry.stderr and "s3cret" not in registry.stderr
    kafka = bench.run("-e", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert kafka.returncode == 1
    assert kafka.stderr.startswith("avrocat: cannot reach Kafka at 127.0.0.1:1: ")
    settings = bench.run("-e", KAFKA_BOOTSTRAP_SERVERS="", SCHEMA_REGISTRY_URL="")
    assert settings.returncode == 2
    assert settings.stderr == "avrocat: KAFKA_BOOTSTRAP_SERVERS is not set\navrocat: SCHEMA_REGISTRY_URL is not set\n"
    for done in (unknown, registry, kafka):
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1, done.stderr
