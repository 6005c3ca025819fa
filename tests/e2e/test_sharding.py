"""Several ingestors share the instruments, several schedulers the duty: what happens when they come, go, die and sleep."""

from __future__ import annotations

import signal
import time
from collections import Counter

import pytest
from harness import STOP_SECONDS, Pipeline, eventually
from pipeline import Service
from topics import LiveTail

CURRENCIES = 5
SESSION_SECONDS = 6  # session.timeout.ms of our consumers: after this, a member that died is replaced
# Then the others are told by their next heartbeat, read positions, and subscribe; on a busy machine.
OWNED_AGAIN_SECONDS = SESSION_SECONDS + 9


@pytest.fixture
def market(pipeline: Pipeline) -> Pipeline:
    """A lively market that one ingestor follows."""
    pipeline.settings["TOPIC_PARTITIONS"] = "12"
    pipeline.start_simulator(SIM_TRADE_RATE="30")
    pipeline.start("persister", "ingestor")
    pipeline.open_market()
    pipeline.wait_begun()
    return pipeline


def ingestors(pipeline: Pipeline) -> list[Service]:
    return [each for each in pipeline.programs if each.name == "ingestor"]


def subscriptions(service: Service) -> int:
    return int(service.metrics().value("subscriptions"))


def settled(pipeline: Pipeline) -> bool:
    """Each instrument is subscribed once, and every ingestor that runs is ready."""
    running = [each for each in ingestors(pipeline) if each.is_running()]
    return pipeline.simulator.stats()["subscriptions"] == CURRENCIES and all(each.is_ready() for each in running)


def await_owners(pipeline: Pipeline, tail: LiveTail, since: float) -> None:
    """Each instrument has an owner again in time: it is subscribed once, and new live trades of it are published."""
    instruments = pipeline.instruments()
    left = since + OWNED_AGAIN_SECONDS - time.time()
    eventually("live trades of every instrument", lambda: tail.are_live(instruments, since), left)
    eventually("one owner each", lambda: settled(pipeline), OWNED_AGAIN_SECONDS)


def test_from_one_ingestor_to_four_and_back_by_kill_and_by_order(market: Pipeline) -> None:
    with LiveTail(market.topics) as tail:
        market.start("ingestor", "ingestor", "ingestor")
        await_owners(market, tail, time.time())
        members = ingestors(market)
        assert sum(subscriptions(each) > 0 for each in members) >= 2  # five instruments hash to so many members at least
        victim = max(members, key=subscriptions)
        victim.kill()
        killed_at = time.time()
        await_owners(market, tail, killed_at)
        for each in [each for each in members if each.is_running()][:2]:
            assert each.terminate(STOP_SECONDS) == 0
        await_owners(market, tail, time.time())
    [last] = [each for each in members if each.is_running()]
    assert subscriptions(last) == CURRENCIES
    market.assert_complete(60)


def test_what_returns_to_its_owner_is_not_subscribed_again(market: Pipeline) -> None:
    """Every rebalance takes all partitions away and deals them out again; only what changes hands is touched."""
    [first] = ingestors(market)
    simulator = market.simulator
    assert simulator.stats()["subscriptions_total"] == CURRENCIES
    [second] = market.start("ingestor")
    eventually("one owner each", lambda: settled(market) and subscriptions(second) + subscriptions(first) == CURRENCIES)
    moved = subscriptions(second)
    assert 0 < moved < CURRENCIES
    assert simulator.stats()["subscriptions_total"] == CURRENCIES + moved
    assert second.terminate(STOP_SECONDS) == 0
    eventually("all are with the first", lambda: settled(market) and subscriptions(first) == CURRENCIES)
    assert simulator.stats()["subscriptions_total"] == CURRENCIES + 2 * moved
    assert first.metrics().value("websocket_disconnects_total") == 0
    market.assert_complete(60)


