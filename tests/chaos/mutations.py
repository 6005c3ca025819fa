"""Shows, on the very table of the run, that the checker sees one wrong row: in transactions that are taken back."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from checker import Copy, Findings, judge_missing, judge_table
from witness import Witness, read_rows

ROWS = 1000

# What must be found, and how to bring it about; %(id)s is the id of one trade of the instrument.
MUTATIONS = {
    "lost": "DELETE FROM trades WHERE inst_id = %(inst)s AND trade_id = %(id)s",
    "duplicated": """INSERT INTO trades SELECT inst_id, trade_id, px, sz, side, ts + interval '1 millisecond', count,
                     source, seq_id, origin, received_at, extra FROM trades
                     WHERE inst_id = %(inst)s AND trade_id = %(id)s""",
    "different": "UPDATE trades SET px = px + 0.1 WHERE inst_id = %(inst)s AND trade_id = %(id)s",
    "phantom": """INSERT INTO trades SELECT inst_id, trade_id + 1000000000, px, sz, side, ts, count, source,
                  seq_id, origin, received_at, extra FROM trades WHERE inst_id = %(inst)s AND trade_id = %(id)s""",
}


def unseen_mutations(witness: Witness, until: dict[str, int]) -> Iterator[str]:
    """The mutations that the checker failed to see, and what it saw where there is none."""
    inst_id = next(iter(until))
    newest = until[inst_id]
    oldest = max(witness.ledger[inst_id].first_id, newest - ROWS + 1)
    chosen = next(each for each in range(newest, oldest - 1, -1) if each not in witness.ledger[inst_id].lost)
    with psycopg.connect(witness.conninfo) as connection:
        if _kinds(_judge(witness, connection, inst_id, oldest, newest)):
            yield "the checker finds fault with the table as it is"
        for kind, statement in MUTATIONS.items():
            if connection.execute(statement, {"inst": inst_id, "id": chosen}).rowcount != 1:
                yield f"mutation {kind}: it changed nothing"
            found = _kinds(_judge(witness, connection, inst_id, oldest, newest))
            connection.rollback()
            # A doubled row has another time, so it is no exact copy either.
            if kind not in found:
                yield f"mutation {kind}: the checker saw {found or 'nothing'}"


def _judge(
    witness: Witness, connection: psycopg.Connection, inst_id: str, oldest: int, newest: int
) -> list[Findings]:
    ledger = {inst_id: witness.ledger[inst_id]}
    copy = Copy(ledger)
    rows = read_rows(connection, f"inst_id = '{inst_id}' AND trade_id >= {oldest}")
    found = judge_table(ledger, copy, rows)
    return [found, judge_missing(ledger, copy, "table", {inst_id: newest}, {inst_id: oldest})]


def _kinds(findings: list[Findings]) -> set[str]:
    return {kind for kind in MUTATIONS if any(getattr(each, kind) for each in findings)}
