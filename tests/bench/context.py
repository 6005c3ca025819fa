"""What every figure works with: the servers, rounds, pipelines of the real programs, and the yardsticks."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tools/stack"), str(REPOSITORY / "tests/e2e")]

from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402
from harness import Pipeline  # noqa: E402
from machine import Machine  # noqa: E402
from stack import Stack  # noqa: E402

RESULTS = REPOSITORY / "build/bench"
PROGRAMS = RESULTS / "bin"
PARTITIONS = 12


class Bench:
    """Handed to each figure's run()."""

    def __init__(self, stack: Stack, machine: Machine, *, is_quick: bool) -> None:
        self.stack = stack
        self.machine = machine
        self.is_quick = is_quick
        self.admin = AdminClient({"bootstrap.servers": self.brokers})

    @property
    def brokers(self) -> str:
        """bootstrap.servers of the stack."""
        return self.stack.environment["KAFKA_BOOTSTRAP_SERVERS"]

    def rounds(self, full: int = 5, quick: int = 2) -> Iterator[int]:
        """The numbers of the rounds. Within one, measure limit and product one after the other."""
        for number in range(quick if self.is_quick else full):
            share = self.machine.watch_others()
            self.say(f"round {number + 1}, others use {share:.0%} of the CPUs")
            yield number

    def pick(self, full: int, quick: int) -> int:
        """A size, smaller in the quick form."""
        return quick if self.is_quick else full

    def say(self, text: str) -> None:
        """Progress, on stderr: stdout holds the table."""
        print(f"bench: {text}", file=sys.stderr, flush=True)

    @contextmanager
    def pipeline(self, name: str, **settings: str) -> Iterator[Pipeline]:
        """The real programs with a topic prefix and a database of their own, ended afterwards."""
        made = Pipeline(self.stack, f"bench-{name}", RESULTS / "logs" / name)
        made.settings |= {"TOPIC_PARTITIONS": str(PARTITIONS), **settings}
        try:
            yield made
        finally:
            made.close()
            self._drop_topics(made.settings["TOPIC_PREFIX"])

    @contextmanager
    def topic(self, partitions: int = PARTITIONS) -> Iterator[str]:
        """A topic for a yardstick, gone afterwards."""
        name = f"bench.{uuid.uuid4().hex[:8]}"
        for made in self.admin.create_topics([NewTopic(name, partitions, 1)]).values():
            made.result()
        try:
            yield name
        finally:
            self._drop_topics(name)

    def _drop_topics(self, prefix: str) -> None:
        """The disk must not fill with what was measured."""
        names = [name for name in self.admin.list_topics(timeout=10).topics if name.startswith(prefix)]
        if names:
            for dropped in self.admin.delete_topics(names).values():
                dropped.result()

    def start_yardstick(
        self, name: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """A program of tests/bench; it dies with us. Its results are JSON on stdout."""
        command = ["setpriv", "--pdeathsig", "TERM", "--", str(PROGRAMS / name), *arguments]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, env=environment
        )

    def yardstick(
        self,
        name: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        timeout_seconds: float = 120,
    ) -> dict[str, Any]:
        """Runs such a program to its end; its results."""
        return results_of(self.start_yardstick(name, *arguments, environment=environment), timeout_seconds)


def results_of(program: subprocess.Popen[str], timeout_seconds: float = 120) -> dict[str, Any]:
    """The last line that a yardstick has printed, once it has ended well."""
    try:
        output, _ = program.communicate(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        program.kill()
        program.communicate()
        raise
    if program.returncode != 0:
        raise RuntimeError(f"{program.args} ended with {program.returncode}")
    return json.loads(output.splitlines()[-1])
