"""Reads and writes topics as any foreign consumer would: confluent-kafka and its Avro deserializer."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

READ_TIMEOUT_SECONDS = 90
LOOKED_AT = 20  # of the records of one key that came together


@dataclass(frozen=True)
class Record:
    """One record, with its value decoded where it is Avro."""

    topic: str
    partition: int
    offset: int
    key: str
    value: Any
    timestamp_ms: int
    headers: dict[str, bytes] = field(default_factory=dict)


class LiveTail:
    """Follows the live trades from the end of the topic on, in the background: when each instrument's newest one arrived.

    Kafka may be away meanwhile.
    """

    def __init__(self, topics: Topics) -> None:
        self.newest: dict[str, float] = {}  # instrument to Unix time of the arrival at an ingestor
        self._topics = topics
        self._consumer = topics.consumer()
        self._topic = topics.prefix + "trades"
        self._context = topics.value_context("trades")
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> LiveTail:
        partitions = self._consumer.list_topics(self._topic, timeout=10).topics[self._topic].partitions
        ends = [
            TopicPartition(
                self._topic, number, self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), 10)[1]
            )
            for number in partitions
        ]
        self._consumer.assign(ends)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._consumer.close()

    def are_live(self, instruments: set[str], since: float) -> bool:
        """True when each of the instruments has a live trade that arrived after that Unix time."""
        return all(self.newest.get(each, 0) > since for each in instruments)

    def _run(self) -> None:
        while not self._is_over.is_set():
            newest: dict[bytes, list[bytes]] = {}
            for message in self._consumer.consume(10000, 0.1):
                if message.error() is None:
                    newest.setdefault(message.key(), []).append(message.value())
            for values in newest.values():
                self._note(values[-LOOKED_AT:])

    def _note(self, values: list[bytes]) -> None:
        """The newest live trade among these of one instrument; decoding all would be too slow after an outage."""
        for value in reversed(values):
            trade = self._topics.deserialize(value, self._context)
            if trade["origin"] == "STREAM":
                self.newest[trade["instId"]] = trade["receivedAt"].timestamp()
                return


class Topics:
    """The topics of one pipeline; names are given without its prefix."""

    def __init__(
        self, bootstrap_servers: str, registry_url: str, prefix: str, account: Mapping[str, str] | None = None
    ) -> None:
        self.prefix = prefix
        self.registry = SchemaRegistryClient({"url": registry_url})
        self.client = {"bootstrap.servers": bootstrap_servers, **(account or {})}
        self.admin = AdminClient(self.client)
        self.deserialize = AvroDeserializer(self.registry)

    def read(self, name: str) -> list[Record]:
        """Every record that the topic holds now, decoded, in the order of each partition."""
        records = self.read_raw(name)
        context = self.value_context(name)
        return [Record(**{**vars(record), "value": self.deserialize(record.value, context)}) for record in records]

    def value_context(self, name: str) -> SerializationContext:
        """What deserialize() needs besides a value of that topic."""
        return SerializationContext(self.prefix + name, MessageField.VALUE)

    def read_raw(self, name: str) -> list[Record]:
        """Every record that the topic holds now, its value as bytes."""
        return self.read_raw_from(name, {})

    def read_raw_from(self, name: str, offsets: Mapping[int, int]) -> list[Record]:
        """As read_raw, but each partition from the given offset on, 0 when there is none."""
        consumer = self.consumer()
        try:
            return self._read_to_the_end(consumer, self.prefix + name, offsets)
        finally:
            consumer.close()

    def consumer(self, group: str = "never-used") -> Consumer:
        """A consumer that commits nothing."""
        return Consumer(
            {
                **self.client,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )

    def committed(self, group: str, name: str) -> dict[int, int]:
        """How far a group, named without its prefix, has committed each partition; 0 when it has not."""
        consumer = self.consumer(self.prefix + group)
        try:
            topic = self.prefix + name
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            asked = [TopicPartition(topic, number) for number in partitions]
            return {each.partition: max(each.offset, 0) for each in consumer.committed(asked, timeout=10)}
        finally:
            consumer.close()

    def _read_to_the_end(self, consumer: Consumer, topic: str, offsets: Mapping[int, int]) -> list[Record]:
        """Up to where the partitions end now; a topic that is being written to would never be at its end."""
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        ends = {number: consumer.get_watermark_offsets(TopicPartition(topic, number), 10)[1] for number in partitions}
        unread = {number for number, end in ends.items() if end > offsets.get(number, 0)}
        consumer.assign([TopicPartition(topic, number, offsets.get(number, 0)) for number in unread])
        deadline = time.monotonic() + READ_TIMEOUT_SECONDS
        records = []
        while unread:
            assert time.monotonic() < deadline, f"{topic} cannot be read to its end"
            message = consumer.poll(0.5)
            if message is None:
                continue
            error = message.error()
            if error is None and message.offset() < ends[message.partition()]:
                records.append(_record(message))
            elif error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise AssertionError(str(error))
            if error is not None or message.offset() + 1 >= ends[message.partition()]:
                unread.discard(message.partition())
        return records

    def produce(self, name: str, key: str | None, value: bytes | None) -> None:
        """Writes one record and waits for its acknowledgement."""
        producer = Producer({**self.client, "partitioner": "murmur2_random"})
        producer.produce(self.prefix + name, key=key, value=value)
        assert producer.flush(10) == 0

    def create(self, name: str, partitions: int) -> None:
        """Creates a topic as an operator might have done."""
        for done in self.admin.create_topics([NewTopic(self.prefix + name, partitions, 1)]).values():
            done.result(10)

    def partition_counts(self) -> dict[str, int]:
        """Topic to number of partitions, of the topics with our prefix, which is taken off."""
        topics = self.admin.list_topics(timeout=10).topics
        return {
            name.removeprefix(self.prefix): len(topic.partitions)
            for name, topic in topics.items()
            if name.startswith(self.prefix)
        }


def _record(message: Any) -> Record:
    return Record(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        key=(message.key() or b"").decode(),
        value=message.value(),
        timestamp_ms=message.timestamp()[1],
        headers=dict(message.headers() or []),
    )


def murmur2_partition(key: str, partitions: int) -> int:
    """The partition that the Java client chooses for a key (org.apache.kafka.common.utils.Utils.murmur2)."""
    data, mask = key.encode(), 0xFFFFFFFF
    multiplier, result = 0x5BD1E995, (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        result = (result * multiplier & mask) ^ word
    if rest := data[whole:]:
        result = (result ^ int.from_bytes(rest, "little")) * multiplier & mask
    result = (result ^ result >> 13) * multiplier & mask
    return ((result ^ result >> 15) & 0x7FFFFFFF) % partitions
