"""Judges copies of the trades by the exchange's ledger. Pure: no clock, no network, no files.

A trade's content is kept as a hash of its texts, eight bytes a trade, so that a run of millions of trades fits into
memory; whoever finds a difference fetches the texts again for the report.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

EXAMPLES_MAX = 10
COUNT_MAX = 255

Key = tuple[str, int]
Content = tuple[str, str, str, int]  # px and sz as canonical text, side, time in ms


def canonical(text: str) -> str:
    """The text of a decimal without the zeros that carry no value: 1.50 is 1.5."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def digest(content: Content) -> int:
    """What stands for a content; equal contents give equal digests within one process."""
    return hash(content)


@dataclass
class Findings:
    """What is wrong with one copy, with some examples of each kind."""

    where: str
    records: int = 0
    lost: int = 0
    duplicated: int = 0
    different: int = 0
    phantom: int = 0
    disordered: int = 0
    repeated: int = 0  # the same record again where that is allowed: no fault, a figure
    examples: list[str] = field(default_factory=list)

    def note(self, kind: str, key: Key, detail: str = "") -> None:
        """Counts a finding of a kind (one of the fields above)."""
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(f"{self.where}: {kind} {key[0]} {key[1]}{detail and f' ({detail})'}")

    def is_clean(self) -> bool:
        """True when nothing is lost, doubled, changed, invented or out of order."""
        return not (self.lost or self.duplicated or self.different or self.phantom or self.disordered)

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.records:,} records, {self.lost} lost, {self.duplicated} duplicated, "
            f"{self.different} different, {self.phantom} phantom, {self.disordered} out of order"
        )


class Expected:
    """The trades of one instrument as the exchange executed them, from the first that counts."""

    def __init__(self, inst_id: str, first_id: int) -> None:
        self.inst_id = inst_id
        self.first_id = first_id
        self.digests = array("q")
        self.lost: set[int] = set()  # executed, but neither sent nor to be had by REST

    @property
    def next_id(self) -> int:
        """The id of the first trade that is not known yet."""
        return self.first_id + len(self.digests)

    def add(self, trade_id: int, content: Content, is_lost: bool = False) -> None:
        """The next trade; ids are contiguous."""
        if trade_id != self.next_id:
            raise ValueError(f"ledger: {self.inst_id}: {trade_id} follows {self.next_id - 1}")
        self.digests.append(digest(content))
        if is_lost:
            self.lost.add(trade_id)

    def holds(self, trade_id: int) -> bool:
        """Whether a copy may hold the trade."""
        return self.first_id <= trade_id < self.next_id and trade_id not in self.lost

    def is_same(self, trade_id: int, content: Content) -> bool:
        """Whether the trade, which must be known, has this content."""
        return self.digests[trade_id - self.first_id] == digest(content)


Ledger = Mapping[str, Expected]


