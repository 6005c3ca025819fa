"""Faults of the exchange: its WebSocket, its REST side, and the trades that it does not send."""

from __future__ import annotations

import signal
from collections.abc import Generator
from random import Random

from faults import EVERYTHING, fault
from world import World

HISTORY = "market/history-trades"


def disconnects(world: World) -> float:
    return world.total("ingestor", "websocket_disconnects_total")


def wait_disconnect(world: World, before: float, seconds: float = 20) -> str:
    world.wait("an ingestor loses its connection", lambda: disconnects(world) > before, seconds)
    return f"{disconnects(world) - before:.0f} connections lost"


@fault("ws-drop", "websocket")
def drop(world: World, random: Random) -> Generator[str, None, None]:
    """The TCP connection is cut without a word."""
    before = disconnects(world)
    world.simulator.fault("drop")
    yield wait_disconnect(world, before)


@fault("ws-close-4004", "websocket")
def close_4004(world: World, random: Random) -> Generator[str, None, None]:
    """OKX closes as it does when it has heard nothing."""
    before = world.total("ingestor", "websocket_disconnects_total", reason="closed_by_okx")
    world.simulator.fault("close", code=4004)
    world.wait(
        "a close by OKX",
        lambda: world.total("ingestor", "websocket_disconnects_total", reason="closed_by_okx") > before,
    )
    yield "closed by OKX with 4004"


@fault("ws-refuse", "websocket")
def refuse(world: World, random: Random) -> Generator[str, None, None]:
    """Cut, and every new handshake is cut off for some seconds."""
    before = world.total("ingestor", "websocket_disconnects_total", reason="connect_failed")
    world.simulator.fault("refuse", ms=random.randrange(3000, 6000))
    world.simulator.fault("drop")
    world.wait(
        "a refused handshake",
        lambda: world.total("ingestor", "websocket_disconnects_total", reason="connect_failed") > before,
    )
    world.wait("unready while refused", lambda: world.is_unready("ingestor", "okx-websocket"))
    yield "handshakes refused, ingestors not ready"
    world.simulator.fault("refuse", ms=0)


@fault("ws-stall", "websocket", "frames", "tape")
def stall(world: World, random: Random) -> Generator[str, None, None]:
    """A half-open link: connected, and silent for longer than a pong may take."""
    before = disconnects(world)
    world.simulator.fault("stall", ms=40000)
    try:
        yield wait_disconnect(world, before, 35)
    finally:
        world.simulator.fault("stall", ms=0)


@fault("exchange-sigstop", EVERYTHING)
def sigstop(world: World, random: Random) -> Generator[str, None, None]:
    """The exchange's process stands still; its sockets stay open."""
    before = disconnects(world)
    world.simulator.send(signal.SIGSTOP)
    try:
        yield wait_disconnect(world, before, 35)
    finally:
        world.simulator.send(signal.SIGCONT)


@fault("ws-notice", "websocket")
def notice(world: World, random: Random) -> Generator[str, None, None]:
    """64008: the connection will be cut soon, and then it is."""
    before = world.simulator.stats()["connections"]["total"]
    world.simulator.fault("notice", after_ms=3000)
    world.wait("a second connection", lambda: world.simulator.stats()["connections"]["total"] > before)
    yield "a connection was opened beside the one to be cut"


@fault("ws-lag", "websocket")
def lag(world: World, random: Random) -> Generator[str, None, None]:
    """The connections that are open come late, and are announced to end: their successors are ahead of them."""
    world.simulator.fault("delay", ms=random.randrange(200, 800))
    yield from notice(world, random)


@fault("ws-malformed", "frames")
def malformed(world: World, random: Random) -> Generator[str, None, None]:
    """Frames cut short, that are no JSON, and with a price that is no number."""
    count = random.randrange(3, 10)
    world.bad_frames += count
    world.simulator.fault("malformed", count=count)
    world.wait("they are sent", lambda: world.simulator.stats()["faults_left"]["malformed"] == 0)
    yield f"{count} frames garbled"


