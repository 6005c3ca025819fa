"""The machine under the benchmark: what it is, what others take of it, and what a process used."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 1.0
QUIET_SHARE = 0.05
BUSY_SHARE = 0.25


def cpu_seconds(pid: int) -> float:
    """User and system time of a process's threads so far, in nanoseconds' resolution where the kernel counts so."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def resident_bytes(pid: int) -> int:
    """What a process occupies, as ps shows it."""
    return _status_kilobytes(pid, "VmRSS") * 1024


def peak_resident_bytes(pid: int) -> int:
    """The most that a process has occupied."""
    return _status_kilobytes(pid, "VmHWM") * 1024


def _status_kilobytes(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise ValueError(f"no {name} of process {pid}")


def _busy_ticks() -> int:
    """All CPUs' ticks that were not idle."""
    fields = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4]


def _family_ticks(root: int) -> int:
    """Ticks of a process and all that descend from it, the ended children that were waited for included."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        fields = stat[stat.rindex(")") + 2 :].split()
        parents[int(entry.name)] = int(fields[1])
        ticks[int(entry.name)] = sum(int(each) for each in fields[11:15])
    total = 0
    for pid in ticks:
        ancestor = pid
        while ancestor not in (root, 0, 1):
            ancestor = parents.get(ancestor, 0)
        total += ticks[pid] if ancestor == root else 0
    return total


@dataclass
class Machine:
    """Watches how much of the CPUs other people's programs take."""

    shares: list[float] = field(default_factory=list)  # of all CPUs, 0 to 1

    def watch_others(self, seconds: float = SAMPLE_SECONDS) -> float:
        """Looks for a moment while the benchmark itself rests; the share of the CPUs that others used."""
        ours, all_busy, started = _family_ticks(os.getpid()), _busy_ticks(), time.monotonic()
        time.sleep(seconds)
        busy = _busy_ticks() - all_busy - (_family_ticks(os.getpid()) - ours)
        available = (time.monotonic() - started) * TICKS_PER_SECOND * (os.cpu_count() or 1)
        share = min(1.0, max(0.0, busy / available))
        self.shares.append(share)
        return share

    def verdict(self) -> str:
        """A sentence for the head of the table."""
        if not self.shares:
            return "The machine's load was not looked at."
        middle = median(self.shares)
        word = "quiet" if middle < QUIET_SHARE else "in use" if middle < BUSY_SHARE else "BUSY: trust ratios only"
        return (
            f"Others used {middle:.0%} of the CPUs (median; {min(self.shares):.0%} to {max(self.shares):.0%}, "
            f"looked at {len(self.shares)} times between rounds): {word}."
        )

    def as_json(self) -> dict[str, Any]:
        """What it is and how loaded it was."""
        return {
            "system": description(),
            "load_average": os.getloadavg(),
            "others_share": self.shares,
        }


def description() -> str:
    """CPU, memory, system."""
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    gigabytes = int(memory.split()[1]) / 1024**2
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line
    )["PRETTY_NAME"].strip('"')
    return f"{os.cpu_count()} × {_cpu_model()}, {gigabytes:.0f} GiB, {release}, Linux {platform.release()}"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def wait_steady(read: Callable[[], float], timeout_seconds: float, quiet_seconds: float = 1.0) -> float:
    """Waits until a value has not changed for a while; the value, also when the time is up."""
    deadline = time.monotonic() + timeout_seconds
    value, since = read(), time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < quiet_seconds:
        time.sleep(0.05)
        now = read()
        if now != value:
            value, since = now, time.monotonic()
    return value
