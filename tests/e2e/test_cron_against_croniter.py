"""The scheduler's cron arithmetic against croniter's, over random expressions and times.

Days follow Vixie cron: a day field that begins with a star, stepped or not, does not count as a
restriction; croniter does so with implement_cron_bug. Expressions that croniter reads in a way of
its own (5-5 for the whole cycle, 22-2 across midnight, a star within a list) are not made.
"""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from croniter import croniter

SCHEDULER = Path(__file__).resolve().parents[2] / os.environ.get("BUILD", "build") / "bin/scheduler"
EXPRESSIONS = 3000
FIRINGS = 8
EXPRESSIONS_PER_RUN = 100
FIRST = datetime(1999, 1, 1, tzinfo=UTC)
LAST = datetime(2060, 1, 1, tzinfo=UTC)
MONTHS = ["jan", "FEB", "Mar", "apr", "MAY", "jun", "Jul", "aug", "SEP", "oct", "nov", "DEC"]
WEEKDAYS = ["sun", "MON", "Tue", "wed", "THU", "fri", "SAT"]
MACROS = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"]


@dataclass(frozen=True)
class Field:
    low: int
    high: int
    names: list[str] | None = None


FIELDS = [Field(0, 59), Field(0, 23), Field(1, 31), Field(1, 12, MONTHS), Field(0, 6, WEEKDAYS)]


def value(rng: random.Random, field: Field, number: int) -> str:
    if field.names and rng.random() < 0.3:
        return field.names[number - field.low]
    if field.names is WEEKDAYS and number == 0 and rng.random() < 0.5:
        return "7"
    return str(number)


def item(rng: random.Random, field: Field) -> str:
    step = rng.randint(1, field.high)
    shape = rng.choice(["value", "value", "range", "range/step", "*/step", "value/step"])
    if shape == "*/step":
        return f"*/{step}"
    if shape.startswith("value"):
        text = value(rng, field, rng.randint(field.low, field.high))
    else:
        low, high = sorted(rng.sample(range(field.low, field.high + 1), 2))
        text = f"{value(rng, field, low)}-{value(rng, field, high)}"
        if field.names is WEEKDAYS and text.startswith("7-"):  # Sunday leads the week as 0
            text = "0" + text[1:]
        if field.names is WEEKDAYS and low > 0 and rng.random() < 0.3:
            text = f"{low}-7"
    return f"{text}/{step}" if shape.endswith("/step") else text


def field_text(rng: random.Random, field: Field) -> str:
    if rng.random() < 0.35:
        return "*"
    items = [item(rng, field) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    return ",".join(sorted(items, key=lambda text: not text.startswith("*")))


def is_possible(expression: str) -> bool:
    """False for dates that no calendar has, judged without the code under test."""
    _, _, days, months, weekdays = expression.split()
    if not days.startswith("*") and not weekdays.startswith("*"):
        return True  # a weekday is enough
    minimal = croniter.expand(f"0 0 {days} {months} *")[0]
    allowed_days = range(1, 32) if minimal[2] == ["*"] else minimal[2]
    allowed_months = range(1, 13) if minimal[3] == ["*"] else minimal[3]
    longest = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
    return any(day <= longest.get(month, 31) for day in allowed_days for month in allowed_months)


def random_expression(rng: random.Random) -> str:
    if rng.random() < 0.01:
        return rng.choice(MACROS)
    while True:
        expression = " ".join(field_text(rng, field) for field in FIELDS)
        if is_possible(expression):
            return expression


def random_time(rng: random.Random) -> datetime:
    if rng.random() < 0.3:  # the edges are where mistakes live
        year, month = rng.randint(FIRST.year, LAST.year - 1), rng.choice([1, 2, 3, 12])
        edge = datetime(year, month, 1, tzinfo=UTC)
        return edge + timedelta(seconds=rng.choice([-60, -1, 0, 1, 60]))
    return FIRST + timedelta(seconds=rng.randint(0, int((LAST - FIRST).total_seconds())))


def expected(expression: str, time: datetime, count: int) -> list[datetime]:
    """The firings after time, or for a negative count those at or before it, the latest first."""
    start = time if count > 0 else time + timedelta(seconds=1)  # croniter's previous is exclusive
    cron = croniter(expression, start, implement_cron_bug=True)
    step = cron.get_next if count > 0 else cron.get_prev
    return [step(datetime) for _ in range(abs(count))]


def actual(asked: list[tuple[str, datetime, int]]) -> list[list[datetime]]:
    arguments = [word for expression, time, count in asked for word in (expression, time.isoformat(), str(count))]
    printed = subprocess.run(
        [SCHEDULER, "--next-firings", *arguments], check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()
    lines = iter(datetime.fromisoformat(line) for line in printed)
    answers = [[next(lines) for _ in range(abs(count))] for _, _, count in asked]
    assert next(lines, None) is None
    return answers


@pytest.mark.parametrize("seed", [20261123, None], ids=["fixed", "random"])
def test_firings_are_those_that_croniter_finds(seed: int | None) -> None:
    seed = seed if seed is not None else random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")  # pytest shows it when the test fails
    rng = random.Random(seed)
    for _ in range(EXPRESSIONS // EXPRESSIONS_PER_RUN):
        asked = [
            (random_expression(rng), random_time(rng), rng.choice([FIRINGS, -FIRINGS]))
            for _ in range(EXPRESSIONS_PER_RUN)
        ]
        for (expression, time, count), firings in zip(asked, actual(asked), strict=True):
            assert firings == expected(expression, time, count), f"{expression!r} from {time}, seed {seed}"


def test_dates_that_no_calendar_has_are_refused_by_both() -> None:
    for expression in ["0 0 31 2 *", "0 0 30 feb *", "0 0 31 4,6,9,11 *"]:
        ended = subprocess.run(
            [SCHEDULER, "--next-firings", expression, "now", "1"], capture_output=True, text=True, timeout=60
        )
        assert ended.returncode == 2
        assert "never fires" in ended.stderr and ended.stderr.count("\n") == 1
        with pytest.raises(ValueError):
            croniter(expression, FIRST).get_next()
