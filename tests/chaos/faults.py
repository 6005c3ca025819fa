"""What a fault is, and which there are.

A fault is a generator: up to its one `yield` it injects itself and makes sure that it happened (NotSeen otherwise),
yielding what proved it; behind the yield it is taken back. It cleans up in `finally`, whatever comes between.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from random import Random

from world import World

RECOVERY_SECONDS = 30
RESTART_SECONDS = 10
EVERYTHING = "everything"  # touched by a fault that goes with no other

Run = Callable[[World, Random], Generator[str, None, None]]


@dataclass(frozen=True)
class Fault:
    """A kind of fault, under the name that FAULTS= knows."""

    name: str
    run: Run
    touches: frozenset[str]  # two faults that touch the same thing are not let loose together
    limit_seconds: float  # to recover, from the end of the fault
    needs_namespace: bool
    needs_clock: bool
    profile: str  # "short": in every profile; "long": only in the long one

    def reason_to_skip(self, world: World) -> str | None:
        """Why it cannot be injected here; None if it can."""
        if self.needs_namespace and not world.isolation.is_private:
            return "needs root, for namespaces of its own"
        if self.needs_clock and not world.isolation.has_clocks:
            return "the clock library is not built, or the services are sanitized"
        return None


FAULTS: dict[str, Fault] = {}


def fault(
    name: str,
    *touches: str,
    limit: float = RECOVERY_SECONDS,
    needs_namespace: bool = False,
    needs_clock: bool = False,
    profile: str = "short",
) -> Callable[[Run], Run]:
    """Registers a kind of fault."""

    def register(run: Run) -> Run:
        FAULTS[name] = Fault(name, run, frozenset(touches), limit, needs_namespace, needs_clock, profile)
        return run

    return register


def can_go_together(one: Fault, other: Fault) -> bool:
    """Whether two faults may happen at the same time."""
    return not one.touches & other.touches and EVERYTHING not in one.touches | other.touches
