"""Migrations can be taken back and applied again, and leave the same schema."""

from __future__ import annotations

import os
import subprocess

from harness import Pipeline
from pipeline import REPOSITORY, migrate

STEPS = len(list((REPOSITORY / "migrations").glob("*.up.sql")))


def schema_of(pipeline: Pipeline) -> str:
    """The schema as pg_dump prints it."""
    dumped = subprocess.run(
        ["pg_dump", "--schema-only", "--no-owner"],
        env={**os.environ, **pipeline.settings},
        capture_output=True,
        text=True,
        check=True,
    )
    # Newer versions guard their scripts with a key that differs each time.
    return "\n".join(line for line in dumped.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def version_of(pipeline: Pipeline) -> str | None:
    rows = pipeline.sql("SELECT version FROM schema_migrations WHERE NOT dirty")
    return str(rows[0][0]) if rows else None


def test_up_down_up_leaves_the_same_schema(pipeline: Pipeline) -> None:
    first, version = schema_of(pipeline), version_of(pipeline)
    migrate(pipeline.settings, "down", str(STEPS))
    assert pipeline.sql("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i'") == [
        ("schema_migrations",)
    ]
    assert version_of(pipeline) is None
    migrate(pipeline.settings, "up")
    assert (schema_of(pipeline), version_of(pipeline)) == (first, version)


def test_each_step_down_and_up_again_leaves_the_same_schema(pipeline: Pipeline) -> None:
    whole = schema_of(pipeline)
    for steps in range(1, STEPS + 1):
        migrate(pipeline.settings, "down", str(steps))
        migrate(pipeline.settings, "up")
        assert schema_of(pipeline) == whole


def test_up_changes_nothing_when_nothing_is_pending(pipeline: Pipeline) -> None:
    before = schema_of(pipeline)
    migrate(pipeline.settings, "up")
    assert schema_of(pipeline) == before


def test_two_runners_at_once_apply_each_step_once(pipeline: Pipeline) -> None:
    whole = schema_of(pipeline)
    migrate(pipeline.settings, "down", str(STEPS))
    command = [str(REPOSITORY / "migrations/migrate.sh"), "up"]
    environment = {**os.environ, **pipeline.settings}
    runners = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [runner.wait(30) for runner in runners] == [0, 0, 0]
    assert schema_of(pipeline) == whole
