#!/usr/bin/env python3
"""Breaks things around and within the pipeline, and proves after each blow that no trade is lost, doubled or changed.

Environment: SEED (1), ROUNDS (20), FAULTS (names, separated by commas; all), RATE (trades a second), E2E_BUILD_DIR
(another build), PROFILE: without one, single faults and pairs as SEED draws them; long: also those that take
minutes; short: each kind once, some at a time.
Exit status: 0 all rounds passed, 1 some failed or too many were void, 2 wrong arguments.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from random import Random
from types import FrameType

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools/stack"))
from isolation import Isolation, enter_namespaces  # noqa: E402
from pipeline import PipelineError  # noqa: E402
from servers import StackError  # noqa: E402

import faults_database  # noqa: E402, F401
import faults_exchange  # noqa: E402, F401
import faults_links  # noqa: E402, F401
import faults_servers  # noqa: E402, F401
import faults_services  # noqa: E402, F401
from faults import FAULTS, Fault  # noqa: E402
from plan import bundles  # noqa: E402
from report import Report  # noqa: E402
from rounds import Referee, check_everything, draw  # noqa: E402
from world import Settings, World  # noqa: E402

RATE = 2000
RATE_SHORT = 500  # may share the machine with nobody knows what
RATE_SANITIZED = 300


def main() -> int:
    enter_namespaces()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    build = Path(os.environ.get("E2E_BUILD_DIR") or REPOSITORY / "build").resolve()
    is_sanitized = "san-" in str(build)
    profile = os.environ.get("PROFILE") or "default"
    if profile not in ("short", "default", "long"):
        return _complain(f"PROFILE is short or long, not {profile}")
    chosen = _choose(profile)
    if isinstance(chosen, str):
        return _complain(chosen)
    seed = int(os.environ.get("SEED") or 1)
    rounds = int(os.environ.get("ROUNDS") or 20)
    usual_rate = RATE_SANITIZED if is_sanitized else RATE_SHORT if profile == "short" else RATE
    settings = Settings(
        directory=REPOSITORY / "build/chaos",
        binaries=build / "bin",
        rate=int(os.environ.get("RATE") or usual_rate),
        is_fast=profile == "short",
    )
    shutil.rmtree(settings.directory, ignore_errors=True)
    settings.directory.mkdir(parents=True)
    clock = None if is_sanitized else REPOSITORY / "build/tests/chaos/clock_step.so"
    report = Report(settings.directory, seed, settings.rate, is_sanitized)
    try:
        with World(settings, Isolation(clock)) as world:
            _play(world, report, chosen, profile, rounds, Random(seed))
        report.take_stop(world)
    except (PipelineError, StackError) as error:
        report.fail(str(error))
    except KeyboardInterrupt:
        report.fail("stopped by a signal")
    return report.finish()


def _play(world: World, report: Report, chosen: list[Fault], profile: str, rounds: int, random: Random) -> None:
    usable = []
    for each in chosen:
        reason = each.reason_to_skip(world)
        if reason:
            report.skip(each, reason)
        else:
            usable.append(each)
    plan = bundles(usable) if profile == "short" else list(draw(usable, rounds, random))
    referee = Referee(world, random)
    report.begin(plan)
    missed: list[Fault] = []
    for number, faults in enumerate(plan, start=1):
        missed += _play_round(referee, report, number, faults)
    for number, fault in enumerate(missed, start=len(plan) + 1):
        _play_round(referee, report, number, [fault])
    report.take_final(check_everything(world))
    report.take_watch(world.watch)


def _play_round(referee: Referee, report: Report, number: int, faults: list[Fault]) -> list[Fault]:
    """One round; the faults that were not seen to happen."""
    referee.world.executed_after(referee.world.settings.rate)
    result = referee.play(number, faults)
    report.take(result, faults)
    return [each for each in faults if each.name not in result.seen()]


def _choose(profile: str) -> list[Fault] | str:
    names = [name for name in (os.environ.get("FAULTS") or "").split(",") if name]
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        return f"unknown faults: {', '.join(unknown)}; there are: {', '.join(FAULTS)}"
    if names:
        return [FAULTS[name] for name in names]
    return [each for each in FAULTS.values() if profile == "long" or each.profile == "short"]


def _complain(text: str) -> int:
    print(f"chaos: {text}", file=sys.stderr)
    return 2


def _stop(signal_number: int, frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