@fault("ws-odd", "frames")
def odd(world: World, random: Random) -> Generator[str, None, None]:
    """Trades with a member that nobody knows: stored, and the member with them."""
    count = random.randrange(20, 100)
    world.simulator.fault("odd", count=count)
    world.wait("they are sent", lambda: world.simulator.stats()["faults_left"]["odd"] == 0)
    stored = """SELECT count(*) FROM trades
                WHERE extra ? 'unheardOf' AND received_at > now() - interval '5 minutes'"""
    world.expect_after("trades are stored with the unknown member", lambda: world.sql(stored)[0][0] > 0)
    yield f"{count} trades with an unknown member"


def hide(world: World, random: Random, kind: str, count: int) -> str:
    """Hides the next trades of one instrument and waits until they were executed."""
    inst_id = random.choice(world.instruments)
    before = world.simulator.summary()[inst_id]["last"] or 0
    world.simulator.fault(kind, instId=inst_id, count=count)
    newest = lambda: world.simulator.summary()[inst_id]["last"] or 0  # noqa: E731
    world.wait(f"{count} hidden trades of {inst_id}", lambda: newest() > before + count, 60)
    if kind == "gap":
        # The hiding began a few trades later than we looked; nearly all of them can only have come by REST.
        query = "SELECT count(*) FROM trades WHERE inst_id = %s AND trade_id BETWEEN %s AND %s AND origin = 'rest'"
        fetched = lambda: world.sql(query, inst_id, before, newest())[0][0] >= count  # noqa: E731
        world.expect_after(f"the {count} hidden trades of {inst_id} were fetched", fetched)
    return inst_id


@fault("silent-gap", "tape")
def gap(world: World, random: Random) -> Generator[str, None, None]:
    """Trades that are executed and never sent, but can be fetched."""
    count = random.randrange(1, 400)
    yield f"{count} trades of {hide(world, random, 'gap', count)} not sent"


@fault("trades-lost", "tape")
def lose(world: World, random: Random) -> Generator[str, None, None]:
    """Trades that are executed and can never be had: a hole that must be listed."""
    count = random.randrange(1, 20)
    world.lost_trades += count
    yield f"{count} trades of {hide(world, random, 'lose', count)} lost by the exchange"


def spoil_rest(world: World, random: Random, count: int, **parameters: str | int) -> str:
    """Spoils the answers to the repair of a hole, and makes a hole."""
    world.simulator.fault("rest", endpoint=HISTORY, count=count, **parameters)
    inst_id = hide(world, random, "gap", random.randrange(50, 300))
    world.wait("the spoilt answers are given", lambda: world.simulator.stats()["faults_left"]["rest"] == 0, 60)
    return f"{count} answers about {inst_id} spoilt"


@fault("rest-429", "rest", "tape")
def rest_429(world: World, random: Random) -> Generator[str, None, None]:
    """Too many requests, says OKX."""
    yield spoil_rest(world, random, 3, status=429, code="50011")


@fault("rest-5xx", "rest", "tape")
def rest_5xx(world: World, random: Random) -> Generator[str, None, None]:
    """OKX's servers fail."""
    yield spoil_rest(world, random, 3, status=random.choice((500, 502, 503)), code="50001")


@fault("rest-refusal-in-200", "rest", "tape")
def rest_code(world: World, random: Random) -> Generator[str, None, None]:
    """HTTP 200 with an error code in the body."""
    yield spoil_rest(world, random, 2, status=200, code="50026")


@fault("rest-html", "rest", "tape")
def rest_html(world: World, random: Random) -> Generator[str, None, None]:
    """A page of some proxy in OKX's place."""
    yield spoil_rest(world, random, 2, form="html", status=503)


@fault("rest-truncated", "rest", "tape")
def rest_truncated(world: World, random: Random) -> Generator[str, None, None]:
    """Answers that end in the middle."""
    yield spoil_rest(world, random, 2, form="truncate")


@fault("rest-hang", "rest", "tape")
def rest_hang(world: World, random: Random) -> Generator[str, None, None]:
    """An answer that never comes."""
    yield spoil_rest(world, random, 1, form="hang")
