"""The currencies job: signed, complete, and a currency that OKX drops is marked and kept."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from harness import Pipeline, eventually


def finish_job(pipeline: Pipeline) -> int:
    """Runs the pipeline until the currencies job is done; the number of rows that it published."""
    pipeline.settings["CURRENCIES"] = "BTC"
    pipeline.start_simulator(SIM_TRADE_RATE="1")
    pipeline.start("scheduler", "persister", "ingestor")
    query = "SELECT records FROM fetches WHERE kind = 'currencies' AND status = 'done'"
    [[records]] = eventually("the job is done", lambda: pipeline.sql(query))
    eventually("its rows are stored", lambda: pipeline.value("SELECT count(*) FROM currencies") == records)
    return records


def test_the_job_runs_at_start_signed_and_fills_the_table(pipeline: Pipeline) -> None:
    records = finish_job(pipeline)
    assert records > 0
    topic = {record.key: record.value for record in pipeline.topics.read("currencies")}
    rows = pipeline.sql("SELECT ccy, chain, min_wd, can_dep, delisted_at FROM currencies")
    assert {f"{ccy}/{chain}" for ccy, chain, *_ in rows} == set(topic)
    for ccy, chain, min_withdrawal, can_deposit, delisted_at in rows:
        value = topic[f"{ccy}/{chain}"]
        assert value["snapshotRows"] == records
        assert as_decimal(value["minWd"]) == as_decimal(min_withdrawal)
        assert value["canDep"] == can_deposit
        assert delisted_at is None


def test_a_currency_missing_from_the_next_snapshot_is_marked_delisted(pipeline: Pipeline) -> None:
    records = finish_job(pipeline)
    snapshot = [record.value for record in pipeline.topics.read("currencies")]
    publish_next_snapshot(pipeline, snapshot[1:])
    gone = f"{snapshot[0]['ccy']}/{snapshot[0]['chain']}"
    query = "SELECT ccy || '/' || chain FROM currencies WHERE delisted_at IS NOT NULL"
    assert eventually("one is delisted", lambda: pipeline.sql(query)) == [(gone,)]
    assert pipeline.value("SELECT count(*) FROM currencies") == records


def publish_next_snapshot(pipeline: Pipeline, rows: list[dict]) -> None:
    """What an ingestor would publish a minute later, had OKX sent only these rows."""
    topics = pipeline.topics
    subject = f"{topics.prefix}currencies"
    schema = topics.registry.get_latest_version(f"{subject}-value").schema
    serialize = AvroSerializer(topics.registry, schema, conf={"auto.register.schemas": False})
    for row in rows:
        value = {**row, "snapshotAt": row["snapshotAt"] + timedelta(minutes=1), "snapshotRows": len(rows)}
        context = SerializationContext(subject, MessageField.VALUE)
        topics.produce("currencies", f"{row['ccy']}/{row['chain']}", serialize(value, context))


def as_decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
