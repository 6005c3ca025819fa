"""The stack itself: exactly its own processes, and none left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
from harness import eventually
from pipeline import REPOSITORY
from processes import ProcessId, accepts_connections, free_ports, wait_for
from stack import Stack

STACK = [sys.executable, str(REPOSITORY / "tools/stack/stack.py")]


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*STACK, *map(str, arguments)], capture_output=True, text=True, timeout=120)


def test_up_leaves_servers_that_down_ends(tmp_path: Path) -> None:
    directory = tmp_path / "stack"
    assert command("up", "--dir", directory).returncode == 0
    try:
        lines = (directory / "stack.env").read_text().splitlines()
        environment = dict(line.split("=", 1) for line in lines)
        assert (directory / "stack.env").stat().st_mode & 0o077 == 0
        conninfo = psycopg.conninfo.make_conninfo(
            host=environment["PGHOST"],
            port=environment["PGPORT"],
            dbname=environment["PGDATABASE"],
            user=environment["PGUSER"],
            password=environment["PGPASSWORD"],
        )
        with psycopg.connect(conninfo) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert command("status", "--dir", directory).returncode == 0
        processes = list(Stack(directory).processes().values())
        assert len(processes) == 3
    finally:
        assert command("down", "--dir", directory).returncode == 0
    assert not [process for process in processes if process.is_alive()]
    assert command("status", "--dir", directory).returncode == 1
    assert command("down", "--dir", directory, "--remove").returncode == 0
    assert not directory.exists()


def test_run_hands_on_the_exit_status_and_leaves_nothing(tmp_path: Path) -> None:
    script = 'echo "$STACK_DIR"; test -n "$KAFKA_BOOTSTRAP_SERVERS" && test -n "$SCHEMA_REGISTRY_URL" && exit 7'
    done = command("run", "--fast", "--logs", tmp_path / "logs", "--", "bash", "-c", script)
    assert done.returncode == 7
    assert not Path(done.stdout.strip()).exists()
    assert {log.name for log in (tmp_path / "logs").iterdir()} == {"kafka-1.log", "registry.log", "postgres.log"}


def test_servers_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    directory = tmp_path / "stack"
    runner = subprocess.Popen([*STACK, "run", "--fast", "--dir", str(directory), "--", "sleep", "600"])
    try:
        assert wait_for((directory / "stack.env").exists, 90)
        processes = list(Stack(directory).processes().values())
        assert len(processes) == 3
    finally:
        runner.send_signal(signal.SIGKILL)
        runner.wait()
    eventually("no server is left", lambda: not [each for each in processes if each.is_alive()], 30)
    Stack(directory).remove()


def test_one_server_is_taken_away_and_brought_back_on_its_port_and_data() -> None:
    with Stack(is_fast=True) as stack:
        for name, port in (("postgres", stack.postgres.port), ("registry", stack.registry.port)):
            before = stack.processes()[name]
            stack.kill_server(name)
            assert not accepts_connections(port)
            stack.start_server(name)
            assert accepts_connections(port)
            assert stack.processes()[name] != before
        before = stack.processes()["kafka-1"]
        stack.restart_server("kafka-1")
        assert stack.processes()["kafka-1"] != before


def test_a_registry_that_ends_while_starting_is_started_again() -> None:
    with Stack(is_fast=True) as stack, ThreadPoolExecutor(1) as pool:
        stack.stop_server("registry")
        started = pool.submit(stack.start_server, "registry")
        eventually("it is starting", lambda: "registry" in stack.processes())
        first = stack.processes()["registry"]
        os.kill(first.pid, signal.SIGKILL)
        started.result()
        assert stack.processes()["registry"] != first
        assert accepts_connections(stack.registry.port)


def test_a_port_that_is_taken_meanwhile_is_replaced() -> None:
    stack = Stack(is_fast=True)
    try:
        wanted = stack.postgres.port
        with socket.create_server(("127.0.0.1", wanted)):
            stack.start()
            assert stack.postgres.port != wanted
            assert accepts_connections(stack.postgres.port)
    finally:
        stack.stop()


def test_a_process_is_recognised_by_more_than_its_pid() -> None:
    me = ProcessId.of(os.getpid())
    assert me.is_alive()
    assert not ProcessId(me.pid, me.start_ticks + 1).is_alive()


def test_free_ports_differ_and_are_free() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert not any(accepts_connections(port) for port in ports)
