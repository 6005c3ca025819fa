"""Faults of our own services: killed, stopped, poisoned, and with a clock that jumps."""

from __future__ import annotations

import signal
from collections.abc import Generator
from random import Random

from confluent_kafka import Consumer, KafkaException, TopicPartition
from faults import RESTART_SECONDS, fault
from world import NotSeen, World

KINDS = ("ingestor", "persister", "scheduler")
PEEK_RECORDS = 200
WINDOW_TRIES = 100


def pick(world: World, random: Random, kind: str) -> str:
    return f"{kind}-{random.choice((1, 2))}"


def end_and_restart(world: World, name: str, signal_number: int) -> Generator[str, None, None]:
    pid = world.services[name].pid
    status = world.take_down(name, signal_number)
    wanted = 0 if signal_number == signal.SIGTERM else -signal_number
    if status != wanted:
        world.problems.append(f"{name} ended with status {status} and not {wanted}")
    try:
        yield f"{name} pid {pid} ended with {status}"
    finally:
        world.bring_up(name)


def define(kind: str) -> None:
    touches = (kind, "websocket") if kind == "ingestor" else (kind,)

    @fault(f"{kind}-sigkill", *touches, limit=RESTART_SECONDS)
    def sigkill(world: World, random: Random) -> Generator[str, None, None]:
        """Killed in the middle of whatever it did, and started again."""
        yield from end_and_restart(world, pick(world, random, kind), signal.SIGKILL)

    @fault(f"{kind}-sigterm", *touches, limit=RESTART_SECONDS)
    def sigterm(world: World, random: Random) -> Generator[str, None, None]:
        """Asked to end, which it does in order, and started again."""
        yield from end_and_restart(world, pick(world, random, kind), signal.SIGTERM)


for each in KINDS:
    define(each)


@fault("ingestor-sigstop", "ingestor", "websocket")
def ingestor_sigstop(world: World, random: Random) -> Generator[str, None, None]:
    """Stands still for longer than its session lasts: its instruments get another owner while it still thinks it is."""
    name = pick(world, random, "ingestor")
    other = next(each for each in world.of("ingestor") if each is not world.services[name])
    partitions = other.metrics().value("consumer_assigned_partitions")
    world.down.add(name)
    world.services[name].send(signal.SIGSTOP)
    try:
        taken = lambda: other.metrics().value("consumer_assigned_partitions") > partitions  # noqa: E731
        world.wait("the other one takes over", taken, 30)
        yield f"{name} stood still, its instruments were taken over"
    finally:
        world.services[name].send(signal.SIGCONT)
        world.down.discard(name)


@fault("persister-kill-after-commit", "persister", "postgres", limit=RESTART_SECONDS)
def kill_after_commit(world: World, random: Random) -> Generator[str, None, None]:
    """Killed when rows are in the table that the group's offsets do not cover yet."""
    name = pick(world, random, "persister")
    service = world.services[name]
    for _ in range(WINDOW_TRIES):
        proof = None
        service.send(signal.SIGSTOP)
        try:
            proof = uncovered_row(world)
        except KafkaException:  # a coordinator that does not answer just now
            pass
        finally:
            if not proof:
                service.send(signal.SIGCONT)
        if proof:
            break
    else:
        raise NotSeen("rows were never ahead of the offsets")
    world.take_down(name, signal.SIGKILL)
    try:
        yield f"{name} killed; {proof}"
    finally:
        world.bring_up(name)


def uncovered_row(world: World) -> str | None:
    """A row of the table whose record lies behind the committed offset; None if there is none."""
    # In the group's name, but no member of it: nothing is subscribed, nothing committed.
    consumer = Consumer(
        {
            "bootstrap.servers": world.environment["KAFKA_BOOTSTRAP_SERVERS"],
            "group.id": "persister",
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    try:
        partitions = consumer.list_topics("trades", timeout=10).topics["trades"].partitions
        asked = [TopicPartition("trades", number) for number in partitions]
        offsets = {each.partition: each.offset for each in consumer.committed(asked, timeout=10) if each.offset >= 0}
        consumer.assign([TopicPartition("trades", number, offset) for number, offset in offsets.items()])
        for message in consumer.consume(PEEK_RECORDS, 2.0):
            if message.error() is not None or message.value() is None or message.value() in world.poison:
                continue
            (inst_id, trade_id), _, _ = world.witness.reader.read(message.value())
            if world.sql("SELECT 1 FROM trades WHERE inst_id = %s AND trade_id = %s", inst_id, trade_id):
                return (
                    f"{inst_id} {trade_id} is in the table, its offset {message.offset()} of partition "
                    f"{message.partition()} is not covered by {offsets[message.partition()]}"
                )
    finally:
        consumer.close()
    return None


@fault("poison", "poison", "kafka", "registry")
def poison(world: World, random: Random) -> Generator[str, None, None]:
    """Records that nobody can read, between those that everybody can."""
    schema_id = world.witness.reader.newest_schema_id()
    head = b"\x00" + schema_id.to_bytes(4, "big")
    noise = random.randbytes(12)
    unreadable = {
        b"\x01" + noise: "another magic byte",
        noise[:3]: "too short",
        b"\x00\x00\x0f\xff\xff" + noise: "an id that the registry does not know",
        head + noise[:2]: "cut short",
        head + b"\xff" * 20 + noise: "no Avro",
    }
    for value in unreadable:
        world.produce_poison("trades", random.choice(world.instruments), value)
    yield f"{len(unreadable)} records that cannot be read are in the topic"


def step(world: World, random: Random, seconds: int) -> Generator[str, None, None]:
    name = pick(world, random, random.choice(KINDS))
    world.isolation.step_clock(name, seconds)
    try:
        world.executed_after(world.settings.rate * 3)
        shown = world.services[name].metrics()
        yield f"{name}'s clock stepped by {seconds} s for a while, {len(shown.samples)} figures scraped meanwhile"
    finally:
        world.isolation.step_clock(name, 0)


@fault("clock-forward", "clock", needs_clock=True)
def clock_forward(world: World, random: Random) -> Generator[str, None, None]:
    """A service's clock jumps an hour ahead, and back."""
    yield from step(world, random, 3600)


@fault("clock-backward", "clock", needs_clock=True)
def clock_backward(world: World, random: Random) -> Generator[str, None, None]:
    """A service's clock jumps an hour back, and ahead again."""
    yield from step(world, random, -3600)
