"""Prints trades as they come: pip install "confluent-kafka[avro,schemaregistry]"."""
import os

from confluent_kafka import DeserializingConsumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer


def plain(value):
    """The shortest exact text of a Decimal."""
    return f"{value.normalize():f}"


registry = SchemaRegistryClient({"url": os.environ["SCHEMA_REGISTRY_URL"]})
consumer = DeserializingConsumer({
    "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
    "group.id": os.environ.get("GROUP_ID", "example-python"),
    "auto.offset.reset": "earliest",
    "value.deserializer": AvroDeserializer(registry),
})
consumer.subscribe([os.environ.get("TOPIC_PREFIX", "") + "trades"])

remaining = int(os.environ.get("COUNT", "10"))
while remaining > 0:
    message = consumer.poll(1.0)
    if message is None:
        continue
    trade = message.value()  # px and sz are Decimal, ts is a datetime in UTC
    print(trade["instId"], trade["tradeId"], plain(trade["px"]), plain(trade["sz"]), trade["side"],
          trade["ts"].isoformat())
    remaining -= 1
consumer.close()