class Copy:
    """How often each trade of the ledger was seen in one place."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._counts: dict[str, bytearray] = {inst_id: bytearray() for inst_id in ledger}

    def count(self, key: Key) -> int:
        """How often it was seen; at most COUNT_MAX."""
        counts, index = self._counts[key[0]], key[1] - self.ledger[key[0]].first_id
        return counts[index] if index < len(counts) else 0

    def see(self, key: Key) -> int:
        """Counts a sighting of a trade of the ledger; how often it was seen before."""
        counts, index = self._counts[key[0]], key[1] - self.ledger[key[0]].first_id
        if index >= len(counts):
            counts.extend(bytes(max(index + 1, len(self.ledger[key[0]].digests)) - len(counts)))
        before = counts[index]
        counts[index] = min(before + 1, COUNT_MAX)
        return before

    def missing(self, inst_id: str, from_id: int, to_id: int) -> Iterable[int]:
        """The ids of the range, inclusive, that should be here and were never seen."""
        expected, counts = self.ledger[inst_id], self._counts[inst_id]
        index = from_id - expected.first_id
        end = to_id + 1 - expected.first_id
        while index < end:
            index = counts.find(0, index, min(end, len(counts))) if index < len(counts) else index
            if index < 0:
                index = len(counts)
                continue
            if index + expected.first_id not in expected.lost:
                yield index + expected.first_id
            index += 1


def judge_table(ledger: Ledger, copy: Copy, rows: Iterable[tuple[Key, Content]]) -> Findings:
    """Rows of the table: each trade once, as it was executed. What is missing is asked of judge_missing."""
    found = Findings("table")
    for key, content in rows:
        found.records += 1
        expected = ledger.get(key[0])
        if expected is None or not expected.holds(key[1]):
            found.note("phantom", key, str(content))
            continue
        if copy.see(key) > 0:
            found.note("duplicated", key, str(content))
        if not expected.is_same(key[1], content):
            found.note("different", key, str(content))
    return found


class TopicOrder:
    """The order of the live records of each key."""

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}

    def is_late(self, key: Key, is_repeat: bool) -> bool:
        """Whether a live record comes behind a later one; one that is there already changes nothing."""
        newest = self._newest.get(key[0], -1)
        self._newest[key[0]] = max(newest, key[1])
        return key[1] < newest and not is_repeat


def judge_topic(
    ledger: Ledger,
    copy: Copy,
    order: TopicOrder,
    records: Iterable[tuple[Key, Content, bool]],
    may_be_late: bool = False,
) -> Findings:
    """Records (key, content, is live) in the order of their partitions. The same trade may come again, but only the
    same; live ones come in the order of their ids, except (may_be_late) where an instrument changed its owner.
    """
    found = Findings("topic")
    for key, content, is_live in records:
        found.records += 1
        expected = ledger.get(key[0])
        if expected is None or not expected.holds(key[1]):
            found.note("phantom", key, str(content))
            continue
        is_repeat = copy.see(key) > 0
        found.repeated += is_repeat
        if not expected.is_same(key[1], content):
            found.note("different", key, str(content))
        if is_live and order.is_late(key, is_repeat) and not may_be_late:
            found.note("disordered", key)
    return found


def judge_missing(
    ledger: Ledger, copy: Copy, where: str, until: Mapping[str, int], since: Mapping[str, int]
) -> Findings:
    """What a copy does not hold of the trades from since to until, ids by instrument, inclusive."""
    found = Findings(where)
    for inst_id in ledger:
        for trade_id in copy.missing(inst_id, since[inst_id], until[inst_id]):
            found.note("lost", (inst_id, trade_id))
    return found


def judge_gaps(ledger: Ledger, until: Mapping[str, int], gaps: Iterable[tuple[str, int, int, str]]) -> Findings:
    """trade_gaps (inst_id, from_id, to_id, state): what OKX lost is listed as unfillable, once, and nothing else."""
    found = Findings("trade_gaps")
    listed: dict[str, set[int]] = {inst_id: set() for inst_id in ledger}
    for inst_id, from_id, to_id, state in gaps:
        for trade_id in range(from_id, to_id + 1):
            key = (inst_id, trade_id)
            if inst_id not in ledger:
                found.note("phantom", key, state)
            elif trade_id > until[inst_id]:
                continue
            elif trade_id in listed[inst_id]:
                found.note("duplicated", key, state)
            elif trade_id not in ledger[inst_id].lost or state != "unfillable":
                found.note("phantom", key, state)
            found.records += 1
            listed.setdefault(inst_id, set()).add(trade_id)
    for inst_id, expected in ledger.items():
        for trade_id in sorted(expected.lost - listed[inst_id]):
            if trade_id <= until[inst_id]:
                found.note("lost", (inst_id, trade_id))
    return found


def judge_letters(expected: Iterable[bytes], found_values: Iterable[bytes]) -> Findings:
    """Dead letters: each poison at least once (delivery is at least once) and nothing else."""
    found = Findings("dead-letters")
    wanted, seen = set(expected), set()
    for value in found_values:
        found.records += 1
        found.repeated += value in seen
        seen.add(value)
        if value not in wanted:
            found.note("phantom", ("", 0), repr(value[:80]))
    for value in sorted(wanted - seen):
        found.note("lost", ("", 0), repr(value[:80]))
    return found
