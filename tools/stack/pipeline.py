"""The programs of this repository as running processes: started, asked how they are, and ended."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from processes import as_user, free_ports, wait_for

REPOSITORY = Path(__file__).resolve().parents[2]
METRIC_PREFIX = "currency_trends_"
HTTP_TIMEOUT_SECONDS = 5
# The most memory that a service may take, as docs/operations.md ("Memory") states it; every deployment sets it.
MEMORY_LIMIT_MIB = {"ingestor": 160, "persister": 192, "scheduler": 64}
SANITIZER_REPORT = re.compile(r"ERROR: \w+Sanitizer|runtime error:|LeakSanitizer: detected|WARNING: ThreadSanitizer")


class PipelineError(Exception):
    """A program did not do what it should; the text says which, and holds the end of its log."""


@dataclass(frozen=True)
class Sample:
    """One line of /metrics."""

    name: str  # without our prefix
    labels: Mapping[str, str]
    value: float


class Metrics:
    """One scrape of a service."""

    def __init__(self, text: str) -> None:
        self.samples = list(_read_samples(text))

    def value(self, name: str, **labels: str) -> float:
        """The sum of every sample of that name which has these labels; 0 when there is none."""
        return sum(sample.value for sample in self.matching(name, **labels))

    def matching(self, name: str, **labels: str) -> Iterator[Sample]:
        """The samples of that name which have these labels."""
        for sample in self.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                yield sample

    def buckets(self, name: str) -> dict[float, float]:
        """A histogram: upper bound in seconds to cumulated count, over all its label sets."""
        counts: dict[float, float] = {}
        for sample in self.matching(f"{name}_bucket"):
            bound = float(sample.labels["le"])
            counts[bound] = counts.get(bound, 0) + sample.value
        return dict(sorted(counts.items()))


_SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def _read_samples(text: str) -> Iterator[Sample]:
    for line in text.splitlines():
        found = None if line.startswith("#") else _SAMPLE.match(line)
        if found:
            labels = dict(_LABEL.findall(found["labels"] or ""))
            yield Sample(found["name"].removeprefix(METRIC_PREFIX), labels, float(found["value"]))


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """The value below which that share of a histogram lies, linear within a bucket; None without samples."""
    total = max(buckets.values(), default=0)
    if total <= 0:
        return None
    lower_bound = lower_count = 0.0
    for bound, count in buckets.items():
        if count >= share * total:
            if bound == float("inf"):
                return lower_bound
            part = (share * total - lower_count) / (count - lower_count) if count > lower_count else 1
            return lower_bound + (bound - lower_bound) * part
        lower_bound, lower_count = bound, count
    return lower_bound


class Program:
    """A program with its log in a file. It dies with this process, however that ends."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.command = command
        self.environment = dict(environment)
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._log_offset = 0

    def start(self) -> None:
        """Starts the program; the log goes on where it was."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._log_offset = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                as_user(self.command, None, "TERM"),
                env=self._full_environment(),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C ends us, and we end the programs in order
            )

    @property
    def pid(self) -> int:
        """The process id; the program must have been started."""
        assert self._process is not None
        return self._process.pid

    def exit_status(self) -> int | None:
        """None while it runs; below 0 the signal that ended it."""
        assert self._process is not None
        return self._process.poll()

    def is_running(self) -> bool:
        """False before start() and after the end."""
        return self._process is not None and self._process.poll() is None

    def wait(self, timeout_seconds: float) -> int:
        """Waits for the program to end by itself; its exit status."""
        assert self._process is not None
        try:
            return self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise PipelineError(f"{self.name} still runs after {timeout_seconds:g} s\n{self.last_lines()}") from None

    def terminate(self, timeout_seconds: float = 10) -> int:
        """SIGTERM, and the exit status; PipelineError if it does not end in time."""
        self.send(signal.SIGTERM)
        return self.wait(timeout_seconds)

    def kill(self) -> None:
        """Ends the program as a crash would; harmless when it has ended."""
        if self._process is not None:
            self.send(signal.SIGKILL)
            self._process.wait()

    def send(self, signal_number: int) -> None:
        """Signals the program unless it has ended."""
        if self.is_running():
            assert self._process is not None
            self._process.send_signal(signal_number)

    def output(self) -> str:
        """What it has logged since it was last started."""
        with self.log.open("rb") as log:
            log.seek(self._log_offset)
            return log.read().decode(errors="replace")

    def last_lines(self, count: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.output().splitlines()[-count:])

    def wait_until(self, what: str, condition: Callable[[], bool], timeout_seconds: float) -> None:
        """Waits for a condition that can only come true while the program runs."""

        def holds() -> bool:
            if not self.is_running():
                raise PipelineError(f"{self.name} ended with status {self.exit_status()}\n{self.last_lines()}")
            return condition()

        if not wait_for(holds, timeout_seconds):
            raise PipelineError(f"{self.name}: not {what} after {timeout_seconds:g} s\n{self.last_lines()}")

    def _full_environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


class Service(Program):
    """One of the services, with its status port."""

    def __init__(
        self, name: str, environment: Mapping[str, str], log: Path, binaries: Path = REPOSITORY / "build/bin"
    ) -> None:
        super().__init__(name, [str(binaries / name)], environment, log)
        self.port = free_ports(1)[0]

    @property
    def url(self) -> str:
        """Where /metrics, /livez and /readyz are."""
        return f"http://127.0.0.1:{self.port}"

    def metrics(self) -> Metrics:
        """A scrape; OSError when the service does not answer."""
        return Metrics(http("GET", f"{self.url}/metrics")[1])

    def readiness(self) -> tuple[bool, dict[str, str]]:
        """Whether it is ready, and the reason of each condition that does not hold."""
        try:
            status, body = http("GET", f"{self.url}/readyz")
        except OSError as error:
            return False, {"status-port": str(error)}
        conditions = json.loads(body)["conditions"]
        return status == 200, {c["name"]: c.get("reason") or "" for c in conditions if not c["ready"]}

    def is_ready(self) -> bool:
        """True when /readyz says so."""
        return self.readiness()[0]

    def wait_ready(self, timeout_seconds: float = 30) -> None:
        """Waits until the service is ready; PipelineError with its reasons when it is not in time."""
        try:
            self.wait_until("ready", self.is_ready, timeout_seconds)
        except PipelineError as error:
            reasons = self.readiness()[1] if self.is_running() else {}
            raise PipelineError(f"{error}\nreadyz: {reasons}") from None

    def _full_environment(self) -> dict[str, str]:
        return {**super()._full_environment(), "STATUS_ADDRESS": f"127.0.0.1:{self.port}"}


@dataclass(frozen=True)
class LedgerTrade:
    """A trade as the simulator executed it, every value as its text."""

    inst_id: str
    trade_id: int
    price: str
    size: str
    side: str
    time_ms: int
    source: str
    is_lost: bool  # neither sent nor to be had by REST


class Simulator(Program):
    """okx-sim, the stand-in for the exchange, with its admin port."""

    def __init__(
        self, environment: Mapping[str, str], log: Path, binaries: Path = REPOSITORY / "build/bin", *arguments: str
    ) -> None:
        self.ports_file = log.with_suffix(".ports")
        own = {
            "SIM_ADDRESS": "127.0.0.1:0",
            "SIM_ADMIN_ADDRESS": "127.0.0.1:0",
            "SIM_PORTS_FILE": str(self.ports_file),
        }
        super().__init__("okx-sim", [str(binaries / "okx-sim"), *arguments], {**own, **environment}, log)
        self.ports: dict[str, int] = {}

    def start(self) -> None:
        """Starts it and waits until it listens. A second start keeps the ports: clients know them."""
        self.ports_file.unlink(missing_ok=True)
        if self.ports:
            self.environment |= {
                "SIM_ADDRESS": f"127.0.0.1:{self.ports['okx']}",
                "SIM_ADMIN_ADDRESS": f"127.0.0.1:{self.ports['admin']}",
            }
        super().start()
        self.wait_until("listening", self.ports_file.exists, 10)
        lines = self.ports_file.read_text().split()
        self.ports = {name: int(port) for name, _, port in (line.partition("=") for line in lines)}

    def client_environment(self, scheme_suffix: str = "") -> dict[str, str]:
        """The ingestor's settings for this exchange; scheme_suffix "s" for TLS."""
        address = f"127.0.0.1:{self.ports['okx']}"
        return {
            "OKX_WS_URL": f"ws{scheme_suffix}://{address}",
            "OKX_REST_URL": f"http{scheme_suffix}://{address}",
            "OKX_API_KEY": self.environment.get("SIM_API_KEY", "sim-key"),
            "OKX_API_SECRET": self.environment.get("SIM_API_SECRET", "sim-secret"),
            "OKX_API_PASSPHRASE": self.environment.get("SIM_API_PASSPHRASE", "sim-passphrase"),
        }

    def ledger(self, inst_id: str | None = None, from_id: int = 0, to_id: int | None = None) -> list[LedgerTrade]:
        """Every trade executed since the start, lost ones too; or those of one instrument, from_id to to_id."""
        query = ""
        if inst_id is not None:
            limits = {"instId": inst_id, "from": from_id} | ({} if to_id is None else {"to": to_id})
            query = f"?{urllib.parse.urlencode(limits)}"
        return [_read_ledger_line(line) for line in self._admin("GET", f"/ledger{query}").splitlines()]

    def summary(self) -> dict[str, dict[str, int | None]]:
        """Instrument to its first and last id (None before its first trade) and the number of trades."""
        return json.loads(self._admin("GET", "/ledger/summary"))

    def stats(self) -> dict:
        """Connections, frames, and requests per endpoint."""
        return json.loads(self._admin("GET", "/stats"))

    def halt(self) -> None:
        """No further trade is executed; everything else goes on."""
        self._admin("POST", "/halt")

    def resume(self) -> None:
        """Trading goes on."""
        self._admin("POST", "/resume")

    def trade_count(self) -> int:
        """How many trades it has executed since the start."""
        return sum(each["count"] or 0 for each in self.summary().values())

    def fault(self, kind: str, **parameters: str | int) -> None:
        """Injects a fault: drop, close, stall, delay, refuse, malformed, gap, lose, notice, rest, clear."""
        self._admin("POST", f"/fault/{kind}?{urllib.parse.urlencode(parameters)}")

    def _admin(self, method: str, path: str) -> str:
        status, body = http(method, f"http://127.0.0.1:{self.ports['admin']}{path}")
        if status != 200:
            raise PipelineError(f"okx-sim: {method} {path}: {status} {body.strip()}")
        return body


