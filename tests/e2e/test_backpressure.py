"""Kafka or PostgreSQL away or slow, in a market that would fill any queue: memory stays bounded, readiness says
what is wrong, and everything is there afterwards, without a restart of anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from harness import LOGS, Pipeline, conninfo, eventually
from pipeline import MEMORY_LIMIT_MIB, Service
from stack import Stack

RATE = 150  # trades a second of each of five instruments
OUTAGE_SECONDS = 25
QUEUE_RECORDS = 5000  # the outage brings several times as many
READ_AHEAD_KILOBYTES = 1024
GROWTH_MEGABYTES = 48  # the queues of the tests are smaller than the defaults


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """Servers that may be taken away: the session's are everybody's."""
    keeps_commits = {"synchronous_commit": "on"}  # PostgreSQL is killed here
    with Stack(is_fast=True, logs=LOGS / "stack-backpressure", postgres_settings=keeps_commits) as running:
        yield running


@pytest.fixture
def running(own_stack: Stack, request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    """A busy market, with history to fetch beside it and queues that are soon full."""
    pipeline = Pipeline(own_stack, request.node.name, LOGS / request.node.name)
    pipeline.settings |= {
        "KAFKA_QUEUE_BUFFERING_MAX_MESSAGES": str(QUEUE_RECORDS),
        "KAFKA_QUEUED_MAX_MESSAGES_KBYTES": str(READ_AHEAD_KILOBYTES),
        "KAFKA_QUEUED_MIN_MESSAGES": "1000",
        "HISTORY_START": "2026-01-01",
    }
    try:
        pipeline.start_simulator(SIM_TRADE_RATE=str(RATE))
        pipeline.start("scheduler", "persister", "ingestor")
        pipeline.open_market()
        pipeline.wait_begun()
        yield pipeline
    finally:
        pipeline.close()


def services(pipeline: Pipeline) -> dict[str, Service]:
    return {each.name: each for each in pipeline.programs if isinstance(each, Service)}


def memory(service: Service, field: str) -> float:
    """Megabytes: VmRSS now, VmHWM the most ever."""
    for line in Path(f"/proc/{service.pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"{service.name} has ended")


def endure(pipeline: Pipeline, name: str, condition: str, reason: Callable[[], bool]) -> None:
    """The outage: the service says why it is not ready, and its memory, once its queues are full, grows no more."""
    service = services(pipeline)[name]
    before = memory(service, "VmHWM")
    eventually(f"{name} names {condition}", lambda: condition in service.readiness()[1] and reason(), OUTAGE_SECONDS)
    time.sleep(OUTAGE_SECONDS)  # the outage itself
    eventually(f"{name} still names {condition}", lambda: condition in service.readiness()[1], OUTAGE_SECONDS)
    assert memory(service, "VmHWM") - before < GROWTH_MEGABYTES


def assert_caught_up(pipeline: Pipeline, pids: dict[str, int]) -> None:
    """Nobody was restarted, everybody is ready, nothing is missing, nobody took more memory than stated."""
    for each in services(pipeline).values():
        each.wait_ready(60)
    pipeline.assert_complete(300)
    assert {name: each.pid for name, each in services(pipeline).items()} == pids
    for name, each in services(pipeline).items():
        assert memory(each, "VmHWM") < MEMORY_LIMIT_MIB[name]


def test_kafka_away_fills_no_memory_and_loses_nothing(running: Pipeline, own_stack: Stack) -> None:
    ingestor = services(running)["ingestor"]
    pids = {name: each.pid for name, each in services(running).items()}
    own_stack.kill_server("kafka-1")

    def has_stopped_reading() -> bool:
        return "not reading" in ingestor.readiness()[1].get("okx-websocket", "")

    endure(running, "ingestor", "kafka", has_stopped_reading)
    assert ingestor.metrics().value("producer_queue_records") <= QUEUE_RECORDS
    assert has_stopped_reading()
    own_stack.start_server("kafka-1")
    assert_caught_up(running, pids)
    assert ingestor.metrics().value("gap_trades_total") > 0  # what OKX dropped meanwhile was fetched


def test_postgresql_away_fills_no_memory_and_loses_nothing(running: Pipeline, own_stack: Stack) -> None:
    pids = {name: each.pid for name, each in services(running).items()}
    own_stack.kill_server("postgres")
    endure(running, "persister", "postgresql", lambda: True)
    own_stack.start_server("postgres")
    assert_caught_up(running, pids)


def test_a_locked_table_fills_no_memory_and_loses_nothing(running: Pipeline) -> None:
    persister = services(running)["persister"]
    pids = {name: each.pid for name, each in services(running).items()}
    with psycopg.connect(conninfo(running.settings)) as blocker:
        blocker.execute("LOCK TABLE trades IN ACCESS EXCLUSIVE MODE")
        said = "lock timeout"
        endure(running, "persister", "postgresql", lambda: said in persister.readiness()[1].get("postgresql", ""))
    assert_caught_up(running, pids)


def test_postgresql_ten_times_too_slow_fills_no_memory_and_loses_nothing(running: Pipeline) -> None:
    persister = services(running)["persister"]
    pids = {name: each.pid for name, each in services(running).items()}
    running.sql(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN PERFORM pg_sleep({10 / (5 * RATE)}); RETURN NEW; END $$"
    )
    running.sql("CREATE TRIGGER slow BEFORE INSERT ON trades FOR EACH ROW EXECUTE FUNCTION slow()")
    endure(running, "persister", "postgresql", lambda: "slow" in persister.readiness()[1].get("postgresql", ""))
    running.sql(
        "CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
    )
    assert_caught_up(running, pids)
