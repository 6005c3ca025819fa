"""The loops: each drives one kind of fault against a pipeline under load, and says what came of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from load import READY_SECONDS, Load, Outcome
from harness import eventually
from pipeline import Service
from topics import LiveTail

RECOVERY_SECONDS = 10  # a service that was killed and restarted at once
SCALED_SECONDS = 15
OUTAGE_RECOVERY_SECONDS = 60
SETTLE_SECONDS = 0.3

SLOW_TRIGGER = """
CREATE FUNCTION endurance_slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$;
CREATE TRIGGER endurance_slow BEFORE INSERT ON trades FOR EACH ROW EXECUTE FUNCTION endurance_slow();
"""
FAST_FUNCTION = """
CREATE OR REPLACE FUNCTION endurance_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
"""


def persister_kills(scale: float) -> Outcome:
    """SIGKILL of the persister between COMMIT and the commit of its offsets."""
    wanted, seen = max(1, round(200 * scale)), 0
    with Load("persister-kills", 100) as load:
        _, persister, _ = load.start("scheduler", "persister", "ingestor")
        while seen < wanted:
            stored = load.pipeline.value("SELECT count(*) FROM trades")
            query = "SELECT count(*) FROM trades"
            eventually("rows are stored", lambda: load.pipeline.value(query) > stored, READY_SECONDS)
            time.sleep(random.uniform(0, 1))  # the offsets are committed once a second
            load.kill(persister)
            seen += _has_rows_beyond_the_offsets(load)
            persister.start()
            persister.wait_ready(READY_SECONDS)
        return load.conclude(Outcome("persister killed before its offsets", f"{seen} kills"))


def _has_rows_beyond_the_offsets(load: Load) -> bool:
    """Whether the dead persister had committed rows whose offsets it had not."""
    topics = load.pipeline.topics
    committed = topics.committed("persister", "trades")
    context = topics.value_context("trades")
    for record in topics.read_raw_from("trades", committed):
        trade = topics.deserialize(record.value, context)
        found = load.pipeline.sql(
            "SELECT 1 FROM trades WHERE inst_id = %s AND trade_id = %s", trade["instId"], trade["tradeId"]
        )
        return bool(found) and topics.committed("persister", "trades") == committed
    return False


def ingestor_kills(scale: float) -> Outcome:
    """SIGKILL of an ingestor under load, first of a lone one, then of one of two; started again at once."""
    wanted = max(2, round(100 * scale))
    recoveries: list[float] = []
    with Load("ingestor-kills", 250) as load:
        _, _, first = load.start("scheduler", "persister", "ingestor")
        ingestors = [first]
        with LiveTail(load.pipeline.topics) as tail:
            load.await_live(tail, time.time(), "the start")
            for number in range(wanted):
                if number == wanted // 2:
                    ingestors += load.pipeline.start("ingestor")
                victim = max(ingestors, key=_subscriptions)
                assert _subscriptions(victim) > 0
                killed_at = load.kill(victim)
                victim.start()
                recoveries.append(load.await_live(tail, killed_at, "a kill"))
                for each in ingestors:
                    each.wait_ready(READY_SECONDS)
                time.sleep(SETTLE_SECONDS)
        outcome = Outcome(
            "ingestor killed and restarted", f"{wanted} kills", recoveries=recoveries, recovery_limit=RECOVERY_SECONDS
        )
        return load.conclude(outcome)


def _subscriptions(ingestor: Service) -> float:
    return ingestor.metrics().value("subscriptions")


def scaling(scale: float) -> Outcome:
    """Ingestors and persisters from one to four and back, by SIGTERM and SIGKILL."""
    rounds = max(1, round(20 * scale))
    recoveries: list[float] = []
    with Load("scaling", 250) as load:
        _, *pair = load.start("scheduler", "persister", "ingestor")
        groups = {each.name: [each, *(load.pipeline.service(each.name) for _ in range(3))] for each in pair}
        with LiveTail(load.pipeline.topics) as tail:
            for number in range(rounds):
                _scale_up(groups)
                load.await_live(tail, time.time(), "four of each")
                survivor = number % 4
                left_at = _scale_down(load, groups, survivor, killed=(number + 1) % 4)
                recoveries.append(load.await_live(tail, left_at, "one of each"))
        outcome = Outcome(
            "1 to 4 to 1 of ingestors and persisters",
            f"{rounds} rounds",
            recoveries=recoveries,
            recovery_limit=SCALED_SECONDS,
        )
        return load.conclude(outcome)


def _scale_up(groups: dict[str, list[Service]]) -> None:
    started = [each for services in groups.values() for each in services if not each.is_running()]
    for each in started:
        each.start()
    for each in started:
        each.wait_ready(READY_SECONDS)


def _scale_down(load: Load, groups: dict[str, list[Service]], survivor: int, killed: int) -> float:
    """Ends three of each, one of them by SIGKILL; the Unix time when the last was gone."""
    load.note_peaks()
    for services in groups.values():
        for number, service in enumerate(services):
            if number == killed:
                service.kill()
            elif number != survivor:
                status = service.terminate()
                assert status == 0, f"{service.name} ended with {status}\n{service.last_lines()}"
    return time.time()


def without_kafka(scale: float) -> Outcome:
    """Kafka is away, and comes back; nothing else is restarted."""
    return _outage("without Kafka", "kafka-1", 600 * scale, {"kafka"})


def without_postgresql(scale: float) -> Outcome:
    """PostgreSQL is away, and comes back; nothing else is restarted."""
    return _outage("without PostgreSQL", "postgres", 600 * scale, {"postgresql"})


def _outage(name: str, server: str, seconds: float, conditions: set[str]) -> Outcome:
    with Load(name.lower().replace(" ", "-"), 250) as load:
        services = load.start("scheduler", "persister", "ingestor")
        pids = [each.pid for each in services]
        with LiveTail(load.pipeline.topics) as tail:
            load.await_live(tail, time.time(), "the start")
            load.stack.kill_server(server)
            named = _await_reasons(services, conditions)
            time.sleep(seconds)
            load.stack.start_server(server)
            back_at = time.time()
            for each in services:
                each.wait_ready(READY_SECONDS)
            load.await_live(tail, back_at, f"{server} is back")
            recovery = time.time() - back_at
        outcome = Outcome(
            f"{name}, {seconds:g} s",
            f"readyz: {named}",
            recoveries=[recovery],
            recovery_limit=OUTAGE_RECOVERY_SECONDS,
        )
        load.conclude(outcome)
        if [each.pid for each in services if each.is_running()] != pids:
            outcome.problems.append("a service has ended")
        return outcome


def _await_reasons(services: list[Service], conditions: set[str]) -> str:
    """Waits until some service names each of the conditions; what they say."""

    def found() -> dict[str, str]:
        reasons = {name: text for each in services for name, text in each.readiness()[1].items() if name in conditions}
        return reasons if reasons.keys() == conditions else {}

    return ", ".join(f"{name}: {text}" for name, text in eventually("readiness names the cause", found, 30).items())


def slow_postgresql(scale: float) -> Outcome:
    """Each row takes PostgreSQL ten times as long as the next one takes to come."""
    rate, seconds = 250, 300 * scale
    with Load("slow-postgresql", rate) as load:
        services = load.start("scheduler", "persister", "ingestor")
        pids = [each.pid for each in services]
        load.pipeline.wait_executed_more(rate)
        load.pipeline.sql(SLOW_TRIGGER.format(seconds=10 / rate))
        before, began = load.pipeline.value("SELECT count(*) FROM trades"), time.monotonic()
        time.sleep(seconds)
        stored = load.pipeline.value("SELECT count(*) FROM trades") - before
        pace = stored / (time.monotonic() - began)
        load.pipeline.sql(FAST_FUNCTION)
        outcome = Outcome(f"PostgreSQL ten times too slow, {seconds:g} s", f"stored {pace:.0f} of {rate} trades a second")
        if pace > rate / 4:
            outcome.problems.append("PostgreSQL was not slow")
        load.conclude(outcome)
        if [each.pid for each in services if each.is_running()] != pids:
            outcome.problems.append("a service has ended")
        return outcome


LOOPS: dict[str, Callable[[float], Outcome]] = {
    "persister-kills": persister_kills,
    "ingestor-kills": ingestor_kills,
    "scaling": scaling,
    "without-kafka": without_kafka,
    "without-postgresql": without_postgresql,
    "slow-postgresql": slow_postgresql,
}
