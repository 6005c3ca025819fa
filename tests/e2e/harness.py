"""One pipeline of its own per test: topic prefix, database, simulator, services, and what to expect of them."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from pipeline import REPOSITORY, SANITIZER_REPORT, LedgerTrade, Program, Service, Simulator, migrate
from processes import wait_for
from stack import Stack
from topics import Topics

LOGS = REPOSITORY / "build/test-logs/e2e"
BINARIES = Path(os.environ.get("E2E_BUILD_DIR", REPOSITORY / "build")).resolve() / "bin"
IS_SANITIZED = "san-" in str(BINARIES)
STOP_SECONDS = 10
DRAIN_SECONDS = 40

# What a trade is, whichever way it came: price, size, side, time.
Content = tuple[Decimal, Decimal, str, datetime]
Key = tuple[str, int]


def eventually(what: str, condition: Callable[[], Any], timeout_seconds: float = 30) -> Any:
    """Waits until the condition gives something true, and returns that."""
    found: list[Any] = [None]

    def holds() -> bool:
        found[0] = condition()
        return bool(found[0])

    assert wait_for(holds, timeout_seconds), f"not in {timeout_seconds:g} s: {what}; last seen: {found[0]!r}"
    return found[0]


def yesterday() -> str:
    """A HISTORY_START that keeps backfill out of tests that are not about it."""
    return (datetime.now(timezone.utc) - timedelta(days=1)).strftime("%Y-%m-%d")


class Pipeline:
    """The programs of one test. close() ends them and fails if one did not end well."""

    def __init__(self, stack: Stack, name: str, logs: Path) -> None:
        self.stack = stack
        self.logs = logs
        shutil.rmtree(logs, ignore_errors=True)  # what an earlier session wrote is not evidence
        unique = f"{re.sub(r'[^a-z0-9]+', '-', name.lower())[:40]}-{uuid.uuid4().hex[:6]}"
        self.database = unique.replace("-", "_")
        self._create_database()
        self.settings: dict[str, str] = {
            **stack.environment,
            "PGDATABASE": self.database,
            "TOPIC_PREFIX": f"{unique}.",
            "TOPIC_PARTITIONS": "3",
            "HISTORY_START": yesterday(),
            "CURRENCIES": "BTC,ETH,TON,SOL,XRP",
        }
        self.topics = Topics(
            stack.environment["KAFKA_BOOTSTRAP_SERVERS"], stack.environment["SCHEMA_REGISTRY_URL"], f"{unique}."
        )
        self.programs: list[Program] = []
        self.simulator: Simulator | None = None
        self.before: list[LedgerTrade] = []  # what was executed before the market opened

    # --- programs ----------------------------------------------------------------------------------

    def start_simulator(self, *arguments: str, **settings: str) -> Simulator:
        """Starts the exchange, halted: trading begins with open_market()."""
        self.simulator = Simulator(settings, self.logs / "okx-sim.log", BINARIES, *arguments)
        self.programs.append(self.simulator)
        self.simulator.start()
        self.simulator.halt()
        self.before = self.simulator.ledger()
        self.settings |= self.simulator.client_environment()
        return self.simulator

    def service(self, name: str, **settings: str) -> Service:
        """A service with this pipeline's settings, not yet started. A second one of a name gets a log of its own."""
        number = sum(isinstance(each, Service) and each.name == name for each in self.programs)
        log = self.logs / (f"{name}-{number + 1}.log" if number else f"{name}.log")
        service = Service(name, {**self.settings, **settings}, log, BINARIES)
        self.programs.append(service)
        return service

    def start(self, *names: str, **settings: str) -> list[Service]:
        """Starts services and waits until each is ready."""
        services = [self.service(name, **settings) for name in names]
        for service in services:
            service.start()
        for service in services:
            service.wait_ready()
        return services

    def start_refused(self, *names: str, condition: str, said: str, **settings: str) -> list[Service]:
        """Starts services that say in /readyz and in the log what is wrong with a condition, and go on trying."""
        services = [self.service(name, **settings) for name in names]
        for service in services:
            service.start()
        for service in services:
            reason = lambda service=service: service.readiness()[1].get(condition, "")
            eventually(f"{service.name} says {said}", lambda reason=reason: said in reason())
            assert said in service.output() and service.is_running() and not service.is_ready()
        return services

    def open_market(self) -> None:
        """Trading begins once the exchange has the subscriptions; everything from here on must arrive."""
        simulator = self.simulator
        assert simulator is not None
        listed = len(self.instruments() & simulator.summary().keys())
        eventually("every instrument is subscribed", lambda: simulator.stats()["subscriptions"] >= listed)
        simulator.resume()

    def wait_begun(self) -> None:
        """Waits until a trade of each instrument is stored: what is kept back of its trades from then on is a hole."""
        stored = "SELECT count(DISTINCT inst_id) FROM trades"
        eventually("a trade of each is stored", lambda: self.value(stored) == len(self.instruments()))

    def instruments(self) -> set[str]:
        """What the settings ask for."""
        if "INSTRUMENTS" in self.settings:
            return set(self.settings["INSTRUMENTS"].split(","))
        return {f"{currency}-USDT" for currency in self.settings["CURRENCIES"].split(",")}

    def close(self) -> None:
        """Ends what still runs, services first; each must exit with 0 in time and leave no sanitizer report."""
        problems: list[str] = []
        for program in sorted(self.programs, key=lambda each: isinstance(each, Simulator)):
            if program.is_running():
                try:
                    status = program.terminate(STOP_SECONDS)
                except Exception as error:  # the next program must still be ended
                    problems.append(str(error))
                    program.kill()
                else:
                    if status != 0:
                        problems.append(f"{program.name} ended with {status}\n{program.last_lines()}")
            problems += self._sanitizer_reports(program)
        assert not problems, "\n".join(problems)

    @staticmethod
    def _sanitizer_reports(program: Program) -> list[str]:
        text = program.log.read_text(errors="replace") if program.log.exists() else ""
        found = SANITIZER_REPORT.search(text)
        return [f"{program.name}: {text[found.start() : found.start() + 2000]}"] if found else []

    # --- database ----------------------------------------------------------------------------------

    def _create_database(self) -> None:
        environment = {**self.stack.environment}
        with psycopg.connect(conninfo(environment), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{self.database}"')
        migrate({**environment, "PGDATABASE": self.database})

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query, on a connection of its own; none for a statement without rows."""
        with psycopg.connect(conninfo(self.settings), autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, *parameters: Any) -> Any:
        """The one value of a query."""
        [[value]] = self.sql(statement, *parameters)
        return value

    # --- the witness ---------------------------------------------------------------------------------

    def executed(self) -> list[LedgerTrade]:
        """What the exchange has executed since the market opened."""
        assert self.simulator is not None
        before = set(self.before)
        return [each for each in self.simulator.ledger() if each not in before]

    def executed_count(self) -> int:
        """How many trades the exchange has executed since the market opened."""
        assert self.simulator is not None
        return self.simulator.trade_count() - len(self.before)

    def wait_executed_more(self, count: int, timeout_seconds: float = 30) -> None:
        """Waits until the exchange has executed that many more trades."""
        wanted = self.executed_count() + count
        eventually(f"{count} more trades", lambda: self.executed_count() >= wanted, timeout_seconds)

    def halt_and_drain(self, timeout_seconds: float = DRAIN_SECONDS) -> dict[Key, Content]:
        """Stops trading, waits until the table has what can be had, and returns that."""
        assert self.simulator is not None
        self.simulator.halt()
        expected = contents(each for each in self.executed() if not each.is_lost)
        eventually(
            f"{len(expected)} rows in trades",
            lambda: self.value("SELECT count(*) FROM trades") >= len(expected),
            timeout_seconds,
        )
        return expected

    def table_trades(self) -> dict[Key, Content]:
        """The table's trades; the primary key makes each unique."""
        rows = self.sql("SELECT inst_id, trade_id, px, sz, side, ts FROM trades")
        return {(inst_id, trade_id): tuple(content) for inst_id, trade_id, *content in rows}

    def topic_trades(self) -> dict[Key, Content]:
        """The topic's trades; a trade that came twice must be the same both times."""
        trades: dict[Key, Content] = {}
        for record in self.topics.read("trades"):
            value = record.value
            content = (value["px"], value["sz"], value["side"], value["ts"])
            assert trades.setdefault((value["instId"], value["tradeId"]), content) == content
        return trades

    def assert_complete(self, timeout_seconds: float = DRAIN_SECONDS) -> dict[Key, Content]:
        """Halts, drains, and compares ledger, topic and table: none missing, none unknown, none different."""
        expected = self.halt_and_drain(timeout_seconds)
        assert_same_trades(self.table_trades(), expected, "table")
        assert_same_trades(self.topic_trades(), expected, "topic")
        return expected


def contents(ledger: Any) -> dict[Key, Content]:
    """The ledger's trades in the form of the comparison."""
    return {
        (each.inst_id, each.trade_id): (
            Decimal(each.price),
            Decimal(each.size),
            each.side,
            datetime.fromtimestamp(each.time_ms // 1000, timezone.utc) + timedelta(milliseconds=each.time_ms % 1000),
        )
        for each in ledger
    }


def assert_same_trades(found: Mapping[Key, Content], expected: Mapping[Key, Content], where: str) -> None:
    """Equality with a message that a person can read."""
    missing = sorted(expected.keys() - found.keys())
    unknown = sorted(found.keys() - expected.keys())
    both = expected.keys() & found.keys()
    different = [(key, found[key], expected[key]) for key in both if found[key] != expected[key]]
    assert not missing, f"{where}: {len(missing)} of {len(expected)} missing, first {missing[:5]}"
    assert not unknown, f"{where}: {len(unknown)} unknown, first {unknown[:5]}"
    assert not different, f"{where}: {len(different)} different, first {different[:3]}"


def conninfo(environment: Mapping[str, str]) -> str:
    """libpq's connection string for the database of the PG* variables."""
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD"}
    return psycopg.conninfo.make_conninfo(**{key: environment[name] for key, name in names.items()}, connect_timeout=5)