def _read_ledger_line(line: str) -> LedgerTrade:
    inst_id, trade_id, price, size, side, time_ms, source, *flags = line.split("\t")
    return LedgerTrade(inst_id, int(trade_id), price, size, side, int(time_ms), source, "lost" in flags)


def http(method: str, url: str) -> tuple[int, str]:
    """The status and the body of an answer to a request without a body; OSError when there is none."""
    parts = urllib.parse.urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=HTTP_TIMEOUT_SECONDS)
    try:
        connection.putrequest(method, f"{parts.path}?{parts.query}" if parts.query else parts.path)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except HTTPException as error:
        raise ConnectionError(f"{url}: {error!r}") from error
    finally:
        connection.close()


def migrate(environment: Mapping[str, str], *arguments: str) -> None:
    """Runs migrations/migrate.sh ("up" unless told otherwise) on the database of the PG* variables."""
    done = subprocess.run(
        [str(REPOSITORY / "migrations/migrate.sh"), *(arguments or ("up",))],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise PipelineError(f"migrate.sh failed:\n{done.stderr.strip()}")


def stop_in_order(programs: list[Program], timeout_seconds: float = 10) -> list[str]:
    """SIGTERM to one after the other, so that each can hand on what it holds; what went wrong, if anything."""
    problems: list[str] = []
    for program in programs:
        if not program.is_running():
            continue
        try:
            status = program.terminate(timeout_seconds)
            if status != 0:
                problems.append(f"{program.name} ended with status {status}")
        except PipelineError:
            problems.append(f"{program.name} did not end within {timeout_seconds:g} s of SIGTERM")
            program.kill()
    return problems
