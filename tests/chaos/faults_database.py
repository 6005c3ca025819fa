"""Faults of PostgreSQL."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from contextlib import suppress
from random import Random

import psycopg
from faults import fault
from world import NotSeen, World

INJECTED_ERRORS = 3
SESSIONS = "application_name = 'persister'"


def wait_unready(world: World, seconds: float = 20) -> None:
    world.wait("a persister says that PostgreSQL is away", lambda: world.is_unready("persister", "postgresql"), seconds)


@fault("postgres-sigkill", "postgres")
def sigkill(world: World, random: Random) -> Generator[str, None, None]:
    """Crashes, and recovers from its log."""
    pid = world.stack.processes()["postgres"].pid
    world.stack.kill_server("postgres")
    try:
        wait_unready(world)
        yield f"postgres pid {pid} killed, persisters not ready"
    finally:
        world.stack.start_server("postgres")


@fault("postgres-restart", "postgres")
def restart(world: World, random: Random) -> Generator[str, None, None]:
    """Stopped in order and started again."""
    pid = world.stack.processes()["postgres"].pid
    world.stack.stop_server("postgres")
    try:
        wait_unready(world)
        yield f"postgres pid {pid} stopped, persisters not ready"
    finally:
        world.stack.start_server("postgres")


@fault("postgres-terminate-backend", "postgres")
def terminate_backend(world: World, random: Random) -> Generator[str, None, None]:
    """An operator ends the sessions, several times over."""
    ended = 0
    for _ in range(5):
        ended += len(world.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {SESSIONS}"))
        time.sleep(random.uniform(0.05, 0.4))
    if ended == 0:
        raise NotSeen("there was no session to end")
    yield f"{ended} sessions ended"


@fault("postgres-sigstop", "postgres")
def sigstop(world: World, random: Random) -> Generator[str, None, None]:
    """Stands still, sockets open, for longer than max.poll.interval.ms."""
    seconds = int(world.services["persister-1"].environment["KAFKA_MAX_POLL_INTERVAL_MS"]) / 1000 + 2
    processes = postgres_processes(world)
    for pid in processes:
        send(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
        if any(state_of(pid) != "T" for pid in processes[:1]):
            raise NotSeen("PostgreSQL did not stand still")
        yield f"{len(processes)} processes of PostgreSQL stood still for {seconds:.0f} s"
    finally:
        for pid in processes:
            send(pid, signal.SIGCONT)


def postgres_processes(world: World) -> list[int]:
    """The postmaster and its children."""
    postmaster = world.stack.processes()["postgres"].pid
    with open(f"/proc/{postmaster}/task/{postmaster}/children") as children:
        return [postmaster, *(int(pid) for pid in children.read().split())]


def send(pid: int, signal_number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal_number)


def state_of(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as stat:
        text = stat.read()
    return text[text.rindex(")") + 2]


@fault("postgres-lock", "postgres")
def lock(world: World, random: Random) -> Generator[str, None, None]:
    """Somebody locks the table and takes a break."""
    with psycopg.connect(world.conninfo) as connection:
        connection.execute("LOCK TABLE trades IN ACCESS EXCLUSIVE MODE")
        waits = f"SELECT count(*) FROM pg_stat_activity WHERE {SESSIONS} AND wait_event_type = 'Lock'"
        world.wait("a persister waits for the lock", lambda: connection.execute(waits).fetchone()[0] > 0)
        world.executed_after(world.settings.rate * 2)
        yield "a persister waited for a lock on trades"
        connection.rollback()


def trigger(world: World, body: str) -> None:
    """Runs body before each statement that writes trades."""
    function = f"RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
    world.sql(f"CREATE OR REPLACE FUNCTION chaos() {function}")
    world.sql("CREATE OR REPLACE TRIGGER chaos BEFORE INSERT ON trades FOR EACH STATEMENT EXECUTE FUNCTION chaos()")


def remove_trigger(world: World) -> None:
    world.sql("DROP FUNCTION IF EXISTS chaos() CASCADE")


@fault("postgres-deadlock", "postgres")
def deadlock(world: World, random: Random) -> Generator[str, None, None]:
    """A real deadlock, found by PostgreSQL, with the persister as its victim."""
    before = deadlocks(world)
    trigger(world, "PERFORM pg_advisory_xact_lock(4711);")
    try:
        with psycopg.connect(world.conninfo) as connection:
            connection.execute("SET deadlock_timeout = '1h'")  # who looks first is the victim
            connection.execute("SELECT pg_advisory_xact_lock(4711)")
            waits = f"SELECT count(*) FROM pg_stat_activity WHERE {SESSIONS} AND wait_event = 'advisory'"
            world.wait("a persister waits", lambda: connection.execute(waits).fetchone()[0] > 0)
            connection.execute("LOCK TABLE trades IN SHARE MODE")  # which the persister's transaction holds
            connection.rollback()
        world.wait("PostgreSQL counts a deadlock", lambda: deadlocks(world) > before)
        yield f"{deadlocks(world) - before} deadlocks"
    finally:
        remove_trigger(world)


def deadlocks(world: World) -> int:
    return world.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0]


@fault("postgres-serialization", "postgres")
def serialization(world: World, random: Random) -> Generator[str, None, None]:
    """Transactions fail with 40001 a few times."""
    world.sql("CREATE SEQUENCE chaos_failures")  # counts what is rolled back as well
    body = f"""IF nextval('chaos_failures') <= {INJECTED_ERRORS} THEN
        RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001'; END IF;"""
    try:
        trigger(world, body)
        reached = lambda: world.sql("SELECT last_value FROM chaos_failures")[0][0] > INJECTED_ERRORS  # noqa: E731
        world.wait("the failures happen, and are tried again", reached)
        yield f"{INJECTED_ERRORS} transactions failed with 40001"
    finally:
        remove_trigger(world)
        world.sql("DROP SEQUENCE chaos_failures")


@fault("postgres-read-only", "postgres")
def read_only(world: World, random: Random) -> Generator[str, None, None]:
    """As after a fail-over to a standby: writing is refused."""
    world.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    world.sql("SELECT pg_reload_conf()")
    try:
        wait_unready(world)
        yield "PostgreSQL refused to write, persisters not ready"
    finally:
        with psycopg.connect(world.conninfo, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")


@fault("postgres-disk-full", "postgres", needs_namespace=True)
def disk_full(world: World, random: Random) -> Generator[str, None, None]:
    """An index on a small file system, which new rows fill."""
    owner = world.stack.servers["postgres"].user or "root"
    disk = world.isolation.small_disk(512, owner)
    world.sql(f"CREATE TABLESPACE chaos LOCATION '{disk}'")
    try:
        [[partition]] = world.sql("SELECT 'trades_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")
        [[now]] = world.sql("SELECT now()")
        columns = "inst_id, trade_id, px, sz, received_at"
        world.sql(f"CREATE INDEX chaos_index ON {partition} ({columns}) TABLESPACE chaos WHERE received_at > '{now}'")
        reason = world.wait("a persister finds no space left", lambda: full_disk_reason(world), 60)
        yield reason[:100]
    finally:
        world.sql("DROP INDEX IF EXISTS chaos_index")
        world.sql("CHECKPOINT")
        world.sql("DROP TABLESPACE chaos")
        world.isolation.remove_disk(disk)


def full_disk_reason(world: World) -> str | None:
    """What a persister says about a full disk in its readiness."""
    reasons = (each.readiness()[1].get("postgresql", "") for each in world.of("persister"))
    return next((each for each in reasons if "53100" in each), None)
