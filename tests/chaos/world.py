"""The world that the faults strike: three brokers, registry, PostgreSQL, the exchange, two of each service."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from isolation import Isolation
from pipeline import REPOSITORY, SANITIZER_REPORT, Service, Simulator, migrate, stop_in_order
from processes import wait_for
from stack import Stack
from watch import Watch
from witness import Witness

CURRENCIES = ("BTC", "ETH", "TON", "SOL", "XRP", "LTC", "ADA", "DOT", "BNB", "DOGE", "TRX", "AVAX")
KINDS = ("scheduler", "ingestor", "persister")
START_SECONDS = 90
SEEN_SECONDS = 20
STOP_SECONDS = 15
# For sanitized builds; the others never look.
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "TSAN_OPTIONS": f"suppressions={REPOSITORY / 'tests/support/tsan.supp'}:exitcode=66",
}


class NotSeen(Exception):
    """A fault could not be seen to happen: its round proves nothing."""


@dataclass(frozen=True)
class Settings:
    """What a run is asked for."""

    directory: Path  # logs and results
    binaries: Path
    rate: int  # trades per second, of all instruments together
    is_fast: bool  # PostgreSQL without fsync; a killed one still keeps what it has committed


class World:
    """Everything that runs. As a context manager it starts and ends it."""

    def __init__(self, settings: Settings, isolation: Isolation) -> None:
        self.settings = settings
        self.isolation = isolation
        self.logs = settings.directory / "logs"
        self.instruments = [f"{currency}-USDT" for currency in CURRENCIES]
        self.services: dict[str, Service] = {}
        self.down: set[str] = set()  # services and servers that a fault has taken away
        self.poison: list[bytes] = []  # records that were never meant to be stored
        self.bad_frames = 0  # frames of the exchange that were never meant to be readable
        self.lost_trades = 0  # which the exchange has lost for good in this round
        self.problems: list[str] = []  # what was wrong beside the data, since a round looked
        self.expectations: list[tuple[str, Callable[[], Any]]] = []  # what must hold once a round has recovered
        self._logs_read: dict[str, int] = {}  # how far each service's log was searched
        self._cleanup = ExitStack()

    # --- start and end -------------------------------------------------------------------------------

    def __enter__(self) -> World:
        try:
            self._start()
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._cleanup.close()

    def _start(self) -> None:
        self.stack = Stack(
            brokers=3,
            is_fast=self.settings.is_fast,
            logs=self.logs,
            postgres_settings={"synchronous_commit": "on", "deadlock_timeout": "500ms", "max_wal_size": "4GB"},
        )
        self._cleanup.callback(self.stack.stop)
        self.stack.start()
        self.environment = {**self.stack.environment}
        migrate(self.environment)
        self.conninfo = psycopg.conninfo.make_conninfo(
            host="127.0.0.1",
            port=self.environment["PGPORT"],
            dbname=self.environment["PGDATABASE"],
            user=self.environment["PGUSER"],
            password=self.environment["PGPASSWORD"],
            connect_timeout=5,
        )
        self.admin = AdminClient({"bootstrap.servers": self.environment["KAFKA_BOOTSTRAP_SERVERS"], "log_level": 0})
        self._start_simulator()
        self._start_services()
        self.watch = Watch(self.services, lambda: self.down)
        self._cleanup.callback(self.watch.stop)
        self.watch.start()
        self.begins = {inst_id: (each["last"] or 0) + 1 for inst_id, each in self.simulator.summary().items()}
        self.witness = self.new_witness()
        self.simulator.resume()
        # Resuming executes at once what was held back; the faults begin when that is digested.
        until = self.witness.executed()
        self.wait("the first trades are stored", lambda: self.witness.missing_rows(until) == 0, START_SECONDS)

    def _start_simulator(self) -> None:
        """Halted, so that the ledger begins where the services do."""
        rate = f"{self.settings.rate / len(self.instruments):.6f}"
        self.simulator = Simulator(
            # OKX's own limit lets a thousand missing trades be fetched a second; a market as busy as this one
            # needs more, and what is measured is the software's recovery.
            {"SIM_TRADE_RATE": rate, "SIM_INSTRUMENTS": ",".join(self.instruments), "SIM_RATE_LIMITS": "off"},
            self.logs / "okx-sim.log",
            self.settings.binaries,
        )
        self._cleanup.callback(lambda: stop_in_order([self.simulator]))
        self.simulator.start()
        self.simulator.halt()

    def _start_services(self) -> None:
        host = self.isolation.host
        exchange = {
            name: value.replace("127.0.0.1", host) for name, value in self.simulator.client_environment().items()
        }
        common = {
            **self.environment,
            "SCHEMA_REGISTRY_URL": self.environment["SCHEMA_REGISTRY_URL"].replace("127.0.0.1", host),
            "PGHOST": host,
            **exchange,
            "INSTRUMENTS": ",".join(self.instruments),
            "HISTORY_START": time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400)),
            "OKX_LIMIT_HISTORY_TRADES": "400",
            # So that a database that stands still for seconds stands still for longer than this.
            "KAFKA_MAX_POLL_INTERVAL_MS": "8000",
            **SANITIZERS,
        }
        # The persisters last: they store what the others hand on while they end.
        self._cleanup.callback(self._stop_services)
        for kind in KINDS:
            for number in (1, 2):
                name = f"{kind}-{number}"
                environment = {**common, **self.isolation.clock_environment(name)}
                self.services[name] = Service(kind, environment, self.logs / f"{name}.log", self.settings.binaries)
        for service in self.services.values():
            service.start()
        for service in self.services.values():
            service.wait_ready(START_SECONDS)
        self.wait("every instrument is subscribed", self._is_subscribed, START_SECONDS)

    def _is_subscribed(self) -> bool:
        return self.simulator.stats()["subscriptions"] >= len(self.instruments)

    def _stop_services(self) -> None:
        self.stop_problems = stop_in_order(list(self.services.values()), STOP_SECONDS)

    def new_witness(self) -> Witness:
        """One that begins where the market opened."""
        return Witness(
            self.simulator,
            self.conninfo,
            self.environment["KAFKA_BOOTSTRAP_SERVERS"],
            self.environment["SCHEMA_REGISTRY_URL"],
            self.begins,
        )

    # --- questions -----------------------------------------------------------------------------------

    def wait(self, what: str, condition: Callable[[], Any], seconds: float = SEEN_SECONDS) -> Any:
        """Waits until the condition gives something true, and returns that; NotSeen when it does not."""
        found: list[Any] = [None]

        def holds() -> bool:
            try:
                found[0] = condition()
            except (OSError, psycopg.Error):  # what is asked is away just now
                found[0] = None
            return bool(found[0])

        if not wait_for(holds, seconds):
            raise NotSeen(f"not within {seconds:g} s: {what}")
        return found[0]

    def of(self, kind: str) -> list[Service]:
        """The two services of a kind."""
        return [self.services[f"{kind}-{number}"] for number in (1, 2)]

    def total(self, kind: str, metric: str, **labels: str) -> float:
        """A metric, summed over the running services of a kind."""
        total = 0.0
        for service in self.of(kind):
            try:
                total += service.metrics().value(metric, **labels)
            except OSError:
                pass
        return total

    def is_unready(self, kind: str, condition: str) -> bool:
        """True when some service of a kind says that the condition does not hold."""
        return any(condition in service.readiness()[1] for service in self.of(kind) if service.is_running())

    def all_ready(self) -> bool:
        """True when every service says that it is ready."""
        return all(service.is_running() and service.is_ready() for service in self.services.values())

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement, on a connection of its own."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def expect_after(self, what: str, condition: Callable[[], Any]) -> None:
        """Something that must hold once the world has recovered, or the round fails."""
        self.expectations.append((what, condition))

    def unmet(self) -> list[str]:
        """The expectations that do not hold; none is left."""
        unmet = []
        for what, condition in self.expectations:
            try:
                self.wait(what, condition)
            except NotSeen as error:
                unmet.append(str(error))
        self.expectations = []
        return unmet

    def executed_after(self, count: int, seconds: float = 30) -> None:
        """Waits until that many more trades were executed."""
        wanted = self.simulator.trade_count() + count
        self.wait(f"{count} more trades", lambda: self.simulator.trade_count() >= wanted, seconds)

    # --- deeds ---------------------------------------------------------------------------------------

    def take_down(self, name: str, signal_number: int, seconds: float = STOP_SECONDS) -> int:
        """Ends a service by a signal; its exit status."""
        self.down.add(name)
        service = self.services[name]
        service.send(signal_number)
        return service.wait(seconds)

    def bring_up(self, name: str) -> None:
        """Starts a service that was taken down."""
        self.services[name].start()
        self.down.discard(name)

    def produce_poison(self, topic: str, key: str, value: bytes) -> None:
        """Writes a record that is to become a dead letter."""
        producer = Producer({"bootstrap.servers": self.environment["KAFKA_BOOTSTRAP_SERVERS"], "log_level": 0})
        self.poison.append(value)
        producer.produce(topic, key=key, value=value)
        if producer.flush(20) != 0:
            raise NotSeen("the poison was not acknowledged")

    def reports(self) -> Iterator[str]:
        """Reports of sanitizers in the services' logs since the last call."""
        for name, service in self.services.items():
            begin = self._logs_read.get(name, 0)
            text = log_since(service.log, begin)
            self._logs_read[name] = begin + text.rfind("\n") + 1
            found = SANITIZER_REPORT.search(text)
            if found:
                yield f"{name}: {text[found.start() : found.start() + 3000]}"


def log_since(path: Path, offset: int) -> str:
    """What a log says behind an offset, one character for a byte."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(offset)
        return log.read().decode("latin-1")


def find_last(pattern: str, text: str) -> re.Match[str] | None:
    """The last match of a pattern."""
    matches = list(re.finditer(pattern, text))
    return matches[-1] if matches else None
