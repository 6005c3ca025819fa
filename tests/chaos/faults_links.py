"""Faults of the links between the programs: cut, slow and lossy ones, and names that do not resolve."""

from __future__ import annotations

from collections.abc import Generator
from random import Random

from faults import fault
from world import World


def ports(world: World, link: str) -> list[int]:
    """Where the servers of a link listen."""
    if link == "exchange":
        return [world.simulator.ports["okx"]]
    if link == "kafka":
        return [clients for clients, _ in world.stack.kafka.ports.values()]
    return [world.stack.servers["postgres"].listen_port]


def both_ways(world: World, link: str, action: list[str]) -> list[list[str]]:
    return [
        ["-p", "tcp", direction, str(port), *action]
        for port in ports(world, link)
        for direction in ("--dport", "--sport")
    ]


def spoil(world: World, rules: list[list[str]], what: str) -> Generator[str, None, None]:
    before = world.isolation.dropped()
    world.isolation.add_rules(rules)
    try:
        world.executed_after(world.settings.rate * 5)
        dropped = world.wait("packets are dropped", lambda: world.isolation.dropped() - before)
        yield f"{what}, {dropped} packets dropped"
    finally:
        world.isolation.drop_rules(rules)


def any_link(random: Random) -> str:
    return random.choice(("exchange", "kafka", "postgres"))


LINKS = ("websocket", "kafka", "postgres", "links")


@fault("link-lossy", *LINKS, needs_namespace=True)
def lossy(world: World, random: Random) -> Generator[str, None, None]:
    """One packet in fifty is lost, and TCP sends it again."""
    link = any_link(random)
    drop = ["-m", "statistic", "--mode", "random", "--probability", "0.02", "-j", "DROP"]
    yield from spoil(world, both_ways(world, link, drop), f"the link to {link} lost packets")


@fault("link-slow", *LINKS, needs_namespace=True)
def slow(world: World, random: Random) -> Generator[str, None, None]:
    """What goes beyond a rate is dropped: a narrow link without a queue."""
    link = any_link(random)
    limit = ["-m", "hashlimit", "--hashlimit-above", "100kb/s", "--hashlimit-burst", "100kb", "--hashlimit-name"]
    rules = both_ways(world, link, [*limit, f"chaos-{link}", "-j", "DROP"])
    yield from spoil(world, rules, f"the link to {link} was narrow")


@fault("link-cut", *LINKS, "rest", needs_namespace=True)
def cut(world: World, random: Random) -> Generator[str, None, None]:
    """Every packet vanishes, in both directions."""
    link = any_link(random)
    yield from spoil(world, both_ways(world, link, ["-j", "DROP"]), f"the link to {link} was cut")


@fault("link-reset", *LINKS, "rest", needs_namespace=True)
def reset(world: World, random: Random) -> Generator[str, None, None]:
    """Every connection is reset, new ones too."""
    link = any_link(random)
    action = ["-j", "REJECT", "--reject-with", "tcp-reset"]
    yield from spoil(world, both_ways(world, link, action), f"connections to {link} were reset")


@fault("dns-failure", "websocket", "rest", "postgres", "links", needs_namespace=True)
def dns(world: World, random: Random) -> Generator[str, None, None]:
    """Names no longer resolve just when connections must be made again."""
    world.isolation.set_name_known(False)
    try:
        world.simulator.fault("drop")
        world.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'persister'")
        world.wait("ingestors cannot connect", lambda: world.is_unready("ingestor", "okx-websocket"), 20)
        world.wait("persisters cannot connect", lambda: world.is_unready("persister", "postgresql"), 20)
        yield "names did not resolve, and the services said so"
    finally:
        world.isolation.set_name_known(True)
