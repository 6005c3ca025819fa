"""avrocat prints what the topics hold: exact decimals, RFC 3339, one line each, and it minds its pipe."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
from decimal import Decimal
from typing import Any

import pytest
from harness import BINARIES, STOP_SECONDS, Pipeline, eventually
from processes import free_ports

EXIT_CONFIG, EXIT_NO_SUCH_TOPIC = 2, 3


def avrocat(pipeline: Pipeline, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BINARIES / "avrocat"), *arguments],
        env={**os.environ, **pipeline.settings, **settings},
        capture_output=True,
        text=True,
        timeout=30,
    )


def lines(pipeline: Pipeline, *arguments: str) -> list[dict[str, Any]]:
    done = avrocat(pipeline, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_trade_is_printed_with_exact_decimals_and_rfc3339_times(market_day: Pipeline) -> None:
    executed = {(each.inst_id, each.trade_id): each for each in market_day.executed()}
    printed = lines(market_day, "-t", "trades", "-e")
    assert len(printed) == len(executed)
    for line in printed:
        trade = line["value"]
        original = executed[trade["instId"], trade["tradeId"]]
        assert line["key"] == trade["instId"]
        assert isinstance(trade["px"], str) and isinstance(trade["sz"], str)
        assert (Decimal(trade["px"]), Decimal(trade["sz"])) == (Decimal(original.price), Decimal(original.size))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", trade["ts"])


def test_count_and_offset_choose_the_records(market_day: Pipeline) -> None:
    everything = lines(market_day, "-t", "trades", "-e", "-o", "beginning")
    assert lines(market_day, "-t", "trades", "-e", "-o", "end") == []
    assert len(lines(market_day, "-t", "trades", "-c", "3")) == 3
    from_second = [line for line in everything if line["offset"] >= 1]
    assert sorted_lines(lines(market_day, "-t", "trades", "-e", "-o", "1")) == sorted_lines(from_second)


def sorted_lines(printed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(printed, key=lambda line: (line["partition"], line["offset"]))


def test_csv_has_a_header_and_a_row_per_record(market_day: Pipeline) -> None:
    done = avrocat(market_day, "-t", "trades", "-e", "-f", "csv")
    assert done.returncode == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == len(market_day.executed())
    assert {row["instId"] for row in rows} == {each.inst_id for each in market_day.executed()}


@pytest.mark.parametrize("topic", ["trades", "candles", "currencies", "control", "fetch-results", "positions"])
def test_each_topic_can_be_read(market_day: Pipeline, topic: str) -> None:
    assert lines(market_day, "-t", topic, "-c", "1")[0]["topic"] == market_day.topics.prefix + topic


def test_a_reader_that_leaves_ends_it_quietly(market_day: Pipeline) -> None:
    command = f"{BINARIES / 'avrocat'} -t trades | head -n 1; echo \"${{PIPESTATUS[0]}}\""
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, **market_day.settings},
        capture_output=True,
        text=True,
        timeout=30,
    )
    first, status = done.stdout.splitlines()
    assert json.loads(first)["topic"] == f"{market_day.topics.prefix}trades"
    assert (status, done.stderr) == ("0", "")


def test_a_follower_prints_a_record_as_soon_as_it_is_there(pipeline: Pipeline) -> None:
    pipeline.start_simulator(SIM_TRADE_RATE="20", SIM_INSTRUMENTS="BTC-USDT")
    pipeline.settings["CURRENCIES"] = "BTC"
    pipeline.start("ingestor", "persister", "scheduler")
    follower = subprocess.Popen(
        [str(BINARIES / "avrocat"), "-t", "trades", "-o", "end"],
        env={**os.environ, **pipeline.settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert follower.stdout is not None
        pipeline.open_market()
        os.set_blocking(follower.stdout.fileno(), False)
        line = eventually("the first line", follower.stdout.readline, 15)
        assert json.loads(line)["value"]["instId"] == "BTC-USDT"
    finally:
        follower.send_signal(signal.SIGINT)
        assert follower.wait(STOP_SECONDS) == 0


def test_an_unknown_topic_is_an_error_of_its_own(market_day: Pipeline) -> None:
    done = avrocat(market_day, "-t", "no-such-topic")
    assert done.returncode == EXIT_NO_SUCH_TOPIC
    assert len(done.stderr.splitlines()) == 1 and "no-such-topic" in done.stderr


def test_an_unreachable_registry_is_named(market_day: Pipeline) -> None:
    address = f"http://127.0.0.1:{free_ports(1)[0]}"
    done = avrocat(market_day, "-t", "trades", "-c", "1", SCHEMA_REGISTRY_URL=address)
    assert done.returncode == 1
    assert address.removeprefix("http://") in done.stderr


def test_an_unreachable_kafka_is_named(market_day: Pipeline) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    done = avrocat(market_day, "-t", "trades", "-c", "1", KAFKA_BOOTSTRAP_SERVERS=address)
    assert done.returncode == 1
    assert address in done.stderr


@pytest.mark.parametrize("arguments", [["-f", "xml"], ["-o", "somewhere"], ["-c", "0"], ["--what"]])
def test_wrong_arguments_are_refused(market_day: Pipeline, arguments: list[str]) -> None:
    done = avrocat(market_day, *arguments)
    assert done.returncode == EXIT_CONFIG
    assert arguments[-1] in done.stderr
