"""PostgreSQL with verified TLS, under a role that owns nothing and may only write rows."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from certificates import Authority
from harness import Pipeline, eventually
from pipeline import Service
from secured import SecurePipeline

PARTITIONS = """SELECT c.relname, pg_get_userbyid(c.relowner) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'trades'::regclass ORDER BY 1"""

FORBIDDEN = [
    "SELECT * FROM salaries",
    "TABLE positions_of_others",
    "DELETE FROM trades",
    "UPDATE trades SET px = 0",
    "TRUNCATE trades",
    "DROP TABLE trades",
    "DROP TABLE {partition}",
    "DELETE FROM {partition}",
    "INSERT INTO {partition} SELECT * FROM trades",
    "ALTER TABLE trades DETACH PARTITION {partition}",
    "ALTER TABLE trades ADD COLUMN more text",
    "ALTER TABLE trades OWNER TO CURRENT_USER",
    "DELETE FROM candles",
    "DELETE FROM fetches",
    "TRUNCATE currencies",
    "DROP VIEW trade_gaps",
    "UPDATE schema_migrations SET version = 1",
    "CREATE TABLE mine (a int)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION create_trades_partition(month date) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "ALTER FUNCTION create_trades_partition(date) RESET ALL",
    "SELECT drop_trades_partitions(now())",
    "CREATE SCHEMA mine",
    "CREATE ROLE another",
    "SET ROLE currency_trends",
    "COPY trades TO '/tmp/trades'",
    "COPY trades TO PROGRAM 'cat'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT * FROM pg_authid",
]


def connect(pipeline: Pipeline, role: dict[str, str]) -> psycopg.Connection:
    return psycopg.connect(
        host=pipeline.settings["PGHOST"],
        port=pipeline.settings["PGPORT"],
        dbname=pipeline.settings["PGDATABASE"],
        user=role["PGUSER"],
        password=role["PGPASSWORD"],
        sslmode="verify-full",
        sslrootcert=role["PGSSLROOTCERT"],
        autocommit=True,
    )


def start_trading(pipeline: SecurePipeline, **settings: str) -> list[Service]:
    pipeline.settings["CURRENCIES"] = "BTC,ETH"
    pipeline.start_simulator(SIM_TRADE_RATE="20", SIM_INSTRUMENTS="BTC-USDT,ETH-USDT")
    services = pipeline.start("scheduler", "ingestor", "persister", **settings)
    pipeline.open_market()
    return services


def reason(service: Service) -> str:
    return service.readiness()[1].get("postgresql", "")


def test_the_pipeline_works_under_a_role_that_may_only_write(secure_pipeline: SecurePipeline) -> None:
    pipeline = secure_pipeline
    role = pipeline.create_writer()
    *_, persister = start_trading(pipeline, **role)
    pipeline.wait_executed_more(100)
    encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = %s"
    assert pipeline.value(encrypted, role["PGUSER"]) is True
    pipeline.assert_complete()
    eventually("candles", lambda: pipeline.value("SELECT count(*) FROM candles") > 0)
    eventually("currencies", lambda: pipeline.value("SELECT count(*) FROM currencies") > 0)
    eventually("finished commands", lambda: pipeline.value("SELECT count(*) FROM fetches WHERE status = 'done'") > 0)
    partitions = pipeline.sql(PARTITIONS)
    assert len(partitions) >= 3 and {owner for _, owner in partitions} == {pipeline.settings["PGUSER"]}
    assert "permission denied" not in persister.output() and "failed" not in persister.output()


def test_the_role_makes_the_partition_of_a_new_month(secure_pipeline: SecurePipeline) -> None:
    pipeline = secure_pipeline
    role = pipeline.create_writer()
    pipeline.sql("SELECT create_trades_partition(now()::date)")
    [(this_month, _)] = pipeline.sql(PARTITIONS)
    *_, persister = start_trading(pipeline, **role)
    eventually("the months ahead", lambda: len(pipeline.sql(PARTITIONS)) == 3)
    pipeline.assert_complete()
    persister.terminate()
    pipeline.sql(f"DROP TABLE {this_month}")  # as if the month had just begun
    persister.start()
    pipeline.simulator.resume()
    eventually("trades in this month", lambda: pipeline.value("SELECT count(*) FROM trades") > 0)
    assert this_month in dict(pipeline.sql(PARTITIONS))


def test_retention_needs_a_grant_of_its_own_and_nothing_else_waits_for_it(secure_pipeline: SecurePipeline) -> None:
    pipeline = secure_pipeline
    role = pipeline.create_writer()
    pipeline.sql("SELECT create_trades_partition('2020-02-02')")
    *_, persister = start_trading(pipeline, **role, TRADES_RETENTION="30d")
    eventually("a complaint", lambda: "permission denied for function drop_trades_partitions" in persister.output())
    pipeline.wait_executed_more(50)
    pipeline.halt_and_drain()
    assert len(pipeline.sql(PARTITIONS)) == 4  # the months ahead were made all the same
    persister.terminate()
    pipeline.grant_writer(role["PGUSER"], retention="yes")
    persister.start()
    eventually("the old month is gone", lambda: "trades_2020_02" not in dict(pipeline.sql(PARTITIONS)))
    assert len(pipeline.sql(PARTITIONS)) == 3


def test_the_role_can_do_nothing_else(secure_pipeline: SecurePipeline) -> None:
    pipeline = secure_pipeline
    role = pipeline.create_writer()
    pipeline.sql("SELECT create_trades_partition(now()::date)")
    [(partition, _)] = pipeline.sql(PARTITIONS)
    pipeline.sql("CREATE TABLE salaries AS SELECT 1 AS pay")
    pipeline.sql("CREATE TABLE positions_of_others AS SELECT 1 AS secret")
    before = pipeline.sql(PARTITIONS)
    with connect(pipeline, role) as connection:
        for statement in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.format(partition=partition))
        # What acts as the owner cannot be led to anything else of that name.
        connection.execute("CREATE TEMPORARY TABLE trades (LIKE candles)")
        connection.execute("SET search_path = pg_temp, public")
        assert connection.execute("SELECT create_trades_partition('2019-05-05')").fetchone() == (True,)
    assert pipeline.sql(PARTITIONS) == [("trades_2019_05", pipeline.settings["PGUSER"]), *before]


def test_nobody_else_may_call_what_acts_as_the_owner(secure_pipeline: SecurePipeline) -> None:
    pipeline = secure_pipeline
    role = pipeline.create_writer()
    pipeline.sql(f"DROP OWNED BY {role['PGUSER']}")  # its grants
    with connect(pipeline, role) as connection:
        for call in ("create_trades_partition(now()::date)", "drop_trades_partitions(now())"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT {call}")


def test_a_grant_that_is_taken_away_pauses_and_heals(secure_pipeline: SecurePipeline) -> None:
    pipeline = secure_pipeline
    role = pipeline.create_writer()
    *_, persister = start_trading(pipeline, **role)
    pipeline.wait_executed_more(50)
    pipeline.sql(f"REVOKE INSERT ON trades FROM {role['PGUSER']}")
    eventually("it says so", lambda: "permission denied for table trades" in reason(persister))
    pipeline.wait_executed_more(50)
    pipeline.grant_writer(role["PGUSER"])
    persister.wait_ready()
    pipeline.assert_complete()
    assert persister.metrics().value("dead_letters_total") == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"PGSSLROOTCERT": "{other}"}, "certificate verify failed"),
        ({"PGHOST": "localhost"}, 'does not match host name "localhost"'),
        ({"PGSSLROOTCERT": "/nowhere/ca.crt"}, 'root certificate file "/nowhere/ca.crt" does not exist'),
        ({"PGPASSWORD": "wrong"}, "password authentication failed for user"),
    ],
    ids=["unknown issuer", "other host name", "no authority", "wrong password"],
)
def test_a_wrong_server_or_password_is_refused(
    secure_pipeline: SecurePipeline, tmp_path: Path, wrong: dict[str, str], said: str
) -> None:
    pipeline = secure_pipeline
    other = str(Authority(tmp_path, "somebody else").certificate)
    role = pipeline.create_writer() | {name: value.format(other=other) for name, value in wrong.items()}
    persister = pipeline.service("persister", **role)
    persister.start()
    eventually(f"it says {said}", lambda: said in reason(persister))
    assert not persister.is_ready()
    assert any(said in json.loads(line).get("reason", "") for line in persister.output().splitlines())
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
    assert pipeline.value(sessions, role["PGUSER"]) == 0


def test_a_server_without_tls_gets_no_password(pipeline: Pipeline, tmp_path: Path) -> None:
    authority = str(Authority(tmp_path).certificate)
    persister = pipeline.service("persister", PGSSLMODE="verify-full", PGSSLROOTCERT=authority)
    persister.start()
    eventually("it says so", lambda: "server does not support SSL, but SSL was required" in reason(persister))
    assert not persister.is_ready()
