"""A database that the Go program's two migrations made goes on as ours, with every row, value for value."""

from __future__ import annotations

import os
import subprocess
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from harness import Pipeline, eventually
from pipeline import REPOSITORY, migrate
from stack import Stack

GO_VERSIONS = (20250127143626, 20250209190241)
GO_MIGRATIONS = f"""
    CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
    INSERT INTO schema_migrations VALUES ({GO_VERSIONS[-1]}, false);
    CREATE TABLE currencies (
        id serial PRIMARY KEY, code varchar(10) NOT NULL, chain varchar(100) NOT NULL,
        can_deposit boolean NOT NULL, can_withdraw boolean NOT NULL, UNIQUE (code, chain));
    CREATE INDEX idx_currency_code ON currencies (code);
    CREATE TABLE candles (
        pair varchar(10) NOT NULL, timestamp timestamptz NOT NULL, open_price bigint NOT NULL,
        high_price bigint NOT NULL, low_price bigint NOT NULL, close_price bigint NOT NULL,
        volume bigint NOT NULL, bar varchar(5) NOT NULL, PRIMARY KEY (pair, timestamp, bar));
    CREATE INDEX idx_pair_timestamp ON candles (pair, timestamp);
"""
OUR_STEPS = sum(int(path.name.split("_")[0]) > GO_VERSIONS[-1] for path in (REPOSITORY / "migrations").glob("*.up.sql"))
LEAST, LARGEST = -(2**63), 2**63 - 1
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=timezone.utc)


