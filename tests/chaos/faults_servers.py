"""Faults of the servers: Kafka's brokers, the schema registry."""

from __future__ import annotations

import signal
import time
from collections.abc import Generator
from random import Random

from confluent_kafka import KafkaException
from faults import EVERYTHING, fault
from world import NotSeen, World, find_last

ALL_DOWN_SECONDS = 4
LONG_DOWN_SECONDS = 330  # more than librdkafka's default patience of five minutes


# --- brokers ---------------------------------------------------------------------------------------


def leader(world: World, random: Random) -> str:
    """The broker that leads a partition of trades."""
    partitions = world.admin.list_topics("trades", timeout=10).topics["trades"].partitions
    return f"kafka-{random.choice(list(partitions.values())).leader}"


def controller(world: World, random: Random) -> str:
    """The broker that leads the quorum, by the logs: the newest epoch wins."""
    found = []
    for name in brokers(world):
        text = world.stack.servers[name].log.read_text(errors="replace")
        elected = find_last(r"Completed transition to Leader\(.*?epoch=(\d+)", text)
        if elected:
            found.append((int(elected[1]), name))
    if not found:
        raise NotSeen("no log names the controller")
    return max(found)[1]


def brokers(world: World) -> list[str]:
    return [name for name in world.stack.servers if name.startswith("kafka-")]


def end_broker(world: World, name: str, signal_number: int) -> Generator[str, None, None]:
    process = world.stack.processes()[name]
    world.stack.end_server(name, signal_number)
    try:
        if process.is_alive():
            raise NotSeen(f"{name} still runs")
        world.executed_after(world.settings.rate * 3)
        yield f"{name} pid {process.pid} ended by {signal.Signals(signal_number).name}"
    finally:
        world.stack.start_server(name)


def define_broker_faults() -> None:
    for role, choose in (("leader", leader), ("controller", controller)):
        for signal_number in (signal.SIGKILL, signal.SIGTERM):

            def run(world: World, random: Random, choose=choose, signal_number=signal_number):
                yield from end_broker(world, choose(world, random), signal_number)

            fault(f"broker-{role}-{signal_number.name.lower()}", "kafka")(run)


define_broker_faults()


@fault("broker-sigstop", "kafka")
def broker_sigstop(world: World, random: Random) -> Generator[str, None, None]:
    """A leader stands still for longer than the controller waits for it."""
    name = leader(world, random)
    process = world.stack.processes()[name]
    process.send(signal.SIGSTOP)
    number = int(name.removeprefix("kafka-"))
    try:
        replaced = lambda: all(each != number for each in leaders(world))  # noqa: E731
        world.wait("its partitions get other leaders", replaced, 40)
        yield f"{name} stood still, its partitions have other leaders"
    finally:
        process.send(signal.SIGCONT)


def leaders(world: World) -> list[int]:
    try:
        topics = world.admin.list_topics("trades", timeout=5).topics
    except KafkaException:
        return [-1]
    return [each.leader for each in topics["trades"].partitions.values()]


def all_down(world: World, seconds: float) -> Generator[str, None, None]:
    names = brokers(world)
    for name in names:
        world.stack.end_server(name, signal.SIGKILL)
    try:
        started = time.monotonic()
        for kind in ("ingestor", "persister"):
            world.wait(f"the {kind}s say that Kafka is away", lambda kind=kind: world.is_unready(kind, "kafka"), 30)
        while time.monotonic() < started + seconds:
            time.sleep(0.5)
        yield f"no broker for {time.monotonic() - started:.0f} s, and the services said so"
    finally:
        world.stack.start_servers(names)


@fault("broker-all", EVERYTHING)
def all_brokers(world: World, random: Random) -> Generator[str, None, None]:
    """No Kafka for some seconds."""
    yield from all_down(world, ALL_DOWN_SECONDS)


@fault("broker-all-long", EVERYTHING, limit=120, profile="long")
def all_brokers_long(world: World, random: Random) -> Generator[str, None, None]:
    """No Kafka for longer than five minutes: the limit is the time to fetch what was missed."""
    yield from all_down(world, LONG_DOWN_SECONDS)


# --- registry ----------------------------------------------------------------------------------------


@fault("registry-down", "registry", "postgres", "kafka")
def registry_down(world: World, random: Random) -> Generator[str, None, None]:
    """No registry while records flow: who has its schemas needs none."""
    inst_id = random.choice(world.instruments)
    world.stack.kill_server("registry")
    try:
        newest = lambda: world.sql("SELECT max(trade_id) FROM trades WHERE inst_id = %s", inst_id)[0][0]  # noqa: E731
        before = newest()
        world.wait("trades are stored all the same", lambda: newest() > before)
        yield "registry gone, trades are stored all the same"
    finally:
        world.stack.start_server("registry")


@fault("registry-down-at-start", "registry", "ingestor", "websocket", "persister", "postgres")
def registry_down_at_start(world: World, random: Random) -> Generator[str, None, None]:
    """A service starts while there is no registry, says so, and goes on when there is."""
    name = f"{random.choice(('ingestor', 'persister'))}-{random.choice((1, 2))}"
    world.stack.kill_server("registry")
    try:
        world.take_down(name, signal.SIGTERM)
        world.bring_up(name)
        reasons = lambda: world.services[name].readiness()[1]  # noqa: E731
        world.wait("it names the registry as the reason", lambda: "schema-registry" in reasons())
        yield f"{name} started without a registry, and says so"
    finally:
        world.stack.start_server("registry")
