#!/usr/bin/env python3
"""The whole pipeline on this machine, with live figures.

Starts Kafka, a schema registry, PostgreSQL and the three services, fed by the OKX simulator
(--okx sim) or by OKX itself (--okx real), and shows what happens until Ctrl-C.

Environment: DEMO_SECONDS stops by itself after that time; with the simulator its ledger is then
compared with the topic and the table. DEMO_TRADE_RATE is the simulator's trades per second and
instrument. Any setting of the services may be given as well.
Exit status: 0 stopped as asked, 1 something failed or the comparison did, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools/stack"))
from pipeline import LedgerTrade, PipelineError, Program, Service, Simulator, migrate, stop_in_order  # noqa: E402
from servers import StackError  # noqa: E402
from stack import Stack  # noqa: E402

from figures import SERVICES, Collector, Figures  # noqa: E402
from screen import open_display  # noqa: E402
from verdict import Verdict  # noqa: E402

TICK_SECONDS = 1.0
READY_TIMEOUT_SECONDS = 60
SIMULATOR_TRADE_RATE = "40"


class Demo:
    """One run, from an empty directory (or, against the real OKX, from where the last one ended)."""

    def __init__(self, okx: str, seconds: float | None) -> None:
        self.is_simulated = okx == "sim"
        self.seconds = seconds
        self.directory = REPOSITORY / ".stack" / okx
        self.logs = self.directory / "logs"
        self.services: dict[str, Service] = {}
        self.simulator: Simulator | None = None
        self.before: list[LedgerTrade] = []

    def run(self) -> int:
        """Starts everything, shows it, stops everything; the exit status."""
        with ExitStack() as cleanup:
            self._claim_directory(cleanup)
            stack = self._start_servers(cleanup)
            environment = stack.environment
            migrate(environment)
            if self.is_simulated:
                self._start_simulator(cleanup)
            self._start_services(environment, cleanup)
            self._wait_until_ready()
            self._show(environment)
            status = self._judge(environment) if self.seconds is not None else 0
            say("stopping ...")
        return status

    def _claim_directory(self, cleanup: ExitStack) -> None:
        """One run per directory; the simulator's exchange starts anew each time, and so does its data."""
        self.directory.parent.mkdir(exist_ok=True)
        lock = cleanup.enter_context(open(f"{self.directory}.lock", "w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise PipelineError(f"{self.directory} is in use by another run") from None
        if self.is_simulated and (self.directory / "stack.json").exists():
            previous = Stack(self.directory)
            previous.stop_servers()
            previous.remove()
        shutil.rmtree(self.logs, ignore_errors=True)

    def _start_servers(self, cleanup: ExitStack) -> Stack:
        started = time.monotonic()
        say("starting Kafka, schema registry and PostgreSQL ...")
        stack = Stack(self.directory, logs=self.logs)
        cleanup.callback(stack.stop)
        stack.start()
        say(f"servers are up after {time.monotonic() - started:.1f} s")
        return stack

    def _start_simulator(self, cleanup: ExitStack) -> None:
        """Trading begins when the services are ready, so that the ledger and the table begin alike."""
        rate = os.environ.get("DEMO_TRADE_RATE", SIMULATOR_TRADE_RATE)
        simulator = Simulator({"SIM_TRADE_RATE": rate}, self.logs / "okx-sim.log")
        cleanup.callback(self._stop, [simulator])
        simulator.start()
        simulator.halt()
        self.simulator = simulator
        self.before = simulator.ledger()

    def _start_services(self, environment: Mapping[str, str], cleanup: ExitStack) -> None:
        exchange = self.simulator.client_environment() if self.simulator else {}
        settings = {**environment, **exchange}
        self.services = {name: Service(name, settings, self.logs / f"{name}.log") for name in SERVICES}
        # The persister last: it can store what the others still hand on.
        cleanup.callback(self._stop, [self.services[name] for name in ("scheduler", "ingestor", "persister")])
        for service in self.services.values():
            service.start()
        if not self.is_simulated and "OKX_API_KEY" not in os.environ:
            say("no OKX_API_KEY: currencies are skipped; trades and candles are public and need none")

    def _stop(self, programs: list[Program]) -> None:
        for problem in stop_in_order(programs):
            say(problem)

    def _wait_until_ready(self) -> None:
        for service in self.services.values():
            service.wait_ready(READY_TIMEOUT_SECONDS)
        if self.simulator:
            self.services["ingestor"].wait_until("subscribed", self._is_subscribed, READY_TIMEOUT_SECONDS)
            self.simulator.resume()
        say("all services are ready")

    def _is_subscribed(self) -> bool:
        """Both ends agree on the subscriptions: nothing that is executed from now on is missed."""
        assert self.simulator is not None
        wanted = self.services["ingestor"].metrics().value("subscriptions")
        return 0 < wanted == self.simulator.stats()["subscriptions"]

    def _show(self, environment: Mapping[str, str]) -> None:
        collector = Collector(self.services, environment)
        title = f"Currency Trends · {'OKX simulator' if self.is_simulated else 'OKX'}"
        figures = Figures()
        with open_display(title, self._hints()) as display:
            while self.seconds is None or figures.elapsed_seconds < self.seconds:
                self._check_alive()
                figures = collector.collect()
                display.show(figures)
                time.sleep(TICK_SECONDS)

    def _check_alive(self) -> None:
        programs: list[Program] = [*self.services.values(), *([self.simulator] if self.simulator else [])]
        for program in programs:
            if not program.is_running():
                raise PipelineError(
                    f"{program.name} ended with status {program.exit_status()}; the end of {program.log}:\n"
                    f"{program.last_lines()}"
                )

    def _hints(self) -> list[str]:
        """How to look further, ready to paste into another terminal."""
        settings = f"set -a; . {(self.directory / 'stack.env').relative_to(REPOSITORY)};"
        urls = "  ".join(f"{service.url}/metrics" for service in self.services.values())
        hints = [
            f"Look further, in {REPOSITORY}:",
            f"  ({settings} psql -c 'TABLE price_changes')",
            f"  ({settings} build/bin/avrocat -t trades -o end)",
            f"  {urls}",
            f"  tail -f {(self.logs / 'ingestor.log').relative_to(REPOSITORY)}",
        ]
        if self.simulator:
            admin = f"http://127.0.0.1:{self.simulator.ports['admin']}"
            hints += [
                "Break something, and see it repaired:",
                f"  curl -X POST {admin}/fault/drop",
                f"  curl -X POST '{admin}/fault/gap?instId=BTC-USDT&count=500'",
            ]
        return hints

    def _judge(self, environment: Mapping[str, str]) -> int:
        if self.simulator is None:
            say(f"stopped after {self.seconds:g} s")
            return 0
        say(f"{self.seconds:g} s are over: trading halts, and the pipeline drains")
        self.simulator.halt()
        verdict = Verdict(self.simulator, environment, self.before)
        verdict.wait_until_drained()
        self._check_alive()
        comparisons = verdict.compare()
        say(f"the simulator executed {verdict.executed():,} trades")
        for comparison in comparisons:
            say(str(comparison))
        is_exact = all(comparison.is_exact() for comparison in comparisons)
        say("ledger, topic and table agree exactly" if is_exact else "FAILED: they do not agree")
        return 0 if is_exact else 1


def say(text: str) -> None:
    """A line for whoever watches."""
    print(f"demo: {text}", flush=True)


def _stop_asked(signal_number: int, frame: FrameType | None) -> None:
    """Ctrl-C, SIGTERM or a closed terminal: once. The clean-up that follows is not interrupted by another."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def _foreground_group() -> Iterator[None]:
    """Takes the terminal for a process group of our own: Ctrl-C is then ours to answer, and does not also kill
    the make that started us, which would report an error for what is a clean end.
    """
    terminal = sys.stdin.fileno() if sys.stdin.isatty() else None
    group = os.getpgrp()
    if terminal is None or os.tcgetpgrp(terminal) != group or group == os.getpid():
        yield
        return
    for number in (signal.SIGTTOU, signal.SIGTSTP):  # a stop would leave make waiting with nobody in front
        signal.signal(number, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(terminal, group)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--okx", choices=("sim", "real"), default="sim", help="where the trades come from")
    options = parser.parse_args()
    try:
        seconds = float(os.environ["DEMO_SECONDS"]) if os.environ.get("DEMO_SECONDS") else None
    except ValueError:
        parser.error(f"DEMO_SECONDS is not a number: {os.environ['DEMO_SECONDS']!r}")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop_asked)
    try:
        with _foreground_group():
            return Demo(options.okx, seconds).run()
    except KeyboardInterrupt:
        say("stopped")
        return 0
    except (PipelineError, StackError) as error:
        say(f"FAILED: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
