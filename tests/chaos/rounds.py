"""Rounds: a fault (or two) strikes, is taken back, and then everything that was executed must be where it belongs."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

import psycopg
from checker import Findings, judge_letters
from confluent_kafka import KafkaException
from faults import EVERYTHING, Fault, can_go_together
from mutations import unseen_mutations
from pipeline import PipelineError
from servers import StackError
from world import NotSeen, World

PAIR_SECONDS = 60  # to recover from several faults at once
PATIENCE_SECONDS = 180  # how long a recovery that is over its limit is watched
SETTLE_SECONDS = 60  # until a hole that OKX cannot fill is listed as such
POLL_SECONDS = 0.2
QUIET_SECONDS = 1.0
NOT_SEEN = "not seen:"
PAIR_SHARE = 0.25  # of the rounds, at least
# What asking somebody raises who is away.
AWAY = (OSError, psycopg.Error, KafkaException, PipelineError, StackError)


@dataclass
class Round:
    """What became of one round."""

    number: int
    faults: list[str]
    verdict: str = "passed"  # passed, failed, void
    evidence: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    limit_seconds: float = 0
    fault_seconds: float = 0
    recovery_seconds: float = 0
    records: int = 0
    lost: int = 0
    duplicated: int = 0
    phantom: int = 0
    different: int = 0
    disordered: int = 0
    repeated: int = 0

    def take(self, found: Findings) -> None:
        """Adds what a judge found."""
        for kind in ("lost", "duplicated", "phantom", "different", "disordered", "repeated"):
            setattr(self, kind, getattr(self, kind) + getattr(found, kind))
        if not found.is_clean():
            self.problems += [str(found), *found.examples]

    def seen(self) -> list[str]:
        """The faults that were seen to happen."""
        told = zip(self.faults, self.evidence, strict=False)  # behind one that was not seen, none was injected
        return [name for name, text in told if not text.startswith(NOT_SEEN)]

    def as_json(self) -> dict[str, Any]:
        """For the record."""
        return asdict(self)


def draw(faults: list[Fault], rounds: int, random: Random) -> Iterator[list[Fault]]:
    """The faults of each round: every kind in turn, in a random order, some in pairs.

    In as many rounds as there are twice the kinds, each comes at least three times.
    """
    wanted = min(3 * len(faults), rounds * 3 // 2)
    deck: list[Fault] = []
    drawn = 0
    for number in range(rounds):
        if len(deck) < 2:
            deck += random.sample(faults, len(faults))
        chosen = [deck.pop(0)]
        partner = next((each for each in deck if can_go_together(chosen[0], each)), None)
        if partner is not None and (wanted - drawn > rounds - number or random.random() < PAIR_SHARE):
            deck.remove(partner)
            chosen.append(partner)
        drawn += len(chosen)
        yield chosen


class Referee:
    """Plays rounds in a world and judges them."""

    def __init__(self, world: World, random: Random) -> None:
        self.world = world
        self.random = random
        self.expected_poison: list[bytes] = []

    def play(self, number: int, faults: list[Fault]) -> Round:
        """One round, from the fault to the verdict."""
        world = self.world
        result = Round(number, [each.name for each in faults])
        result.limit_seconds = faults[0].limit_seconds if len(faults) == 1 else PAIR_SECONDS
        poison, frames = len(world.poison), world.bad_frames
        started = time.monotonic()
        is_void = not self._strike(faults, result)
        result.fault_seconds = time.monotonic() - started
        self._recover(result)
        self._judge(result, faults, world.poison[poison:], world.bad_frames - frames)
        result.problems += world.unmet() + world.problems + world.watch.deaths() + list(world.reports())
        world.problems, world.lost_trades = [], 0
        if result.problems:
            result.verdict = "failed"
        elif is_void:
            result.verdict = "void"
        return result

    def _strike(self, faults: list[Fault], result: Round) -> bool:
        """Injects the faults one after the other, sees them happen, takes them back; False if one was not seen."""
        running: list[tuple[str, Generator[str, None, None]]] = []
        is_seen = True
        for fault in faults:
            running.append((fault.name, fault.run(self.world, self.random)))
            try:
                result.evidence.append(next(running[-1][1]))
            except (NotSeen, *AWAY) as error:
                result.evidence.append(f"{NOT_SEEN} {error!r}")
                is_seen = False
                break
        for name, generator in reversed(running):
            try:
                next(generator, None)
            except (NotSeen, *AWAY) as error:
                result.problems.append(f"{name} did not end: {error!r}")
        return is_seen

    # --- recovery --------------------------------------------------------------------------------------

    def _recover(self, result: Round) -> None:
        """Waits until all that was executed by now is in the table, and every service is ready."""
        world, began = self.world, time.monotonic()
        self.until = world.witness.executed()
        missing, is_ready = -1, False
        while time.monotonic() < began + result.limit_seconds + PATIENCE_SECONDS:
            try:
                missing = world.witness.missing_rows(self.until) - world.lost_trades
                is_ready = world.all_ready()
            except AWAY:
                pass
            if missing == 0 and is_ready:
                break
            time.sleep(POLL_SECONDS)
        result.recovery_seconds = time.monotonic() - began
        if missing != 0 or not is_ready:
            reasons = {name: each.readiness()[1] for name, each in world.services.items() if not each.is_ready()}
            result.problems.append(f"did not recover: {missing} rows are missing, not ready: {reasons}")
        elif result.recovery_seconds > result.limit_seconds:
            result.problems.append(
                f"recovered after {result.recovery_seconds:.1f} s, the limit is {result.limit_seconds:g} s"
            )

    # --- judgement -------------------------------------------------------------------------------------

    def _judge(self, result: Round, faults: list[Fault], poison: list[bytes], frames: int) -> None:
        witness, until = self.world.witness, self.until
        touched = frozenset().union(*(each.touches for each in faults))
        may_be_late = bool(touched & {"ingestor", "kafka", "clock", EVERYTHING})
        result.take(witness.judge_new_records(set(self.world.poison), may_be_late))
        found = witness.judge_rows(until)
        result.records = found.records
        result.take(found)
        for each in witness.judge_missing(until):
            result.take(each)
        self._judge_gaps(result)
        self._judge_letters(result, poison, frames, is_alone=len(faults) == 1)

    def _judge_gaps(self, result: Round) -> None:
        """Holes are listed as soon as OKX was asked often enough."""
        deadline = time.monotonic() + SETTLE_SECONDS
        found = self.world.witness.judge_gaps(self.until)
        while not found.is_clean() and time.monotonic() < deadline:
            time.sleep(QUIET_SECONDS)
            found = self.world.witness.judge_gaps(self.until)
        result.take(found)

    def _judge_letters(self, result: Round, poison: list[bytes], frames: int, is_alone: bool) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        letters = self.world.witness.new_letters()
        while True:
            records = [each.value for each in letters if not each.source.startswith("okx:")]
            found = judge_letters(poison, records)
            of_frames = len(letters) - len(records)
            if of_frames > frames or (is_alone and of_frames < frames):
                kind = "phantom" if of_frames > frames else "lost"
                found.note(kind, ("", 0), f"{of_frames} letters of frames, {frames} were garbled")
            if found.is_clean() or time.monotonic() > deadline:
                break
            time.sleep(QUIET_SECONDS)
            letters += self.world.witness.new_letters()
        result.take(found)


@dataclass(frozen=True)
class Verdict:
    """The complete comparison at the end."""

    findings: list[Findings]
    trades: int
    unseen_mutations: list[str]


def check_everything(world: World) -> Verdict:
    """Halts the market and compares all there is from the beginning; then spoils rows, to see the checker see it."""
    world.simulator.halt()
    until = world.witness.executed()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while world.witness.missing_rows(until) > 0 and time.monotonic() < deadline:
        time.sleep(QUIET_SECONDS)
    fresh = world.new_witness()
    try:
        found = [fresh.judge_new_records(set(world.poison), may_be_late=True), fresh.judge_rows(None)]
        found += fresh.judge_missing(until)
        found.append(fresh.judge_gaps(until))
        letters = [each.value for each in fresh.new_letters() if not each.source.startswith("okx:")]
        found.append(judge_letters(world.poison, letters))
        unseen = list(unseen_mutations(fresh, until))
    finally:
        fresh.close()
    return Verdict(found, sum(len(each.digests) for each in fresh.ledger.values()), unseen)
