"""Wrong settings and absent servers: one clear line each, the documented exit status, and never a hang."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import BINARIES, STOP_SECONDS, Pipeline, eventually, yesterday
from pipeline import Service
from processes import free_ports
from stack import Stack

EXIT_CONFIG = 2
SERVICES = ["ingestor", "persister", "scheduler"]


def run(name: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a program that must end by itself, with nothing in its environment but these settings."""
    return subprocess.run(
        [str(BINARIES / name), *arguments], env=settings, capture_output=True, text=True, timeout=STOP_SECONDS
    )


# --- settings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_every_wrong_setting_is_named_at_once(name: str) -> None:
    done = run(name, TOPIC_PARTITIONS="many", LOG_LEVEL="loud", SCHEMA_REGISTRY_URL="http://127.0.0.1:1")
    assert done.returncode == EXIT_CONFIG
    lines = done.stderr.splitlines()
    for setting in ("KAFKA_BOOTSTRAP_SERVERS", "TOPIC_PARTITIONS", "LOG_LEVEL"):
        [line] = [line for line in lines if setting in line]
        assert line.startswith(f"{name}: ")


@pytest.mark.parametrize("name", SERVICES)
def test_check_config_accepts_good_settings_and_starts_nothing(name: str) -> None:
    done = run(name, "--check-config", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", SCHEMA_REGISTRY_URL="http://127.0.0.1:1")
    assert (done.returncode, done.stderr) == (0, "")


def test_print_config_masks_secrets() -> None:
    done = run(
        "ingestor",
        "--print-config",
        KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
        SCHEMA_REGISTRY_URL="http://127.0.0.1:1",
        OKX_API_KEY="the-key",
        OKX_API_SECRET="the-secret",
        OKX_API_PASSPHRASE="the-passphrase",
    )
    assert done.returncode == 0
    assert "KAFKA_BOOTSTRAP_SERVERS" in done.stdout and "127.0.0.1:1" in done.stdout
    assert "the-secret" not in done.stdout and "the-passphrase" not in done.stdout


def test_a_bad_cron_expression_is_named_with_its_reason() -> None:
    done = run(
        "scheduler",
        KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
        SCHEMA_REGISTRY_URL="http://127.0.0.1:1",
        CANDLES_CRON="61 * * * *",
        CURRENCIES_CRON="every day",
    )
    assert done.returncode == EXIT_CONFIG
    for setting in ("CANDLES_CRON", "CURRENCIES_CRON"):
        assert [line for line in done.stderr.splitlines() if setting in line and line.startswith("scheduler: ")]


@pytest.mark.parametrize("arguments", [["--no-such-option"], ["surplus"]])
@pytest.mark.parametrize("name", SERVICES)
def test_an_unknown_argument_is_refused(name: str, arguments: list[str]) -> None:
    done = run(name, *arguments)
    assert done.returncode == EXIT_CONFIG
    assert arguments[0] in done.stderr


def test_an_unusable_status_address_is_an_error_at_once(pipeline: Pipeline) -> None:
    done = run("scheduler", **{**pipeline.settings, "STATUS_ADDRESS": "nowhere"})
    assert done.returncode == EXIT_CONFIG
    assert "STATUS_ADDRESS" in done.stderr or "nowhere" in done.stderr


# --- servers that are not there ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def late_stack() -> Iterator[Stack]:
    """A stack of its own, whose servers come and go."""
    with Stack(is_fast=True) as stack:
        yield stack


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_whose_kafka_is_away_says_so_and_can_be_stopped(pipeline: Pipeline, name: str) -> None:
    service = pipeline.service(name, KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{free_ports(1)[0]}")
    service.start()
    eventually("readiness names Kafka", lambda: "kafka" in service.readiness()[1])
    is_ready, reasons = service.readiness()
    assert not is_ready and reasons["kafka"]
    eventually("the log names Kafka", lambda: log_lines(service, "warn") + log_lines(service, "error"))
    assert service.terminate(STOP_SECONDS) == 0


@pytest.mark.parametrize(
    "server, condition, name",
    [
        ("kafka-1", "kafka", "scheduler"),
        ("kafka-1", "kafka", "ingestor"),
        ("registry", "schema-registry", "ingestor"),
        ("registry", "schema-registry", "scheduler"),
        ("postgres", "postgresql", "persister"),
    ],
)
def test_a_service_waits_for_a_server_and_becomes_ready_when_it_appears(
    late_stack: Stack, tmp_path: Path, server: str, condition: str, name: str
) -> None:
    pipeline = Pipeline(late_stack, f"late-{server}-{name}", tmp_path)
    try:
        pipeline.start_simulator(SIM_TRADE_RATE="5")
        late_stack.stop_server(server)
        service = pipeline.service(name)
        service.start()
        eventually(f"readiness names {condition}", lambda: service.readiness()[1].get(condition))
        assert not service.is_ready()
        late_stack.start_server(server)
        service.wait_ready(40)
    finally:
        pipeline.close()


def log_lines(service: Service, level: str) -> list[dict]:
    """The service's log lines of one level; every line must be JSON."""
    lines = [json.loads(line) for line in service.output().splitlines()]
    return [line for line in lines if line["level"] == level]


# --- topics, keys, instruments -------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_a_topic_with_another_partition_count_ends_the_service(pipeline: Pipeline, name: str) -> None:
    pipeline.start_simulator()
    pipeline.topics.create("trades", 6)
    service = pipeline.service(name)
    service.start()
    assert service.wait(30) == EXIT_CONFIG
    [line] = [line for line in log_lines(service, "error") if "partitions" in json.dumps(line)]
    assert "trades" in json.dumps(line) and "6" in json.dumps(line) and "3" in json.dumps(line)


def test_a_wrong_api_key_fails_the_currencies_job_and_nothing_else(pipeline: Pipeline) -> None:
    pipeline.start_simulator(SIM_TRADE_RATE="20", SIM_INSTRUMENTS="BTC-USDT")
    pipeline.settings |= {"CURRENCIES": "BTC", "OKX_API_KEY": "somebody-elses"}
    _, _, ingestor = pipeline.start("scheduler", "persister", "ingestor")
    pipeline.open_market()
    pipeline.wait_executed_more(40)
    pipeline.assert_complete()
    rows = eventually(
        "the job's failure",
        lambda: pipeline.sql("SELECT error, retriable FROM fetches WHERE kind = 'currencies' AND status = 'failed'"),
    )
    assert "50111" in rows[0][0] or "50113" in rows[0][0] or "key" in rows[0][0].lower()
    assert "sim-secret" not in ingestor.output() and "sim-passphrase" not in ingestor.output()


def test_without_a_key_the_currencies_job_is_skipped_and_says_so(pipeline: Pipeline) -> None:
    pipeline.start_simulator(SIM_TRADE_RATE="20", SIM_INSTRUMENTS="BTC-USDT")
    pipeline.settings["CURRENCIES"] = "BTC"
    for name in ("OKX_API_KEY", "OKX_API_SECRET", "OKX_API_PASSPHRASE"):
        del pipeline.settings[name]
    pipeline.start("scheduler", "persister", "ingestor")
    rows = eventually(
        "the job's result",
        lambda: pipeline.sql("SELECT status, error FROM fetches WHERE kind = 'currencies' AND status <> 'requested'"),
    )
    assert rows[0][0] == "skipped" and "OKX_API_KEY" in rows[0][1]


def test_an_unknown_instrument_is_reported_and_the_others_go_on(pipeline: Pipeline) -> None:
    pipeline.start_simulator(SIM_TRADE_RATE="20", SIM_INSTRUMENTS="BTC-USDT")
    pipeline.settings |= {"CURRENCIES": "BTC,NOSUCH", "HISTORY_START": yesterday()}
    services = [pipeline.service(name) for name in SERVICES]
    for service in services:
        service.start()
    ingestor = services[0]
    ingestor.wait_until("it names the instrument", lambda: "NOSUCH-USDT" in ingestor.output(), 30)
    eventually("BTC-USDT is subscribed", lambda: ingestor.metrics().value("subscriptions") == 1)
    pipeline.open_market()
    pipeline.wait_executed_more(40)
    pipeline.assert_complete()
    assert {inst_id for inst_id, _ in pipeline.table_trades()} == {"BTC-USDT"}
