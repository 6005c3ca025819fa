"""A compose project of its own, in a clone of its own, with ports and image tags of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from checks import eventually, expect

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = ("ingestor", "persister", "scheduler", "okx-sim", "avrocat", "dead-letters")
PUBLISHED = ("KAFKA1_PORT", "KAFKA2_PORT", "KAFKA3_PORT", "REGISTRY_PORT", "POSTGRES_PORT", "SIM_ADMIN_PORT")

# instrument, id, price, size, side, milliseconds
Trade = tuple[str, int, str, str, str, int]


def plain(number: str) -> str:
    """Decimal text in its shortest form: 1.50 is 1.5."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def clone(target: Path) -> None:
    """A fresh clone of what is committed."""
    subprocess.run(["git", "clone", "-q", "--depth", "1", REPOSITORY.as_uri(), target], check=True)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Project:
    """Commands run in the clone, as a user would type them there."""

    def __init__(self, directory: Path, name: str, tag: str, files: Iterable[str] = ()) -> None:
        self.directory = directory
        self.name = name
        self.ports = dict(zip(PUBLISHED, free_ports(len(PUBLISHED)), strict=True))
        self.environment = {
            **{
                key: value
                for key, value in os.environ.items()
                if not key.startswith(("PG", "KAFKA_", "COMPOSE_", "MAKE"))
            },
            **{key: str(port) for key, port in self.ports.items()},
            "COMPOSE_PROJECT_NAME": name,
            "COMPOSE_PROFILES": "sim",
            "IMAGE_TAG": tag,
        }
        if files:
            self.environment["COMPOSE_FILE"] = ":".join(files)

    def run(self, *command: str, timeout: float = 300, check: bool = True, stdin: str = "", **environment: str) -> str:
        """Runs a command; what it printed on standard output."""
        return subprocess.run(
            command,
            cwd=self.directory,
            env={**self.environment, **environment},
            input=stdin,
            check=check,
            capture_output=True,
            text=True,
            errors="replace",  # Avro is no UTF-8
            timeout=timeout,
        ).stdout

    def compose(self, *arguments: str, timeout: float = 300, check: bool = True, stdin: str = "") -> str:
        """docker compose ..."""
        return self.run("docker", "compose", *arguments, timeout=timeout, check=check, stdin=stdin)

    def up(self, *arguments: str) -> None:
        """Starts what is not running and waits until all is healthy."""
        self.compose("up", "-d", "--wait", "--wait-timeout", "240", *arguments, timeout=600)

    def destroy(self) -> None:
        """Removes containers, networks, volumes."""
        self.compose("down", "-v", "--remove-orphans", "--timeout", "5", check=False)

    def containers(self, service: str) -> list[dict[str, Any]]:
        """docker inspect of a service's containers, ended ones too."""
        ids = self.compose("ps", "-aq", service).split()
        found: list[dict[str, Any]] = json.loads(self.run("docker", "inspect", *ids)) if ids else []
        return found

    def kafka(self, tool: str, *arguments: str, timeout: float = 60, stdin: str = "") -> str:
        """A tool of Kafka, in kafka1, as docs/docker.md shows it."""
        return self.compose(
            *("exec", "-T", "kafka1", f"/opt/kafka/bin/{tool}.sh", "--bootstrap-server", "kafka1:9092"),
            *arguments,
            timeout=timeout,
            stdin=stdin,
        )

    def sql(self, statement: str) -> str:
        """What psql prints, columns separated by |."""
        psql = ("exec", "-T", "postgres", "psql", "-U", "currency_trends", "-XAtc", statement)
        return self.compose(*psql).strip()

    def simulator(self, path: str, method: str = "GET") -> str:
        """The simulator's admin port."""
        url = f"http://127.0.0.1:{self.ports['SIM_ADMIN_PORT']}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30) as answer:
            text: str = answer.read().decode()
            return text

    # --- one trade, three witnesses --------------------------------------------------------------------

    def table(self) -> set[Trade]:
        """The trades in PostgreSQL."""
        rows = self.sql(
            "SELECT inst_id, trade_id, px, sz, side, round(extract(epoch FROM ts) * 1000)::bigint FROM trades"
        )
        return {self._trade(*row.split("|")) for row in rows.splitlines()}

    def topic(self) -> set[Trade]:
        """The trades in Kafka, whichever number of times, as avrocat decodes them."""
        lines = self.compose("run", "--rm", "-T", "avrocat", "-t", "trades", "-e", "-V", timeout=120).splitlines()
        values = (json.loads(line) for line in lines)
        return {
            self._trade(each["instId"], each["tradeId"], each["px"], each["sz"], each["side"], milliseconds(each["ts"]))
            for each in values
        }

    def ledger(self, first: dict[str, int]) -> set[Trade]:
        """What the simulator executed, from these ids on."""
        summary = json.loads(self.simulator("/ledger/summary"))
        trades: set[Trade] = set()
        for instrument, start in first.items():
            text = self.simulator(f"/ledger?instId={instrument}&from={start}&to={summary[instrument]['last']}")
            trades |= {self._trade(*line.split("\t")[:6]) for line in text.splitlines()}
        return trades

    def agree(self) -> int:
        """Halts the market, waits until all has arrived, and compares the three; the number of trades."""
        self.simulator("/halt", "POST")
        try:
            ledger = self._settled_ledger()
            table, topic = self.table(), self.topic()
            expect(table == ledger, f"table and ledger differ in {_sample(table ^ ledger)}")
            expect(topic == ledger, f"topic and ledger differ in {_sample(topic ^ ledger)}")
            rows = int(self.sql("SELECT count(*) FROM trades"))
            expect(rows == len(table), f"{rows} rows for {len(table)} trades")
            return rows
        finally:
            self.simulator("/resume", "POST")

    def _settled_ledger(self) -> set[Trade]:
        def arrived() -> set[Trade] | None:
            expected = self.ledger(self._first_ids())
            return expected if int(self.sql("SELECT count(*) FROM trades")) >= len(expected) > 0 else None

        found = eventually("every trade in the table", arrived, 90)
        assert isinstance(found, set)
        return found

    def _first_ids(self) -> dict[str, int]:
        rows = self.sql("SELECT inst_id, min(trade_id) FROM trades GROUP BY 1").splitlines()
        return {instrument: int(first) for instrument, first in (row.split("|") for row in rows)}

    @staticmethod
    def _trade(instrument: str, trade_id: str | int, price: str, size: str, side: str, ts: str | int) -> Trade:
        return instrument, int(trade_id), plain(price), plain(size), side, int(ts)


def milliseconds(text: str) -> int:
    """2026-11-23T13:20:49.766Z as Unix milliseconds."""
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return since // timedelta(milliseconds=1)


def _sample(trades: set[Trade]) -> str:
    return f"{len(trades)} trades: {sorted(trades)[:4]}"
