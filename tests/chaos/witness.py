"""Reads what the exchange executed and what Kafka and PostgreSQL hold: from where it stopped the last time."""

from __future__ import annotations

import io
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import fastavro
import psycopg
from checker import (
    Content,
    Copy,
    Expected,
    Findings,
    Key,
    TopicOrder,
    canonical,
    judge_gaps,
    judge_missing,
    judge_table,
    judge_topic,
)
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from pipeline import Simulator

SCALE = 18
LEDGER_PART = 50_000  # trades in one answer of the ledger
READ_SECONDS = 60
ANSWER_SECONDS = 20
NOT_YET = (KafkaError.OFFSET_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
FRAME_BYTES = 5  # magic byte and schema id
LETTER_SOURCE = "__connect.errors.topic"


@dataclass(frozen=True)
class Letter:
    """A dead letter: the bytes that could not be used, and the topic or channel that they came by."""

    value: bytes
    source: str


class Tail:
    """A topic from its beginning, each call up to where it ends at that moment."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self.topic = topic
        self._next: dict[int, int] = {}
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": "chaos-witness",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "reconnect.backoff.max.ms": 1000,
                "log_level": 0,
            }
        )

    def ends(self) -> dict[int, int]:
        """Where each partition ends now."""
        partitions = self._consumer.list_topics(self.topic, timeout=20).topics[self.topic].partitions
        return {number: self._end(number) for number in partitions}

    def _end(self, number: int) -> int:
        """Asked again while a new leader does not know it yet."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                return self._consumer.get_watermark_offsets(TopicPartition(self.topic, number), ANSWER_SECONDS)[1]
            except KafkaException as error:
                if error.args[0].code() not in NOT_YET or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def read(self, ends: dict[int, int]) -> Iterator[Any]:
        """The messages that are new, up to these ends."""
        unread = {number for number, end in ends.items() if end > self._next.get(number, 0)}
        starts = [TopicPartition(self.topic, number, self._next.get(number, OFFSET_BEGINNING)) for number in unread]
        if not starts:
            return
        self._consumer.assign(starts)
        idle = 0
        while unread:
            messages = self._consumer.consume(1000, 1.0)
            idle = idle + 1 if not messages else 0
            if idle > READ_SECONDS:
                raise AssertionError(f"{self.topic} cannot be read to its end")
            for message in messages:
                number, error = message.partition(), message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:
                        unread.discard(number)  # transaction markers or compaction may leave no last record
                    elif error.fatal():
                        raise AssertionError(str(error))
                    continue
                if number not in unread or message.offset() >= ends[number]:
                    continue
                self._next[number] = message.offset() + 1
                yield message
                if message.offset() + 1 >= ends[number]:
                    unread.discard(number)
        self._consumer.unassign()

    def close(self) -> None:
        """Ends the consumer."""
        self._consumer.close()


class TradeReader:
    """Decodes trades by the writer's schema, decimals as integers: exact, and fast enough for millions."""

    def __init__(self, registry_url: str) -> None:
        self._registry_url = registry_url
        self._schemas: dict[int, Any] = {}

    def learn(self, schema_id: int) -> Any:
        """The schema of an id; asked of the registry once."""
        if schema_id not in self._schemas:
            with urllib.request.urlopen(f"{self._registry_url}/schemas/ids/{schema_id}", timeout=10) as answer:
                schema = _without_logical_types(json.loads(json.load(answer)["schema"]))
            self._schemas[schema_id] = fastavro.parse_schema(schema)
        return self._schemas[schema_id]

    def newest_schema_id(self) -> int:
        """The id of the schema that trades are written with."""
        with urllib.request.urlopen(f"{self._registry_url}/subjects/trades-value/versions/latest", timeout=10) as answer:
            return json.load(answer)["id"]

    def read(self, value: bytes) -> tuple[Key, Content, bool]:
        """Key, content and whether the trade came live."""
        schema = self.learn(int.from_bytes(value[1:FRAME_BYTES], "big"))
        trade = fastavro.schemaless_reader(io.BytesIO(value[FRAME_BYTES:]), schema, None)
        content = (_decimal_text(trade["px"]), _decimal_text(trade["sz"]), trade["side"], trade["ts"])
        return (trade["instId"], trade["tradeId"]), content, trade["origin"] == "STREAM"


def _without_logical_types(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: _without_logical_types(part) for name, part in schema.items() if name != "logicalType"}
    return [_without_logical_types(part) for part in schema] if isinstance(schema, list) else schema


def _decimal_text(unscaled: bytes) -> str:
    value = int.from_bytes(unscaled, "big", signed=True)
    sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(SCALE + 1, "0")
    return sign + canonical(f"{digits[:-SCALE]}.{digits[-SCALE:]}")


class Witness:
    """The state of the comparison. One for the rounds, which look at what is new, and a fresh one for the end."""

    def __init__(
        self, simulator: Simulator, conninfo: str, bootstrap_servers: str, registry_url: str, begins: dict[str, int]
    ) -> None:
        self.simulator = simulator
        self.conninfo = conninfo
        self.ledger = {inst_id: Expected(inst_id, first_id) for inst_id, first_id in begins.items()}
        self.table = Copy(self.ledger)
        self.topic = Copy(self.ledger)
        self.checked = {inst_id: first_id - 1 for inst_id, first_id in begins.items()}  # newest id that is settled
        self._order = TopicOrder()
        self._trades = Tail(bootstrap_servers, "trades")
        self._letters = Tail(bootstrap_servers, "dead-letters")
        self.reader = TradeReader(registry_url)

    def close(self) -> None:
        """Ends the consumers."""
        self._trades.close()
        self._letters.close()

    # --- the exchange ------------------------------------------------------------------------------

    def executed(self) -> dict[str, int]:
        """The newest id of each instrument by now."""
        summary = self.simulator.summary()
        return {inst_id: summary[inst_id]["last"] or 0 for inst_id in self.ledger}

    def read_ledger(self) -> None:
        """Learns what was executed since."""
        for inst_id, newest in self.executed().items():
            expected = self.ledger[inst_id]
            while expected.next_id <= newest:
                to_id = min(newest, expected.next_id + LEDGER_PART - 1)
                for trade in self.simulator.ledger(inst_id, expected.next_id, to_id):
                    content = (canonical(trade.price), canonical(trade.size), trade.side, trade.time_ms)
                    expected.add(trade.trade_id, content, trade.is_lost)

    # --- the copies ----------------------------------------------------------------------------------

    def judge_new_records(self, poison: set[bytes], may_be_late: bool) -> Findings:
        """The topic's records since the last call."""
        ends = self._trades.ends()
        self.read_ledger()  # behind the ends: whatever stands before them is known
        values = (message.value() for message in self._trades.read(ends))
        records = (self.reader.read(value) for value in values if value is not None and value not in poison)
        return judge_topic(self.ledger, self.topic, self._order, records, may_be_late)

    def judge_rows(self, until: dict[str, int] | None) -> Findings:
        """The table's rows behind those that are settled up to these ids; all of them, unknown ones too, for None."""
        with psycopg.connect(self.conninfo) as connection:
            return judge_table(self.ledger, self.table, self._rows(connection, until))

    def _rows(self, connection: psycopg.Connection, until: dict[str, int] | None) -> Iterator[tuple[Key, Content]]:
        if until is None:
            yield from read_rows(connection, "true")
            return
        for inst_id, to_id in until.items():
            from_id = self.checked[inst_id] + 1
            yield from read_rows(
                connection, f"inst_id = '{inst_id}' AND trade_id BETWEEN {from_id} AND {to_id}"
            )

    def judge_missing(self, until: dict[str, int]) -> list[Findings]:
        """What topic and table lack up to these ids, which then count as settled."""
        since = {inst_id: newest + 1 for inst_id, newest in self.checked.items()}
        found = [
            judge_missing(self.ledger, self.topic, "topic", until, since),
            judge_missing(self.ledger, self.table, "table", until, since),
        ]
        self.checked = dict(until)
        return found

    def judge_gaps(self, until: dict[str, int]) -> Findings:
        """The view of holes against what the exchange has lost."""
        with psycopg.connect(self.conninfo) as connection:
            rows = connection.execute("SELECT inst_id, from_id, to_id, state FROM trade_gaps").fetchall()
        return judge_gaps(self.ledger, until, rows)

    def new_letters(self) -> list[Letter]:
        """The dead letters since the last call."""
        return [
            Letter(message.value() or b"", dict(message.headers() or []).get(LETTER_SOURCE, b"").decode())
            for message in self._letters.read(self._letters.ends())
        ]

    def missing_rows(self, until: dict[str, int]) -> int:
        """How many trades up to these ids the table has yet to get. Cheap, as the time of a recovery is taken by it."""
        missing = 0
        with psycopg.connect(self.conninfo) as connection:
            for inst_id, to_id in until.items():
                from_id = self.checked[inst_id] + 1
                query = "SELECT count(*) FROM trades WHERE inst_id = %s AND trade_id BETWEEN %s AND %s"
                row = connection.execute(query, (inst_id, from_id, to_id)).fetchone()
                missing += max(0, to_id - from_id + 1 - (row[0] if row else 0))
        return missing


def read_rows(connection: psycopg.Connection, condition: str) -> Iterator[tuple[Key, Content]]:
    """The trades of the table that fulfil a condition."""
    query = f"""COPY (SELECT inst_id, trade_id, px, sz, side, (extract(epoch FROM ts) * 1000)::bigint
                FROM trades WHERE {condition}) TO STDOUT"""
    rest = b""
    with connection.cursor().copy(query) as copy:
        for block in copy:
            *lines, rest = (rest + bytes(block)).split(b"\n")
            for line in lines:
                inst_id, trade_id, price, size, side, time_ms = line.decode().split("\t")
                yield (inst_id, int(trade_id)), (canonical(price), canonical(size), side, int(time_ms))