def hour(number: int) -> datetime:
    return datetime(2020, 1, 1 + number // 24, number % 24, tzinfo=timezone.utc)


# pair, timestamp, open, high, low, close, volume, bar
CANDLES = [
    ("BTC-USDT", hour(0), 9712345678901, 9799999999999, 9700000000000, 9750000000001, 123456789012345, "1H"),
    ("BTC-USDT", hour(0), 1, 10, 100, 100_000_000, 0, "1D"),
    ("BTC-USDT", hour(0), 2, 3, 4, 5, 6, ""),
    ("ETH-USDT", hour(1), LARGEST, LARGEST, LEAST, LEAST, LARGEST, "1H"),
    ("TON-USDT", datetime(1970, 1, 1, 0, 0, 0, 1000, timezone.utc), 0, 0, 0, 0, LEAST, "1m"),
    ("SHIB-USDT", hour(2), -1, 99_999_999, 100_000_001, 110_000_000, 50, "1Dutc"),
    *(
        ("SOL-USDT", hour(n), 10**n % LARGEST, 7**n % LARGEST, 3**n % LARGEST, n, n * 12_345_678_910, "1H")
        for n in range(500)
    ),
]
# code, chain, can_deposit, can_withdraw
CURRENCIES = [
    ("BTC", "BTC-Bitcoin", True, True),
    ("BTC", "BTC-Lightning", False, True),
    ("USDT", "USDT-TRC20", True, False),
    ("TON", "TON-TON", False, False),
]


class GoDatabase:
    """The database as the Go program leaves it."""

    def __init__(self, stack: Stack) -> None:
        self.settings = dict(stack.environment)
        name = f"go_{uuid.uuid4().hex[:8]}"
        self.sql(f"CREATE DATABASE {name}")
        self.settings["PGDATABASE"] = name
        self.sql(GO_MIGRATIONS)
        with self.connect() as connection:
            cursor = connection.cursor()
            cursor.executemany("INSERT INTO candles VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", CANDLES)
            cursor.executemany(
                "INSERT INTO currencies (code, chain, can_deposit, can_withdraw) VALUES (%s, %s, %s, %s)", CURRENCIES
            )

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD"}
        return psycopg.connect(**{key: self.settings[name] for key, name in names.items()}, autocommit=True)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def version(self) -> list[tuple[Any, ...]]:
        return self.sql("SELECT version, dirty FROM schema_migrations")

    def contents(self) -> tuple[list[tuple[Any, ...]], ...]:
        """The Go program's tables, and every relation that there is."""
        return (
            self.sql("SELECT * FROM candles ORDER BY 1, 2, 3, 4, 5, 6, 7"),
            self.sql("SELECT * FROM currencies ORDER BY id"),
            self.sql("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"),
        )


@pytest.fixture
def database(stack: Stack) -> GoDatabase:
    return GoDatabase(stack)


def price(stored: int) -> Decimal:
    return Decimal(stored).scaleb(-8)


def test_every_row_is_in_our_tables_value_for_value(database: GoDatabase) -> None:
    migrate(database.settings, "up")

    found = database.sql(
        "SELECT inst_id, ts, open, high, low, close, vol, bar, vol_ccy, vol_ccy_quote, confirm, origin, received_at, extra"
        " FROM candles"
    )
    tail = (None, None, False, "rest", UNKNOWN_TIME, None)
    expected = [(pair, ts, *map(price, numbers), bar, *tail) for pair, ts, *numbers, bar in CANDLES]
    assert sorted(map(repr, map(normal, found))) == sorted(map(repr, map(normal, expected)))
    assert database.sql("SELECT count(*) FROM candles WHERE open::text ~ '\\.\\d*0$' OR vol::text ~ '\\.\\d*0$'") == [(0,)]

    found = database.sql("SELECT ccy, chain, can_dep, can_wd, snapshot_at, received_at, delisted_at FROM currencies")
    assert sorted(found) == sorted((*row, UNKNOWN_TIME, UNKNOWN_TIME, None) for row in CURRENCIES)


def normal(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Decimals by value, and exactly: repr() then tells 0.1 from 0.10000000000000001."""
    return tuple(f"{value.normalize():f}" if isinstance(value, Decimal) else value for value in row)


def test_the_old_tables_stay_as_they_were(database: GoDatabase) -> None:
    candles, currencies, _ = database.contents()
    migrate(database.settings, "up")
    assert database.sql("SELECT * FROM go_candles ORDER BY 1, 2, 3, 4, 5, 6, 7") == candles
    assert database.sql("SELECT * FROM go_currencies ORDER BY id") == currencies


def test_taken_back_it_is_the_go_programs_database_again(database: GoDatabase) -> None:
    before, version = database.contents(), database.version()
    migrate(database.settings, "up")
    migrate(database.settings, "down", str(OUR_STEPS))
    assert (database.contents(), database.version()) == (before, version)
    migrate(database.settings, "up")
    assert database.sql("SELECT count(*) FROM candles") == [(len(CANDLES),)]


def test_after_dropping_the_old_tables_it_is_like_any_other(database: GoDatabase, pipeline: Pipeline) -> None:
    migrate(database.settings, "up")
    database.sql("DROP TABLE go_candles, go_currencies")
    columns = (
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid WHERE relnamespace = 'public'::regnamespace AND attnum > 0 ORDER BY 1, 2"
    )
    assert database.sql(columns) == pipeline.sql(columns)


def test_what_okx_answers_replaces_adopted_rows(database: GoDatabase, pipeline: Pipeline) -> None:
    """The Go program's digits went through floating point, and OKX's own are a request away."""
    two_hours_ago = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    database.sql(f"INSERT INTO candles VALUES ('BTC-USDT', '{two_hours_ago}', 1, 1, 1, 1, 1, '1H')")
    database.sql("INSERT INTO currencies (code, chain, can_deposit, can_withdraw) VALUES ('GONE', 'GONE-X', true, true)")
    migrate(database.settings, "up")
    pipeline.settings["PGDATABASE"] = database.settings["PGDATABASE"]
    pipeline.start_simulator()
    pipeline.start("scheduler", "persister", "ingestor")

    candle = f"FROM candles WHERE inst_id = 'BTC-USDT' AND bar = '1H' AND ts = '{two_hours_ago}'"
    eventually("the confirmed candle", lambda: pipeline.sql(f"SELECT 1 {candle} AND confirm AND open > 1"))
    eventually(
        "the currency is marked", lambda: pipeline.value("SELECT delisted_at IS NOT NULL FROM currencies WHERE ccy = 'GONE'")
    )
    assert pipeline.value("SELECT count(*) FROM go_candles") == len(CANDLES) + 1


def test_a_database_with_the_first_of_its_migrations_only(database: GoDatabase) -> None:
    database.sql("DROP TABLE candles")
    database.sql(f"UPDATE schema_migrations SET version = {GO_VERSIONS[0]}")
    migrate(database.settings, "up")
    assert database.sql("SELECT count(*) FROM currencies") == [(len(CURRENCIES),)]
    assert database.sql("SELECT count(*) FROM candles") == [(0,)]


def test_a_database_at_a_version_that_nobody_knows(database: GoDatabase) -> None:
    database.sql("UPDATE schema_migrations SET version = 20250607080910")
    migrate(database.settings, "up")
    assert database.sql("SELECT count(*) FROM candles") == [(len(CANDLES),)]


def test_a_table_of_another_shape_is_refused_and_left_alone(database: GoDatabase) -> None:
    database.sql("ALTER TABLE candles ALTER open_price TYPE integer USING 1, DROP bar")
    before, version = database.contents(), database.version()
    refused = subprocess.run(
        [str(REPOSITORY / "migrations/migrate.sh"), "up"],
        env={**os.environ, **database.settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "public.candles is in the way" in refused.stderr
    assert "bar, open_price" in refused.stderr
    assert (database.contents(), database.version()) == (before, version)
