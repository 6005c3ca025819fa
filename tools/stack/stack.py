#!/usr/bin/env python3
"""A real Kafka, schema registry and PostgreSQL on this machine, without Docker.

Everything lives under one private directory and listens on free loopback ports.
`up` leaves the servers running and writes DIR/stack.env; `down` ends exactly those;
`run` starts them for one command and ends them with it, however it ends.
"""

from __future__ import annotations

import argparse
import base64
import ctypes
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

sys.path.insert(0, str(Path(__file__).resolve().parent))
from processes import POLL_SECONDS, ProcessId, accepts_connections, as_user, end, free_ports, spawn, wait_for  # noqa: E402
from servers import Broker, KafkaCluster, PostgreSql, Registry, Security, Server, StackError  # noqa: E402

START_TIMEOUT_SECONDS = 180  # a busy machine takes a minute for what takes six seconds elsewhere
STOP_GRACE_SECONDS = 15
COMMAND_GRACE_SECONDS = 30
PORT_RELEASE_SECONDS = 10
PORT_ATTEMPTS = 3
PORT_TAKEN = ("Address already in use", "could not bind", "already in use", "BindException")


class _ServerEnded(StackError):
    """A server ended before it was ready; start() tries other ports when that was the reason."""


class Stack:
    """The servers of one directory. As a context manager it starts and stops them.

    Without a directory it makes a private one, and removes it when it is stopped.
    With dies_with_parent the kernel ends the servers if this process is killed.
    postgres_settings go on top of those of postgresql.conf and of is_fast.
    With security clients need accounts, which its owner makes; environment names none of Kafka's.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        brokers: int = 1,
        is_fast: bool = False,
        dies_with_parent: bool = True,
        logs: Path | None = None,
        postgres_settings: Mapping[str, str] | None = None,
        security: Security | None = None,
    ) -> None:
        self.is_temporary = directory is None
        self.directory = (directory or Path(tempfile.mkdtemp(prefix="currency-trends-"))).resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:  # PostgreSQL runs as another user and must walk through
            self.directory.chmod(self.directory.stat().st_mode | 0o011)
        self.logs = logs.resolve() if logs else self.directory / "logs"
        self.dies_with_parent = dies_with_parent
        self.is_fast = is_fast
        self.postgres_settings = postgres_settings or {}
        self.security = security
        self._state_file = self.directory / "stack.json"
        self._state = self._load_state(brokers)
        self._log_offsets: dict[str, int] = {}
        self.servers: dict[str, Server] = {}
        self._define_servers()

    # --- the whole stack -------------------------------------------------------------------------

    def start(self) -> Stack:
        """Starts what is not running; returns when every server is ready."""
        for attempts_left in reversed(range(PORT_ATTEMPTS)):
            try:
                self._start_all()
            except _ServerEnded as error:
                self.stop_servers(grace_seconds=2)
                if attempts_left == 0 or not any(sign in str(error) for sign in PORT_TAKEN):
                    raise
                self._state["ports"] = _choose_ports(len(self._brokers()))
                self._define_servers()
            except BaseException:
                self.stop_servers(grace_seconds=2)
                raise
            else:
                break
        self._write_environment()
        return self

    def stop(self) -> None:
        """Ends the servers; with a directory of its own, the data goes too and needs no orderly end."""
        self.stop_servers(grace_seconds=2 if self.is_temporary else STOP_GRACE_SECONDS)
        if self.is_temporary:
            self.remove()

    def stop_servers(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Ends every server that this directory's record names, and keeps the data."""
        targets = [(process, self.servers[name].stop_signal) for name, process in self.processes().items()]
        end(targets, grace_seconds)
        for name in self.servers:
            self._forget(name)

    def remove(self) -> None:
        """Deletes the data of a stopped stack."""
        for server in self.servers.values():
            shutil.rmtree(server.directory, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a client of the stack needs, under the names that our programs read."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "SCHEMA_REGISTRY_URL": self.registry.url,
            "TOPIC_REPLICATION_FACTOR": str(self.kafka.replication_factor),
            **self.postgres.client_environment(),
        }

    # --- one server, for tests that take one away --------------------------------------------------

    def start_server(self, name: str) -> None:
        """Starts one server on its old port and data, and waits until it is ready."""
        self.start_servers([name])

    def start_servers(self, names: list[str]) -> None:
        """The same for several at once: a broker alone is not ready before most of the others are there."""
        for name in names:
            self.servers[name].prepare()
            self._spawn(name)
        self._wait_until_ready(names)

    def stop_server(self, name: str, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Ends one server in an orderly way."""
        self.end_server(name, self.servers[name].stop_signal, grace_seconds)

    def kill_server(self, name: str) -> None:
        """Ends one server as a crash would."""
        self.end_server(name, signal.SIGKILL)

    def end_server(self, name: str, signal_number: int, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Ends one server by a signal; SIGKILL follows when the grace is over."""
        process = self.processes().get(name)
        if process is not None:
            end([(process, signal_number)], grace_seconds)
            # PostgreSQL's children hold the port a moment longer than a server that was killed.
            wait_for(lambda: not accepts_connections(self.servers[name].listen_port), PORT_RELEASE_SECONDS)
        self._forget(name)

    def restart_server(self, name: str) -> None:
        """Stops and starts one server."""
        self.stop_server(name)
        self.start_server(name)

    def processes(self) -> dict[str, ProcessId]:
        """The servers that run now."""
        recorded = {name: ProcessId(*pair) for name, pair in self._state["processes"].items()}
        return {name: process for name, process in recorded.items() if process.is_alive()}

    def __enter__(self) -> Stack:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- how ---------------------------------------------------------------------------------------

    def _load_state(self, brokers: int) -> dict:
        """What must outlive this process: ports, cluster id, password, and which processes are ours."""
        if self._state_file.exists():
            return json.loads(self._state_file.read_text())
        return {
            "cluster_id": base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "_"),
            "password": secrets.token_urlsafe(12),
            "ports": _choose_ports(brokers),
            "processes": {},
        }

    def _save_state(self) -> None:
        _write_private(self._state_file, json.dumps(self._state, indent=1))

    def _brokers(self) -> dict[int, tuple[int, int]]:
        return {node: tuple(pair) for node, pair in enumerate(self._state["ports"]["kafka"], start=1)}

    def _define_servers(self) -> None:
        ports = self._state["ports"]
        self.kafka = KafkaCluster(self._state["cluster_id"], self._brokers(), self.directory, self.security)
        self.registry = Registry(self.directory / "registry", self.logs / "registry.log", ports["registry"])
        self.postgres = PostgreSql(
            self.directory / "postgres",
            self.logs / "postgres.log",
            ports["postgres"],
            self._state["password"],
            is_fast=self.is_fast,
            settings=self.postgres_settings,
            security=self.security,
        )
        brokers = [
            Broker(node, self.directory / f"kafka-{node}", self.logs / f"kafka-{node}.log", self.kafka)
            for node in self.kafka.ports
        ]
        self.servers = {server.name: server for server in (*brokers, self.registry, self.postgres)}

    def _start_all(self) -> None:
        """Prepares the servers side by side and starts each as soon as it is prepared."""
        missing = [name for name in self.servers if name not in self.processes()]
        with ThreadPoolExecutor(len(self.servers)) as pool:
            prepared: dict[Future[None], str] = {pool.submit(self.servers[n].prepare): n for n in missing}
            for future in as_completed(prepared):
                future.result()
                self._spawn(prepared[future])
        self._wait_until_ready(missing)

    def _spawn(self, name: str) -> None:
        server = self.servers[name]
        self._log_offsets[name] = server.log.stat().st_size if server.log.exists() else 0
        process = spawn(
            server.command(),
            log=server.log,
            cwd=server.directory,
            env=server.environment(),
            user=server.user,
            dies_with_parent=self.dies_with_parent,
            death_signal=signal.Signals(server.stop_signal).name.removeprefix("SIG"),
        )
        self._state["processes"][name] = [process.pid, process.start_ticks]
        self._save_state()

    def _wait_until_ready(self, names: list[str]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        for name in names:
            server = self.servers[name]
            starts = 1
            while not server.is_ready(self._output_since_start(name)):
                if name not in self.processes():
                    if starts == server.starts_at_most:
                        raise _ServerEnded(f"{name} ended while starting:\n{self._last_lines(name)}")
                    starts += 1
                    self._spawn(name)
                if time.monotonic() > deadline:
                    raise StackError(f"{name} is not ready in time:\n{self._last_lines(name)}")
                time.sleep(POLL_SECONDS)
            server.after_ready()

    def _output_since_start(self, name: str) -> str:
        with self.servers[name].log.open("rb") as log:
            log.seek(self._log_offsets[name])
            return log.read().decode(errors="replace")

    def _last_lines(self, name: str) -> str:
        return "\n".join(self._output_since_start(name).splitlines()[-15:])

    def _forget(self, name: str) -> None:
        if self._state["processes"].pop(name, None) is not None:
            self._save_state()

    def _write_environment(self) -> None:
        lines = "".join(f"{name}={value}\n" for name, value in self.environment.items())
        _write_private(self.directory / "stack.env", lines)


def _choose_ports(brokers: int) -> dict:
    ports = free_ports(2 * brokers + 2)
    return {
        "registry": ports[0],
        "postgres": ports[1],
        "kafka": [[ports[2 + 2 * node], ports[3 + 2 * node]] for node in range(brokers)],
    }


def _write_private(path: Path, text: str) -> None:
    """Replaces a file in one step, readable by its owner alone: it may hold the password."""
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


# --- commands ------------------------------------------------------------------------------------------


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Two `up` at once in one directory would start everything twice."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def command_up(options: argparse.Namespace) -> int:
    """Starts the servers and leaves them running."""
    with _locked(options.dir):
        stack = Stack(options.dir, brokers=options.brokers, is_fast=options.fast, dies_with_parent=False)
        stack.start()
    print(f"ready: {stack.directory / 'stack.env'}")
    return 0


def command_down(options: argparse.Namespace) -> int:
    """Ends what `up` started."""
    if not (options.dir / "stack.json").exists():
        print(f"nothing was started in {options.dir}")
        return 0
    with _locked(options.dir):
        stack = Stack(options.dir)
        stack.stop_servers()
        if options.remove:
            stack.remove()
    return 0


def command_status(options: argparse.Namespace) -> int:
    """One line per server; fails unless all run."""
    if not (options.dir / "stack.json").exists():
        print(f"nothing was started in {options.dir}")
        return 1
    stack = Stack(options.dir)
    running = stack.processes()
    for name in stack.servers:
        print(f"{name:10} {f'running, pid {running[name].pid}' if name in running else 'stopped'}")
    return 0 if len(running) == len(stack.servers) else 1


def command_run(options: argparse.Namespace) -> int:
    """Runs a command with the stack's environment; its exit status is ours."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: if who called us is killed, clean up
    _on_stop_signals(_raise_exit)
    stack = Stack(options.dir, brokers=options.brokers, is_fast=options.fast, logs=options.logs)
    try:
        stack.start()
        return _run_command(options.command, {**os.environ, **stack.environment, "STACK_DIR": str(stack.directory)})
    finally:
        _on_stop_signals(signal.SIG_IGN)  # a second Ctrl-C must not leave half of the servers
        stack.stop()


def _on_stop_signals(action: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, action)


def _raise_exit(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)


def _run_command(command: list[str], environment: dict[str, str]) -> int:
    try:
        child = subprocess.Popen(as_user(command, None, "TERM"), env=environment)
    except OSError as error:
        raise StackError(f"cannot run {command[0]}: {error.strerror}") from error
    try:
        status = child.wait()
    except SystemExit as stop:  # the command gets the chance to end by itself; Ctrl-C has reached it already
        if stop.code != 128 + signal.SIGINT:
            child.send_signal(signal.SIGTERM)
        raise
    finally:
        if not wait_for(lambda: child.poll() is not None, COMMAND_GRACE_SECONDS):
            child.kill()
            child.wait()
    return status if status >= 0 else 128 - status


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line; `run` takes everything after -- as the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, action: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=(action.__doc__ or "").strip())
        command.set_defaults(action=action)
        command.add_argument("--dir", type=Path, required=name != "run", help="where data, logs and settings live")
        if name in ("up", "run"):
            command.add_argument("--brokers", type=int, default=1, choices=range(1, 6), metavar="1-5")
            command.add_argument("--fast", action="store_true", help="PostgreSQL without fsync: a crash may lose data")
        return command

    add("up", command_up)
    add("down", command_down).add_argument("--remove", action="store_true", help="delete the data as well")
    add("status", command_status)
    run = add("run", command_run)
    run.add_argument("--logs", type=Path, help="write the servers' logs here")
    run.add_argument("command", nargs="+", metavar="CMD")
    return parser.parse_args(arguments)


def main() -> int:
    options = parse_arguments(sys.argv[1:])
    try:
        return options.action(options)
    except StackError as error:
        print(f"stack: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
