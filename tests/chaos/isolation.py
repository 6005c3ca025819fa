"""A network and a mount namespace of the run's own: rules on links, names and file systems that harm nobody else."""

from __future__ import annotations

import os
import pwd
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HOST = "world.chaos.test"  # what the services call the exchange, the registry and PostgreSQL
MARK = "CHAOS_NAMESPACE"


class Isolation:
    """What the namespaces allow; without root there are none, and the faults that need them are skipped."""

    def __init__(self, clock_library: Path | None) -> None:
        self.is_private = os.environ.get(MARK) == "1" and shutil.which("iptables") is not None
        self._directory = Path(tempfile.mkdtemp(prefix="currency-trends-chaos-"))
        self._directory.chmod(0o711)
        self._clock_library = clock_library if clock_library and clock_library.exists() else None
        self.host = "127.0.0.1"
        if self.is_private:
            self._own_names()
            self.host = HOST

    # --- links -----------------------------------------------------------------------------------------

    def add_rules(self, rules: list[list[str]]) -> None:
        """Appends rules to the chain that every packet passes."""
        for rule in rules:
            _iptables("-A", "INPUT", *rule)

    def drop_rules(self, rules: list[list[str]]) -> None:
        """Takes rules back."""
        for rule in rules:
            _iptables("-D", "INPUT", *rule)

    def dropped(self) -> int:
        """Packets that rules have stopped since they were added."""
        total = 0
        for line in _iptables("-L", "INPUT", "-v", "-x", "-n").splitlines():
            parts = line.split()
            if len(parts) > 2 and parts[2] in ("DROP", "REJECT"):
                total += int(parts[0])
        return total

    # --- names -----------------------------------------------------------------------------------------

    def _own_names(self) -> None:
        """Binds /etc/hosts and /etc/resolv.conf to files of ours; the binding ends with the namespace."""
        self._hosts = self._directory / "hosts"
        resolv = self._directory / "resolv.conf"
        self.set_name_known(True)
        resolv.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        for ours, theirs in ((self._hosts, "/etc/hosts"), (resolv, "/etc/resolv.conf")):
            subprocess.run(["mount", "--bind", str(ours), theirs], check=True)

    def set_name_known(self, is_known: bool) -> None:
        """Whether the name resolves. The file is written in place: it is bound by its inode."""
        text = "127.0.0.1 localhost\n" + (f"127.0.0.1 {HOST}\n" if is_known else "")
        with self._hosts.open("r+" if self._hosts.exists() else "w") as hosts:
            hosts.truncate(0)
            hosts.write(text)

    # --- file systems ------------------------------------------------------------------------------------

    def small_disk(self, kib: int, owner: str) -> Path:
        """A file system of that size."""
        directory = Path(tempfile.mkdtemp(prefix="small-", dir=self._directory))
        options = f"size={kib}k,mode=700,uid={_uid(owner)}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(directory)], check=True)
        return directory

    def remove_disk(self, directory: Path) -> None:
        """Unmounts it."""
        subprocess.run(["umount", "--lazy", str(directory)], check=True)

    # --- clocks --------------------------------------------------------------------------------------------

    @property
    def has_clocks(self) -> bool:
        """Whether the services' clocks can be stepped."""
        return self._clock_library is not None

    def clock_environment(self, name: str) -> dict[str, str]:
        """What makes a service see a clock of its own."""
        if self._clock_library is None:
            return {}
        self.step_clock(name, 0)
        return {"LD_PRELOAD": str(self._clock_library), "CLOCK_STEP_FILE": str(self._clock_file(name))}

    def step_clock(self, name: str, seconds: int) -> None:
        """Sets how far the wall clock of a service is off."""
        path = self._clock_file(name)
        with path.open("r+b" if path.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))

    def _clock_file(self, name: str) -> Path:
        return self._directory / f"clock-{name}"


def enter_namespaces() -> None:
    """Starts this program again within namespaces of its own, if it may; returns otherwise, and within them."""
    if os.environ.get(MARK) == "1" or os.geteuid() != 0:
        return
    probe = subprocess.run(["unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"], capture_output=True)
    if probe.returncode != 0:
        return
    script = 'ip link set lo up && exec "$@"'
    command = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
    os.environ[MARK] = "1"
    os.execvp("unshare", [*command, sys.executable, *sys.argv])


def _iptables(*arguments: str) -> str:
    done = subprocess.run(["iptables", "-w", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"iptables {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def _uid(owner: str) -> int:
    return pwd.getpwnam(owner).pw_uid
