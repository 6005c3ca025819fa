"""Processes of the local stack: started in sessions of their own, recognised again later, and ended exactly."""

from __future__ import annotations

import os
import pwd
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.05
LISTEN_PORTS = (20000, 32768)
_given_ports: set[int] = set()


@dataclass(frozen=True)
class ProcessId:
    """A pid alone may belong to somebody else by tomorrow; with the start time it names one process for ever."""

    pid: int
    start_ticks: int

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """Names the process `pid`, which may have ended and wait to be collected; ProcessLookupError if there is none."""
        found = _state_and_start(pid)
        if found is None:
            raise ProcessLookupError(f"no process {pid}")
        return cls(pid, found[1])

    def is_alive(self) -> bool:
        """True while the process runs; collects it first if it is a child of ours that ended."""
        try:
            os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pass
        found = _state_and_start(self.pid)
        return found is not None and found[0] not in "ZX" and found[1] == self.start_ticks

    def send(self, signal_number: int) -> None:
        """Signals the process, unless it has ended."""
        if self.is_alive():
            try:
                os.kill(self.pid, signal_number)
            except ProcessLookupError:
                pass


def _state_and_start(pid: int) -> tuple[str, int] | None:
    """The state letter of a process and its start time in clock ticks since boot; None for none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2 :].split()  # the name before ')' may hold spaces
    return fields[0], int(fields[19])


def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    dies_with_parent: bool = True,
    death_signal: str = "TERM",
) -> ProcessId:
    """Starts a server that survives Ctrl-C (its session is its own) but, if wanted, not its parent.

    Call it from the main thread: the kernel sends the death signal when the thread that started the process ends.
    """
    command = as_user(argv, user, death_signal if dies_with_parent else None)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=None if env is None else {**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = ProcessId.of(child.pid)
    child.returncode = 0  # is_alive() collects it; Popen must not warn about a child left behind
    return process


def as_user(argv: Sequence[str], user: str | None, death_signal: str | None = None) -> list[str]:
    """The command run as another user (None: as we are), ended by death_signal when its parent ends."""
    options: list[str] = []
    if user is not None:
        account = pwd.getpwnam(user)
        options += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    if death_signal is not None:
        options += ["--pdeathsig", death_signal]
    return ["setpriv", *options, "--", *argv] if options else list(argv)


def end(processes: Iterable[tuple[ProcessId, int]], grace_seconds: float) -> None:
    """Ends the processes together: each gets its signal, and SIGKILL when the grace is over."""
    targets = list(processes)
    for process, signal_number in targets:
        process.send(signal_number)

    def have_ended() -> bool:
        return not any(process.is_alive() for process, _ in targets)

    if not wait_for(have_ended, grace_seconds):
        for process, _ in targets:
            process.send(signal.SIGKILL)
        wait_for(have_ended, 10)


def wait_for(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    """Polls until the condition holds; False when it does not within the time."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on now, below those that the kernel gives to outgoing connections.

    None is given out twice: whoever asked for it may not have started to listen yet.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(*LISTEN_PORTS)
        if port not in _given_ports and _can_listen_on(port):
            _given_ports.add(port)
            ports.append(port)
    return ports


def _can_listen_on(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def accepts_connections(port: int) -> bool:
    """True when somebody listens on the loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
