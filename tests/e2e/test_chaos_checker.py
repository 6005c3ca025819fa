"""The checker of the chaos harness must turn red: one record removed, doubled, changed or invented, one by one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from random import Random

import pytest
from pipeline import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests/chaos"))
from checker import (  # noqa: E402
    Content,
    Copy,
    Expected,
    Findings,
    Key,
    TopicOrder,
    canonical,
    judge_gaps,
    judge_letters,
    judge_missing,
    judge_table,
    judge_topic,
)
from faults import Fault  # noqa: E402
from plan import bundles  # noqa: E402
from rounds import draw  # noqa: E402
from world import World  # noqa: E402

FIRST, COUNT = 36_953_000_001, 200
INSTRUMENTS = ("BTC-USDT", "ETH-USDT")
LOST = 17  # of each instrument, the exchange has lost this one

Row = tuple[Key, Content]


def content(number: int) -> Content:
    side = "buy" if number % 3 else "sell"
    return (canonical(f"{90000 + number}.10"), f"0.{number:08d}1", side, 1_790_000_000_000 + number)


@pytest.fixture
def ledger() -> dict[str, Expected]:
    made = {inst_id: Expected(inst_id, FIRST) for inst_id in INSTRUMENTS}
    for expected in made.values():
        for number in range(COUNT):
            expected.add(FIRST + number, content(number), is_lost=number == LOST)
    return made


@pytest.fixture
def rows() -> list[Row]:
    return [((inst, FIRST + n), content(n)) for inst in INSTRUMENTS for n in range(COUNT) if n != LOST]


def judge(ledger: dict[str, Expected], rows: list[Row], where: str) -> list[Findings]:
    copy = Copy(ledger)
    if where == "table":
        found = judge_table(ledger, copy, rows)
    else:
        found = judge_topic(ledger, copy, TopicOrder(), ((key, what, True) for key, what in rows))
    since, until = dict.fromkeys(ledger, FIRST), dict.fromkeys(ledger, FIRST + COUNT - 1)
    return [found, judge_missing(ledger, copy, where, until, since)]


def counts(findings: list[Findings]) -> dict[str, int]:
    kinds = ("lost", "duplicated", "different", "phantom", "disordered")
    return {kind: total for kind in kinds if (total := sum(getattr(each, kind) for each in findings))}


def changed_digit(text: str, random: Random) -> str:
    places = [index for index, digit in enumerate(text) if digit.isdigit()]
    place = random.choice(places)
    return text[:place] + str((int(text[place]) + random.randrange(1, 10)) % 10) + text[place + 1 :]


def remove(rows: list[Row], at: int, random: Random) -> None:
    del rows[at]


def double(rows: list[Row], at: int, random: Random) -> None:
    rows.insert(at, rows[at])


def change_price(rows: list[Row], at: int, random: Random) -> None:
    key, (price, size, side, time_ms) = rows[at]
    rows[at] = (key, (changed_digit(price, random), size, side, time_ms))


def change_size(rows: list[Row], at: int, random: Random) -> None:
    key, (price, size, side, time_ms) = rows[at]
    rows[at] = (key, (price, changed_digit(size, random), side, time_ms))


def change_time(rows: list[Row], at: int, random: Random) -> None:
    key, (price, size, side, time_ms) = rows[at]
    rows[at] = (key, (price, size, side, time_ms + 1))


def change_side(rows: list[Row], at: int, random: Random) -> None:
    key, (price, size, side, time_ms) = rows[at]
    rows[at] = (key, (price, size, "sell" if side == "buy" else "buy", time_ms))


def invent(rows: list[Row], at: int, random: Random) -> None:
    rows.insert(at, ((rows[at][0][0], FIRST + COUNT + random.randrange(10)), rows[at][1]))


def invent_instrument(rows: list[Row], at: int, random: Random) -> None:
    rows.insert(at, (("XXX-USDT", rows[at][0][1]), rows[at][1]))


def store_the_lost(rows: list[Row], at: int, random: Random) -> None:
    rows.insert(at, ((rows[at][0][0], FIRST + LOST), content(LOST)))


CHANGES = {change_price: "different", change_size: "different", change_time: "different", change_side: "different"}
INVENTIONS = {invent: "phantom", invent_instrument: "phantom", store_the_lost: "phantom"}
OF_THE_TABLE = {remove: "lost", double: "duplicated", **CHANGES, **INVENTIONS}
OF_THE_TOPIC = {remove: "lost", **CHANGES, **INVENTIONS}


@pytest.mark.parametrize("where", ["table", "topic"])
def test_an_exact_copy_is_clean(ledger: dict[str, Expected], rows: list[Row], where: str) -> None:
    assert counts(judge(ledger, rows, where)) == {}


@pytest.mark.parametrize("where, mutate, kind", [
    *(("table", mutate, kind) for mutate, kind in OF_THE_TABLE.items()),
    *(("topic", mutate, kind) for mutate, kind in OF_THE_TOPIC.items()),
])
def test_one_mutation_anywhere_turns_it_red(
    ledger: dict[str, Expected],
    rows: list[Row],
    where: str,
    mutate: Callable[[list[Row], int, Random], None],
    kind: str,
) -> None:
    for seed in range(10):
        random, mutated = Random(seed), list(rows)
        at = (0, len(rows) - 1)[seed] if seed < 2 else random.randrange(len(rows))
        mutate(mutated, at, random)
        assert counts(judge(ledger, mutated, where)) == {kind: 1}, f"{mutate.__name__} at {at}"


def test_the_same_record_again_is_no_fault_of_the_topic_but_another_is(
    ledger: dict[str, Expected], rows: list[Row]
) -> None:
    key, (price, size, side, time_ms) = rows[5]
    [found, _] = again = judge(ledger, [*rows[:100], rows[5], *rows[100:]], "topic")
    assert counts(again) == {} and found.repeated == 1
    other = (key, (price, size + "1", side, time_ms))
    assert counts(judge(ledger, [*rows[:100], other, *rows[100:]], "topic")) == {"different": 1}


def test_live_records_out_of_order_are_seen_unless_an_instrument_changed_its_owner(
    ledger: dict[str, Expected], rows: list[Row]
) -> None:
    swapped = [*rows[:40], rows[41], rows[40], *rows[42:]]
    assert counts(judge(ledger, swapped, "topic")) == {"disordered": 1}
    live = ((key, what, True) for key, what in swapped)
    assert judge_topic(ledger, Copy(ledger), TopicOrder(), live, may_be_late=True).is_clean()
    fetched = ((key, what, key != swapped[41][0]) for key, what in swapped)
    assert judge_topic(ledger, Copy(ledger), TopicOrder(), fetched).is_clean()


def test_what_the_exchange_lost_must_be_listed_and_nothing_else(ledger: dict[str, Expected]) -> None:
    until = dict.fromkeys(ledger, FIRST + COUNT - 1)
    listed = [(inst_id, FIRST + LOST, FIRST + LOST, "unfillable") for inst_id in ledger]
    assert counts([judge_gaps(ledger, until, listed)]) == {}
    assert counts([judge_gaps(ledger, until, listed[1:])]) == {"lost": 1}
    assert counts([judge_gaps(ledger, until, [*listed, listed[0]])]) == {"duplicated": 1}
    too_many = [*listed, ("BTC-USDT", FIRST, FIRST + 1, "unfillable")]
    assert counts([judge_gaps(ledger, until, too_many)]) == {"phantom": 2}
    still_open = [(*listed[0][:3], "open"), listed[1]]
    assert counts([judge_gaps(ledger, until, still_open)]) == {"phantom": 1}


def test_dead_letters_are_the_poison_and_nothing_else() -> None:
    assert judge_letters([b"a", b"b"], [b"b", b"a", b"a"]).is_clean()
    assert counts([judge_letters([b"a", b"b"], [b"a"])]) == {"lost": 1}
    assert counts([judge_letters([b"a"], [b"a", b"c"])]) == {"phantom": 1}


def test_a_ledger_with_a_hole_is_refused(ledger: dict[str, Expected]) -> None:
    with pytest.raises(ValueError):
        ledger["BTC-USDT"].add(FIRST + COUNT + 1, content(0))


def kinds_of_faults(count: int) -> list[Fault]:
    def nothing(world: World, random: Random) -> Generator[str, None, None]:
        yield ""

    return [Fault(f"f{n}", nothing, frozenset({f"t{n % 7}"}), 30, False, False, "short") for n in range(count)]


def test_a_hundred_rounds_hold_each_kind_three_times_and_the_seed_decides_them() -> None:
    faults = kinds_of_faults(49)
    for seed in range(10):
        plan = list(draw(faults, 100, Random(seed)))
        seen = [each.name for faults_of_round in plan for each in faults_of_round]
        assert len(plan) == 100
        assert min(seen.count(each.name) for each in faults) >= 3
        assert plan == list(draw(faults, 100, Random(seed)))


def test_the_short_profile_holds_each_kind_once_and_bundles_only_what_fits() -> None:
    faults = kinds_of_faults(49)
    plan = bundles(faults)
    assert sorted(each.name for bundle in plan for each in bundle) == sorted(each.name for each in faults)
    for bundle in plan:
        touched = [touch for each in bundle for touch in each.touches]
        assert len(touched) == len(set(touched))