def test_takeover_resumes_behind_the_positions_of_the_dead(market: Pipeline) -> None:
    [first] = ingestors(market)
    [second] = market.start("ingestor")
    eventually("one owner each", lambda: settled(market) and subscriptions(second) + subscriptions(first) == CURRENCIES)
    second.kill()
    # Nobody has taken over yet, so the newest position of each of its instruments is what it left behind.
    newest = {record.key: record.value["tradeId"] for record in market.topics.read("positions")}
    asked_before = {record.value["id"] for record in market.topics.read("control")}
    eventually("all are with the first", lambda: subscriptions(first) == CURRENCIES, OWNED_AGAIN_SECONDS)
    market.wait_executed_more(60)
    market.assert_complete(60)
    asked = [record.value for record in market.topics.read("control")]
    gaps = [command for command in asked if command["reason"] == "GAP" and command["id"] not in asked_before]
    taken_over = {command["instId"] for command in gaps}
    assert taken_over
    for inst_id in taken_over:
        first_id = min(command["fromId"] for command in gaps if command["instId"] == inst_id)
        assert first_id == newest[inst_id] + 1


@pytest.mark.long
def test_an_owner_that_slept_beyond_its_session_harms_nothing(market: Pipeline) -> None:
    """It wakes with a socket full of trades that its successor has published already, and with positions that are old."""
    [first] = ingestors(market)
    [second] = market.start("ingestor")
    eventually("one owner each", lambda: settled(market) and subscriptions(second) + subscriptions(first) == CURRENCIES)
    with LiveTail(market.topics) as tail:
        for sleeper, successor in ((second, first), (first, second)):
            owned = subscriptions(sleeper)
            assert owned > 0
            slept_at = time.time()
            sleeper.send(signal.SIGSTOP)
            eventually("the other owns all", lambda: subscriptions(successor) == CURRENCIES, OWNED_AGAIN_SECONDS)
            time.sleep(max(0, slept_at + 10 - time.time()))
            sleeper.send(signal.SIGCONT)
            woken_at = time.time()
            await_owners(market, tail, woken_at)
            eventually("both own some", lambda: min(subscriptions(first), subscriptions(second)) > 0)
    # Whoever comes next goes on from positions that the sleeper may have set back.
    for each in (first, second):
        each.kill()
    market.wait_executed_more(60)
    first.start()
    first.wait_ready(60)
    market.wait_executed_more(60)
    market.assert_complete(60)


# --- schedulers --------------------------------------------------------------------------------------


@pytest.mark.long
def test_of_two_schedulers_each_job_fires_once_and_a_kill_is_made_good(pipeline: Pipeline) -> None:
    pipeline.settings |= {"CURRENCIES": "BTC,ETH", "CANDLES_CRON": "* * * * *", "CURRENCIES_CRON": "* * * * *"}
    pipeline.start_simulator(SIM_TRADE_RATE="1")
    first, second, _ = pipeline.start("scheduler", "scheduler", "ingestor")
    pipeline.simulator.resume()
    both = (first, second)
    eventually("one of two is active", lambda: sum(is_active(each) for each in both) == 1)
    fired = firings(pipeline)
    eventually("a minute's firing", lambda: firings(pipeline) > fired, 75)
    [active] = [each for each in both if is_active(each)]
    [idle] = [each for each in both if each is not active]
    active.kill()
    killed_at = time.time()
    eventually("the other is active", lambda: is_active(idle), OWNED_AGAIN_SECONDS)
    assert time.time() - killed_at < OWNED_AGAIN_SECONDS
    fired = firings(pipeline)
    active.start()
    eventually("a firing of the next minute", lambda: firings(pipeline) > fired, 75)
    commands = Counter((record.value["id"], record.value["attempt"]) for record in pipeline.topics.read("control"))
    assert [each for each, count in commands.items() if count > 1] == []


def is_active(scheduler: Service) -> bool:
    return scheduler.metrics().value("scheduler_active") == 1


def firings(pipeline: Pipeline) -> set[str]:
    """The commands that a job has issued, not a backfill."""
    return {record.value["id"] for record in pipeline.topics.read("control") if record.value["reason"] == "SCHEDULE"}
