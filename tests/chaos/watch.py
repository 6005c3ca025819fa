"""Watches the services while they run: memory, file descriptors, and ends that nobody ordered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline import Service

SAMPLE_SECONDS = 0.5


def status_kib(pid: int, name: str) -> int:
    """A line of /proc/PID/status in KiB; 0 when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name}:")), 0)


def descriptors(pid: int) -> int:
    """How many file descriptors a process has; 0 when it is gone."""
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


class Watch:
    """Samples in a thread of its own, by kind of service."""

    def __init__(self, services: Mapping[str, Service], down: Callable[[], set[str]]) -> None:
        self._services = services
        self._down = down
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.peak_kib: dict[str, int] = {}
        self.peak_descriptors: dict[str, int] = {}
        self._dead: dict[str, int] = {}

    def start(self) -> None:
        """Begins to sample."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def deaths(self) -> list[str]:
        """Services that ended by themselves since the last call."""
        dead, self._dead = self._dead, {}
        return [f"{name} ended by itself with status {status}" for name, status in dead.items()]

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            for name, service in self._services.items():
                self._sample(name, service)

    def _sample(self, name: str, service: Service) -> None:
        status = service.exit_status()
        if status is not None:
            if name not in self._down():
                self._dead[name] = status
            return
        kind = service.name
        peak = status_kib(service.pid, "VmHWM")
        self.peak_kib[kind] = max(self.peak_kib.get(kind, 0), peak)
        count = descriptors(service.pid)
        self.peak_descriptors[kind] = max(self.peak_descriptors.get(kind, 0), count)
