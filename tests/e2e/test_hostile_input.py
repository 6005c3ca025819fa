"""What no well-meaning peer sends: it costs bounded memory, is named where it can be found, and nothing else suffers."""

from __future__ import annotations

import json
import random
import re
import struct
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from harness import IS_SANITIZED, Pipeline, eventually
from pipeline import MEMORY_LIMIT_MIB, REPOSITORY, Service

KEY = "BTC-USDT"
TIMEOUT_SECONDS = 120
LETTER_BYTES_MAX = 1_000_000


def forget_peak(service: Service) -> None:
    """The peak is counted anew from here on."""
    Path(f"/proc/{service.pid}/clear_refs").write_text("5")


def peak_mib(service: Service) -> int:
    """Resident memory at its highest since the last forget_peak."""
    status = Path(f"/proc/{service.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) // 1024


def assert_memory_bounded(*services: Service) -> None:
    peaks = {service.name: peak_mib(service) for service in services}
    assert IS_SANITIZED or all(peak < MEMORY_LIMIT_MIB[name] for name, peak in peaks.items()), peaks


class Market:
    """A pipeline at work for all tests of this file; each leaves it complete and trading."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        pipeline.settings |= {"CURRENCIES": "BTC"}
        self.simulator = pipeline.start_simulator(SIM_TRADE_RATE="40", SIM_INSTRUMENTS=KEY)
        _, self.persister, self.ingestor = pipeline.start("scheduler", "persister", "ingestor")
        pipeline.open_market()
        pipeline.wait_executed_more(20)
        self.seen = 0  # letters

    def begin(self) -> None:
        self.seen = len(self.letters())
        forget_peak(self.ingestor)
        forget_peak(self.persister)

    def letters(self) -> list[Any]:
        return self.pipeline.topics.read_raw("dead-letters")

    def new_letters(self, count: int = 1) -> list[Any]:
        """The letters since begin(), once there are that many."""
        return eventually(
            f"{count} letters more",
            lambda: len(found := self.letters()[self.seen :]) >= count and found,
            TIMEOUT_SECONDS,
        )

    def end(self, is_topic_clean: bool = True) -> None:
        """Memory stayed bounded, trading goes on, and nothing but what was hostile is missing."""
        self.pipeline.wait_executed_more(20)
        if is_topic_clean:
            self.pipeline.assert_complete(TIMEOUT_SECONDS)
        else:
            expected = self.pipeline.halt_and_drain(TIMEOUT_SECONDS)
            assert self.pipeline.table_trades() == expected
        assert_memory_bounded(self.ingestor, self.persister)
        assert self.ingestor.is_running() and self.persister.is_running()
        self.simulator.resume()


@pytest.fixture(scope="module")
def market(new_pipeline: Callable[[str], Pipeline]) -> Iterator[Market]:
    pipeline = new_pipeline("hostile-input")
    try:
        yield Market(pipeline)
    finally:
        pipeline.close()


def header(letter: Any, name: str) -> str:
    return letter.headers.get(f"__connect.errors.{name}", b"").decode()


# --- the WebSocket ----------------------------------------------------------------------------------------

FRAMES = {
    # form: (reason, part of the message)
    "huge": ("limit", "frame is larger than 1048576 bytes"),
    "fragments": ("limit", "frame is larger than 1048576 bytes"),
    "rows": ("limit", "more than 200000 values"),
    "nested": ("protocol", "no JSON"),
    "digits": ("out_of_range", "px"),
    "number": ("out_of_range", "px"),
    "utf8": ("protocol", "no JSON"),
    "nul": ("protocol", "no JSON"),
    "empty": ("protocol", ""),
    "binary": ("protocol", "no JSON"),
    "types": ("protocol", ""),
}


@pytest.mark.parametrize("form", FRAMES)
def test_a_hostile_frame_is_a_letter_and_harms_no_other(market: Market, form: str) -> None:
    reason, text = FRAMES[form]
    market.begin()
    bad = market.ingestor.metrics().value("bad_frames_total", reason=reason)
    market.simulator.fault("hostile", form=form)
    letter = market.new_letters()[0]
    assert header(letter, "topic") == "okx:trades-all" and header(letter, "stage") == "parse"
    assert header(letter, "exception.class.name") == reason
    assert text in header(letter, "exception.message")
    assert len(letter.value or b"") < LETTER_BYTES_MAX
    assert market.ingestor.metrics().value("bad_frames_total", reason=reason) > bad
    market.end()


def test_a_frame_of_very_many_bad_rows_is_few_letters(market: Market) -> None:
    market.begin()
    bad = market.ingestor.metrics().value("bad_frames_total")
    market.simulator.fault("hostile", form="rows", bytes=30_000)
    letters = market.new_letters(16)
    assert len(letters) == 16 and letters[-1].value.count(b"{}") == 10_000 - 1
    assert market.ingestor.metrics().value("bad_frames_total") - bad == 10_000 - 1
    market.end()


def test_events_with_huge_texts_are_cut(market: Market) -> None:
    market.begin()
    market.simulator.fault("hostile", form="texts")
    market.ingestor.wait_until(
        "it tells of the errors", lambda: "OKX answered with an error" in market.ingestor.output(), TIMEOUT_SECONDS
    )
    assert max(map(len, market.ingestor.output().splitlines())) < 4096
    market.end()


@pytest.mark.parametrize("form", ["opcode", "endless"])
def test_a_connection_that_makes_no_sense_is_opened_anew(market: Market, form: str) -> None:
    market.begin()
    before = market.ingestor.metrics().value("websocket_disconnects_total")
    market.simulator.fault("hostile", form=form)
    eventually(
        "it is connected anew",
        lambda: market.ingestor.metrics().value("websocket_disconnects_total") > before
        and market.ingestor.is_ready(),
        TIMEOUT_SECONDS,
    )
    market.end()


# --- REST ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["huge", "endless", "rows", "nested", "redirect", "html"])
def test_a_hostile_answer_delays_a_repair_and_no_more(market: Market, form: str) -> None:
    market.begin()

    def failed() -> float:
        requests = market.ingestor.metrics()
        return requests.value("rest_requests_total") - requests.value("rest_requests_total", outcome="ok")

    before = failed()
    market.simulator.fault("rest", form=form, status=200, count=2)
    market.simulator.fault("gap", instId=KEY, count=5)
    eventually("both answers were refused", lambda: failed() >= before + 2, TIMEOUT_SECONDS)
    market.end()
    assert market.pipeline.value("SELECT count(*) FROM fetches WHERE status = 'failed' AND NOT retriable") == 0


def test_the_content_type_of_an_answer_does_not_matter(market: Market) -> None:
    market.begin()
    market.simulator.fault("rest", form="type", status=200, count=2)
    market.simulator.fault("gap", instId=KEY, count=5)
    market.end()


# --- Kafka: last, since what lies in the topics stays ---------------------------------------------------------


def poison(schema_id: int) -> dict[str, bytes | None]:
    noise = random.Random(1).randbytes(1_000_000)
    prefix = struct.pack(">bI", 0, schema_id)
    longest = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"  # 2^63 - 1, as Avro writes a length
    return {
        "another magic byte": b"\x01" + prefix[1:] + b"abc",
        "an unknown schema": struct.pack(">bI", 0, 999_999) + b"abc",
        "no value": None,
        "one byte": b"\x00",
        "cut short": prefix + b"\x10BTC-",
        "an enormous length": prefix + longest + b"abc",
        "a negative length": prefix + b"\x01abc",
        "a length without end": prefix + b"\xff" * 30,
        "noise": noise,
        "noise with a schema": prefix + noise[5:],
    }


@pytest.mark.parametrize("topic", ["trades", "candles", "control"])
def test_hostile_records_become_letters(market: Market, topic: str) -> None:
    topics = market.pipeline.topics
    schema_id = topics.registry.get_latest_version(f"{topics.prefix}{topic}-value").schema_id
    records = poison(schema_id)
    market.begin()
    producer = Producer({**topics.client, "message.max.bytes": 1_040_000})
    for value in records.values():
        producer.produce(topics.prefix + topic, value, KEY)
    assert producer.flush(TIMEOUT_SECONDS) == 0
    of_persister = eventually(
        "each is a letter",
        lambda: len(
            found := [each for each in market.letters()[market.seen :] if header(each, "connector.name") == "persister"]
        )
        >= len(records)
        and found,
        TIMEOUT_SECONDS,
    )
    assert len(of_persister) == len(records)
    for letter in of_persister:
        assert header(letter, "topic") == topics.prefix + topic and header(letter, "stage") == "decode"
        assert header(letter, "offset").isdigit() and header(letter, "exception.message")
    whole = {letter.value for letter in of_persister if not header(letter, "truncated-from")}
    large = {value for value in records.values() if value and len(value) > 900_000}
    assert whole == set(records.values()) - large
    truncated = [letter for letter in of_persister if header(letter, "truncated-from")]
    assert {(letter.value, header(letter, "truncated-from")) for letter in truncated} == {
        (value[:65536], str(len(value))) for value in large
    }
    assert "record put aside to dead-letters" in market.persister.output()
    market.end(is_topic_clean=False)


def test_a_record_with_huge_key_and_headers_is_a_letter(market: Market) -> None:
    topics = market.pipeline.topics
    market.begin()
    producer = Producer({**topics.client, "message.max.bytes": 1_040_000})
    producer.produce(topics.prefix + "trades", b"x", b"k" * 500_000, headers={"h": b"h" * 500_000})
    assert producer.flush(TIMEOUT_SECONDS) == 0
    [letter] = market.new_letters()
    assert len(letter.key) == 65536 and "h" not in letter.headers and letter.value == b"x"
    market.end(is_topic_clean=False)


# --- the registry ---------------------------------------------------------------------------------------------


class SpoiltRegistry:
    """A proxy before the real registry that spoils the first answers."""

    ANSWERS: tuple[tuple[int, bytes], ...] = (
        (200, b"<html>a captive portal</html>"),
        (200, b"[" * 6_000_000),
        (200, b'{"schema":' * 10_000),
        (200, b'{"id":"x","schema":7}'),
        (200, b""),
        (404, b"<html>nginx</html>"),
        (500, b"{}"),
    )
    # Final where a service registers what it writes, since they tell of wrong settings; not for who asks for a schema.
    REFUSALS: tuple[tuple[int, bytes], ...] = ((302, b""), (400, b"\xff\x00"), (401, b"who?"), (403, b"forbidden"))

    def __init__(self, target: str) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.paths = "/"  # those that are spoilt
        self.lock = threading.Lock()
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, body = registry.next(self.command, target, self.path, content, dict(self.headers))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", self.path)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # the client has had enough

            do_GET = do_POST = do_PUT = answer

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def next(
        self, method: str, target: str, path: str, content: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        with self.lock:
            if self.answers and self.paths in path:
                return self.answers.pop(0)
        kept = {name: value for name, value in headers.items() if name.lower() in ("content-type", "accept")}
        request = urllib.request.Request(target + path, content or None, kept, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def spoilt_registry(pipeline: Pipeline) -> Iterator[SpoiltRegistry]:
    registry = SpoiltRegistry(pipeline.settings["SCHEMA_REGISTRY_URL"])
    try:
        yield registry
    finally:
        registry.stop()


def test_a_record_whose_schema_a_hostile_registry_keeps_back_waits_and_is_no_letter(
    pipeline: Pipeline, spoilt_registry: SpoiltRegistry
) -> None:
    [persister] = pipeline.start("persister", SCHEMA_REGISTRY_URL=spoilt_registry.url)
    forget_peak(persister)
    spoilt_registry.paths = "/schemas/ids/"
    spoilt_registry.answers = [*SpoiltRegistry.ANSWERS, *SpoiltRegistry.REFUSALS]
    # A foreign writer's schema, so that the persister has to ask for it.
    serialize = AvroSerializer(pipeline.topics.registry, (REPOSITORY / "schemas/Trade.avsc").read_text())
    now = datetime.now(timezone.utc)
    trade = {
        **{"instId": KEY, "tradeId": 1, "px": Decimal("1.5"), "sz": Decimal(1), "side": "buy", "ts": now},
        **{"count": None, "source": None, "seqId": None, "origin": "REST", "receivedAt": now, "extra": {}},
    }
    value = serialize(trade, SerializationContext(f"{pipeline.topics.prefix}trades", MessageField.VALUE))
    pipeline.topics.produce("trades", KEY, value)
    eventually("all spoilt answers were given", lambda: not spoilt_registry.answers, TIMEOUT_SECONDS)
    eventually("the trade", lambda: pipeline.value("SELECT count(*) FROM trades WHERE trade_id = 1"), TIMEOUT_SECONDS)
    assert pipeline.topics.read_raw("dead-letters") == []
    lines = [json.loads(line) for line in persister.output().splitlines()]
    assert [line for line in lines if line["level"] == "warn" and "/schemas/ids/" in json.dumps(line)]
    assert_memory_bounded(persister)


def test_a_hostile_registry_at_the_start_is_waited_for(pipeline: Pipeline, spoilt_registry: SpoiltRegistry) -> None:
    pipeline.settings |= {"CURRENCIES": "BTC"}
    pipeline.start_simulator(SIM_TRADE_RATE="40", SIM_INSTRUMENTS=KEY)
    spoilt_registry.answers = list(SpoiltRegistry.ANSWERS)
    ingestor = pipeline.service("ingestor", SCHEMA_REGISTRY_URL=spoilt_registry.url)
    ingestor.start()
    pipeline.start("scheduler", "persister")
    ingestor.wait_ready(TIMEOUT_SECONDS)
    assert not spoilt_registry.answers
    lines = [json.loads(line) for line in ingestor.output().splitlines()]
    assert [line for line in lines if line["level"] == "warn" and spoilt_registry.url in json.dumps(line)]
    pipeline.open_market()
    pipeline.wait_executed_more(20)
    pipeline.assert_complete(TIMEOUT_SECONDS)
    assert_memory_bounded(ingestor)


