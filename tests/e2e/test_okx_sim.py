"""okx-sim as a foreign client sees it: WebSocket and REST agree with the ledger, limits and faults are OKX's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timezone
from decimal import Decimal
from http.client import IncompleteRead
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / (os.environ.get("BUILD_DIR") or os.environ.get("E2E_BUILD_DIR") or "build")
CAPTURES = Path(os.environ.get("OKX_CAPTURES", REPOSITORY / "../shared/data/okx"))
IS_SANITIZED = "san-" in str(BUILD)
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


class Exchange:
    """One running okx-sim."""

    def __init__(self, directory: Path, *arguments: str, **settings: str) -> None:
        ports = directory / f"ports-{time.monotonic_ns()}"
        self.log = directory / f"{ports.name}.log"
        environment = {
            "PATH": os.environ["PATH"],
            "SIM_ADDRESS": "127.0.0.1:0",
            "SIM_ADMIN_ADDRESS": "127.0.0.1:0",
            "SIM_PORTS_FILE": str(ports),
            "SIM_INSTRUMENTS": "BTC-USDT,ETH-USDT",
            "SIM_TRADE_RATE": "20",
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
            **settings,
        }
        self.tls = "SIM_TLS_CERT_FILE" in settings
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([BUILD / "bin/okx-sim", *arguments], env=environment, stderr=log)
        eventually(lambda: ports.exists() or self.process.poll() is not None, "okx-sim listens")
        assert self.process.poll() is None, self.log.read_text()
        self.ports = dict(line.split("=") for line in ports.read_text().split())

    def stop(self) -> None:
        """SIGTERM must end it at once, in order and without a leak."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(5) == 0, self.log.read_text()
        finally:
            self.process.kill()
            self.process.wait()

    def ws(self, path: str = "business") -> ClientConnection:
        """A connection, compression not asked for."""
        scheme, context = ("wss", ANY_CERTIFICATE) if self.tls else ("ws", None)
        url = f"{scheme}://127.0.0.1:{self.ports['okx']}/ws/v5/{path}"
        return connect(url, compression=None, ssl=context, open_timeout=5, close_timeout=2, proxy=None, max_queue=None)

    def rest(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and body of an OKX endpoint."""
        return http("GET", f"{'https' if self.tls else 'http'}://127.0.0.1:{self.ports['okx']}/api/v5/{path}", headers)

    def rows(self, path: str) -> list:
        """The rows of a successful answer, asked again while the rate limit says no."""
        for _ in range(50):
            status, body = self.rest(path)
            if status != 429:
                break
            time.sleep(0.1)
        answer = json.loads(body)
        assert (status, answer["code"]) == (200, "0"), body
        return answer["data"]

    def admin(self, order: str) -> str:
        """Carries out "POST /halt" and such."""
        method, path = order.split(" ")
        status, body = http(method, f"http://127.0.0.1:{self.ports['admin']}{path}")
        assert status == 200, body
        return body

    def ledger(self, query: str = "") -> list[tuple[str, ...]]:
        """The executed trades, each a tuple of the columns."""
        return [tuple(line.split("\t")) for line in self.admin(f"GET /ledger{query}").splitlines()]

    def stats(self) -> dict:
        """The figures."""
        return json.loads(self.admin("GET /stats"))


def eventually(condition: Callable[[], object], what: str, seconds: float = 10) -> None:
    """Waits until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def _any_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


ANY_CERTIFICATE = _any_certificate()  # the one of the test is a moment old and nobody's


def http(method: str, url: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and body."""
    request = urllib.request.Request(url, method=method, headers=headers or {}, data=b"" if method == "POST" else None)
    try:
        with urllib.request.urlopen(request, timeout=10, context=ANY_CERTIFICATE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def subscribe(ws: ClientConnection, *channels: str) -> None:
    """Subscribes to "trades-all:BTC-USDT" and such, and takes the acknowledgements."""
    args = [dict(zip(("channel", "instId"), each.split(":"))) for each in channels]
    ws.send(json.dumps({"id": "7", "op": "subscribe", "args": args}))
    for arg in args:
        answer = json.loads(ws.recv(5))
        assert answer["event"] == "subscribe" and answer["arg"] == arg and answer["id"] == "7", answer


def read_trades(ws: ClientConnection, is_enough: Callable[[list[dict]], bool], seconds: float = 15) -> list[dict]:
    """The trades pushed until there are enough."""
    trades: list[dict] = []
    deadline = time.monotonic() + seconds
    while not is_enough(trades):
        assert time.monotonic() < deadline, f"only {len(trades)} trades"
        trades += json.loads(ws.recv(5))["data"]
    return trades


def closing_code(ws: ClientConnection, seconds: float = 10) -> int:
    """Reads until the server closes; 1006 when it does so without a close frame."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            ws.recv(seconds)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
    raise AssertionError("the connection stays open")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Exchange]]:
    """Starts exchanges; all of them must end well."""
    started: list[Exchange] = []

    def start_one(*arguments: str, **settings: str) -> Exchange:
        started.append(Exchange(tmp_path, *arguments, **settings))
        return started[-1]

    yield start_one
    for exchange in started:
        exchange.stop()


# --- the tape --------------------------------------------------------------------------------------


def test_websocket_rest_and_ledger_tell_of_the_same_trades(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_TRADE_RATE="50", SIM_INSTRUMENTS="BTC-USDT,ETH-USDT,BABYDOGE-USDT")
    names = ("BTC-USDT", "ETH-USDT", "BABYDOGE-USDT")
    with exchange.ws() as ws:
        subscribe(ws, *(f"trades-all:{name}" for name in names))
        pushed = read_trades(ws, lambda trades: len(trades) >= 300)
    ledger = {(row[0], row[1]): row for row in exchange.ledger()}
    for trade in pushed:
        columns = tuple(trade[name] for name in ("instId", "tradeId", "px", "sz", "side", "ts", "source"))
        assert ledger[trade["instId"], trade["tradeId"]] == columns
        assert set(trade) == {"instId", "tradeId", "px", "sz", "side", "source", "ts"}
    btc_ids = [int(each["tradeId"]) for each in pushed if each["instId"] == "BTC-USDT"]
    assert btc_ids == list(range(btc_ids[0], btc_ids[0] + len(btc_ids)))
    newest = pushed[-1]
    eventually(
        lambda: any(
            each["tradeId"] == newest["tradeId"]
            for each in exchange.rows(f"market/trades?instId={newest['instId']}&limit=500")
        ),
        "REST has caught up",
    )
    for name in names:
        for row in exchange.rows(f"market/history-trades?instId={name}&limit=100"):
            if known := ledger.get((name, row["tradeId"])):
                assert known == (name, row["tradeId"], row["px"], row["sz"], row["side"], row["ts"], row["source"])


def test_aggregates_cover_the_single_trades(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_TRADE_RATE="100")
    with exchange.ws("public") as ws:
        subscribe(ws, "trades:BTC-USDT")
        pushed = read_trades(ws, lambda trades: len(trades) >= 150)
    assert any(int(each["count"]) > 1 for each in pushed)
    first = int(pushed[0]["tradeId"]) - int(pushed[0]["count"]) + 1
    rows = {int(row[1]): row for row in exchange.ledger(f"?instId=BTC-USDT&from={first}&to={pushed[-1]['tradeId']}")}
    covered = first - 1
    last_seq_id = 0
    for each in pushed:
        assert covered + int(each["count"]) == int(each["tradeId"])
        singles = [rows[trade_id] for trade_id in range(covered + 1, int(each["tradeId"]) + 1)]
        assert sum(Decimal(row[3]) for row in singles) == Decimal(each["sz"])
        assert {(row[2], row[4], row[5], row[6]) for row in singles} == {
            (each["px"], each["side"], each["ts"], each["source"])
        }
        assert each["seqId"] > last_seq_id
        last_seq_id = each["seqId"]
        covered = int(each["tradeId"])


def test_candles_are_the_sums_of_the_trades(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_TRADE_RATE="3", SIM_CONFIRM_LAG="0ms")
    for open_ms, o, h, l, c, volume, turnover, turnover_quote, confirm in exchange.rows(
        "market/candles?instId=ETH-USDT&bar=1m&limit=4&after=" + str(int(time.time()) // 60 * 60_000)
    ):
        rows = []
        after = ""
        while not rows or int(rows[-1]["ts"]) >= int(open_ms):
            rows += exchange.rows(f"market/history-trades?instId=ETH-USDT&limit=100{after}")
            after = f"&after={rows[-1]['tradeId']}"
        trades = [row for row in rows if int(open_ms) <= int(row["ts"]) < int(open_ms) + MINUTE_MS][::-1]
        prices = [Decimal(row["px"]) for row in trades]
        assert [Decimal(each) for each in (o, h, l, c)] == [prices[0], max(prices), min(prices), prices[-1]]
        assert Decimal(volume) == sum(Decimal(row["sz"]) for row in trades)
        assert Decimal(turnover) == sum(Decimal(row["sz"]) * Decimal(row["px"]) for row in trades)
        assert turnover == turnover_quote and confirm == "1" and len(trades) == 180


def test_a_restart_loses_no_trade_and_keeps_the_history(start: Callable[..., Exchange]) -> None:
    first = start(SIM_SEED="42")
    before = first.rows("market/history-trades?instId=BTC-USDT&limit=50")
    candles = first.rows("market/history-candles?instId=BTC-USDT&bar=1H&limit=100&after=1600000000000")
    first.stop()
    second = start(SIM_SEED="42")
    again = second.rows(f"market/history-trades?instId=BTC-USDT&limit=50&after={int(before[0]['tradeId']) + 1}")
    assert again == before
    assert second.rows("market/history-candles?instId=BTC-USDT&bar=1H&limit=100&after=1600000000000") == candles
    assert json.loads(second.admin("GET /ledger/summary"))["BTC-USDT"]["first"] > int(before[0]["tradeId"])


def test_history_since_2020_pages_without_a_hole(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_RATE_LIMITS="off", SIM_TRADE_RATE="0.5")
    after = int(time.time() * 1000) // HOUR_MS * HOUR_MS
    expected = after - HOUR_MS
    requests = 0
    while rows := exchange.rows(f"market/history-candles?instId=BTC-USDT&bar=1H&limit=300&after={after}"):
        for row in rows:
            assert int(row[0]) == expected and (row[8] == "1" or requests == 0)
            expected -= HOUR_MS
        after = int(rows[-1][0])
        requests += 1
    assert after == 1577836800000 and requests >= 202


def test_a_halt_stops_the_ids_and_a_resume_sends_what_was_executed_meanwhile(start: Callable[..., Exchange]) -> None:
    exchange = start()
    with exchange.ws() as ws:
        subscribe(ws, "trades-all:BTC-USDT")
        trades = read_trades(ws, lambda each: len(each) >= 5)
        exchange.admin("POST /halt")
        last = json.loads(exchange.admin("GET /ledger/summary"))["BTC-USDT"]["last"]
        if int(trades[-1]["tradeId"]) < last:
            trades += read_trades(ws, lambda each: bool(each) and int(each[-1]["tradeId"]) == last)
        with pytest.raises(TimeoutError):
            ws.recv(1)
        assert json.loads(exchange.admin("GET /ledger/summary"))["BTC-USDT"]["last"] == last
        exchange.admin("POST /resume")
        trades += read_trades(ws, lambda each: len(each) >= 20)
    ids = [int(each["tradeId"]) for each in trades]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_a_rate_of_thousands_is_sent_completely(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_TRADE_RATE="1000", SIM_INSTRUMENTS=",".join(f"C{i}-USDT" for i in range(5)))
    with exchange.ws() as ws:
        subscribe(ws, *(f"trades-all:C{i}-USDT" for i in range(5)))
        pushed = read_trades(ws, lambda trades: len(trades) >= 15000, 30)
    for i in range(5):
        ids = [int(each["tradeId"]) for each in pushed if each["instId"] == f"C{i}-USDT"]
        assert ids == list(range(ids[0], ids[0] + len(ids)))


# --- protocol --------------------------------------------------------------------------------------


def test_errors_name_their_code_and_spare_the_other_arguments(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_TRADE_RATE="0")
    with exchange.ws() as ws:
        args = [{"channel": "trades-all", "instId": each} for each in ("NO-SUCH", "BTC-USDT")]
        ws.send(json.dumps({"op": "subscribe", "args": args}))
        error, acknowledgement = json.loads(ws.recv(5)), json.loads(ws.recv(5))
        assert error["code"] == "60018" and "NO-SUCH" in error["msg"] and len(error["connId"]) == 8
        assert acknowledgement == {"event": "subscribe", "arg": args[1], "connId": error["connId"]}
        for text, code in (("{", "60012"), ('{"id":"a-b","op":"subscribe","args":[{}]}', "60033")):
            ws.send(text)
            assert json.loads(ws.recv(5))["code"] == code
        ws.send("ping")
        assert ws.recv(5) == "pong"


def test_an_over_long_request_ends_with_1009_and_the_rest_lives(start: Callable[..., Exchange]) -> None:
    exchange = start()
    with exchange.ws() as bad, exchange.ws() as good:
        subscribe(good, "trades-all:BTC-USDT")
        bad.send("x" * 70_000)
        assert closing_code(bad) == 1009
        read_trades(good, lambda trades: len(trades) >= 10)


def test_a_fragmented_request_is_put_together(start: Callable[..., Exchange]) -> None:
    exchange = start()
    with exchange.ws() as ws:
        text = json.dumps({"op": "subscribe", "args": [{"channel": "candle1m", "instId": "BTC-USDT"}]})
        ws.send([text[:10], text[10:40], text[40:]])
        assert json.loads(ws.recv(5))["event"] == "subscribe"


def test_silence_ends_with_4004_and_pings_keep_the_connection(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_IDLE_TIMEOUT="1s", SIM_TRADE_RATE="0")
    with exchange.ws() as silent, exchange.ws() as pinging:
        started = time.monotonic()
        while time.monotonic() < started + 1.6:
            pinging.send("ping")
            assert pinging.recv(5) == "pong"
        assert closing_code(silent) == 4004


def test_a_fourth_connection_in_a_second_is_refused(start: Callable[..., Exchange]) -> None:
    exchange = start()

    def connects() -> bool:
        try:
            with exchange.ws():
                return True
        except (InvalidHandshake, EOFError):
            return False

    assert [connects() for _ in range(4)] == [True, True, True, False]
    eventually(connects, "another second, another connection")


def test_a_reader_that_does_not_read_ends_alone(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_TRADE_RATE="10000", SIM_SEND_LAG_MAX="1s")
    with exchange.ws() as good, closing(raw_subscriber(exchange, "BTC-USDT")):
        subscribe(good, "candle1m:BTC-USDT")
        eventually(lambda: exchange.stats()["connections"]["now"] == 1, "the lazy one is cut off", 30)
        assert json.loads(good.recv(5))["arg"]["channel"] == "candle1m"
        assert resident_bytes(exchange) < (200 << 20 if IS_SANITIZED else 32 << 20)


def raw_subscriber(exchange: Exchange, inst_id: str) -> socket.socket:
    """A subscribed connection that nobody reads from."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", int(exchange.ports["okx"])))
    raw.sendall(
        b"GET /ws/v5/business HTTP/1.1\r\nHost: sim\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b" 101 " in raw.recv(4096)
    text = json.dumps({"op": "subscribe", "args": [{"channel": "trades-all", "instId": inst_id}]}).encode()
    raw.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
    return raw


def resident_bytes(exchange: Exchange) -> int:
    """The memory that the process holds."""
    pages = Path(f"/proc/{exchange.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_candles_are_pushed_and_confirmed_at_their_end(start: Callable[..., Exchange]) -> None:
    exchange = start()
    with exchange.ws() as ws:
        subscribe(ws, "candle1s:BTC-USDT")
        rows = [each[0] for each in (json.loads(ws.recv(5))["data"] for _ in range(12))]
    confirmed = [int(row[0]) for row in rows if row[8] == "1"]
    assert len(confirmed) >= 3
    assert confirmed == list(range(confirmed[0], confirmed[0] + 1000 * len(confirmed), 1000))
    eventually(
        lambda: exchange.rows("market/candles?instId=BTC-USDT&bar=1s&limit=300")[0][0] > rows[-1][0], "REST caught up"
    )
    by_time = {row[0]: row for row in exchange.rows("market/candles?instId=BTC-USDT&bar=1s&limit=300")}
    assert all(by_time[row[0]] == row for row in rows if row[8] == "1")


def test_a_bar_is_confirmed_late_over_rest(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_CONFIRM_LAG="2s")
    now_ms = json.loads(exchange.rest("public/time")[1])["data"][0]["ts"]
    newest = exchange.rows("market/history-candles?instId=BTC-USDT&bar=1s&limit=10")
    assert 1000 <= int(now_ms) - int(newest[0][0]) <= 3500
    assert [row[8] for row in newest] == ["0"] + ["1"] * 9


# --- REST ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "limit"), [("market/history-trades?instId=BTC-USDT", 20), ("public/instruments?instType=SPOT", 20)]
)
def test_one_request_too_many_is_429_with_50011(start: Callable[..., Exchange], path: str, limit: int) -> None:
    exchange = start()
    answers = [exchange.rest(path) for _ in range(limit + 1)]
    assert [status for status, _ in answers] == [200] * limit + [429]
    assert json.loads(answers[-1][1]) == {"msg": "Too Many Requests", "code": "50011"}
    figures = exchange.stats()["rest"][path.partition("?")[0]]
    assert figures == {"requests": limit + 1, "throttled": 1, "max_in_window": limit + 1}


def sign(path: str, secret: str = "sim-secret", when: datetime | None = None) -> dict[str, str]:
    """Headers as OKX's documentation tells to make them."""
    moment = (when or datetime.now(timezone.utc)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    digest = hmac.new(secret.encode(), f"{moment}GET/api/v5/{path}".encode(), hashlib.sha256).digest()
    return {
        "OK-ACCESS-KEY": "sim-key",
        "OK-ACCESS-SIGN": base64.b64encode(digest).decode(),
        "OK-ACCESS-TIMESTAMP": moment,
        "OK-ACCESS-PASSPHRASE": "sim-passphrase",
    }


def test_currencies_want_a_signature(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_RATE_LIMITS="off")
    for path in ("asset/currencies", "asset/currencies?ccy=BTC", "asset/currencies?ccy=BTC%2CETH"):
        status, body = exchange.rest(path, sign(path))
        rows = json.loads(body)["data"]
        assert status == 200 and rows
        assert len({(row["ccy"], row["chain"]) for row in rows}) == len(rows)
    everything = json.loads(exchange.rest("asset/currencies", sign("asset/currencies"))[1])["data"]
    assert len({row["ccy"] for row in everything}) >= 8
    path = "asset/currencies"
    good = sign(path)
    for headers, code in (
        (None, "50103"),
        (sign(path, secret="wrong"), "50113"),
        (sign(path, when=datetime(2020, 1, 1, tzinfo=timezone.utc)), "50102"),
        (good | {"OK-ACCESS-KEY": "other"}, "50111"),
        (good | {"OK-ACCESS-PASSPHRASE": "other"}, "50105"),
        (good | {"OK-ACCESS-TIMESTAMP": "now"}, "50112"),
    ):
        status, body = exchange.rest(path, headers)
        assert (status, json.loads(body)["code"]) == (401, code)


def test_many_clients_share_one_keep_alive_server(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_RATE_LIMITS="off", SIM_REST_LATENCY="200ms")
    started = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: exchange.rest("public/time")[0], range(100)))
    assert answers == [200] * 100
    assert 1 <= time.monotonic() - started < 20  # one after the other they would take 20 s


# --- faults ----------------------------------------------------------------------------------------


def test_a_gap_is_in_rest_and_a_loss_is_nowhere(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_TRADE_RATE="50", SIM_REST_TRADES_LAG="0ms")
    missing = {}
    with exchange.ws() as ws:
        subscribe(ws, "trades-all:BTC-USDT")
        for kind, count in (("gap", 7), ("lose", 5)):
            before = read_trades(ws, bool)
            exchange.admin(f"POST /fault/{kind}?instId=BTC-USDT&count={count}")
            ids = [int(each["tradeId"]) for each in before + read_trades(ws, lambda trades: len(trades) >= 60)]
            missing[kind] = sorted(set(range(ids[0], ids[-1])) - set(ids))
            assert len(missing[kind]) == count and missing[kind][-1] - missing[kind][0] == count - 1
    for kind, expected in (("gap", missing["gap"]), ("lose", [])):
        after = missing[kind][-1] + 1
        rows = exchange.rows(f"market/history-trades?instId=BTC-USDT&limit=100&after={after}")
        assert [int(row["tradeId"]) for row in rows][: len(expected)] == expected[::-1]
        assert not {int(row["tradeId"]) for row in rows} & set(missing["lose"])
    lost = [int(row[1]) for row in exchange.ledger("?instId=BTC-USDT") if row[7:] == ("lost",)]
    assert lost == missing["lose"]


def test_connections_end_abruptly_or_with_a_code(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_RATE_LIMITS="off")
    for order, code in (("drop", 1006), ("close?code=4006", 4006), ("close?code=1001", 1001)):
        with exchange.ws() as ws:
            subscribe(ws, "trades-all:BTC-USDT")
            exchange.admin(f"POST /fault/{order}")
            assert closing_code(ws) == code


def test_a_stall_is_silent_and_then_everything_comes(start: Callable[..., Exchange]) -> None:
    exchange = start()
    with exchange.ws() as ws:
        subscribe(ws, "trades-all:BTC-USDT")
        trades = read_trades(ws, lambda each: len(each) >= 3)
        started = time.monotonic()
        exchange.admin("POST /fault/stall?ms=1500")
        ws.send("ping")
        trades += read_trades_beside_pong(ws, 60)
        assert time.monotonic() - started > 1.4
    ids = [int(each["tradeId"]) for each in trades]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def read_trades_beside_pong(ws: ClientConnection, count: int) -> list[dict]:
    """Trades, and exactly one pong somewhere between them."""
    trades: list[dict] = []
    pongs = 0
    while len(trades) < count:
        text = ws.recv(5)
        if text == "pong":
            pongs += 1
        else:
            trades += json.loads(text)["data"]
    assert pongs == 1
    return trades


def test_refused_connections_are_let_in_afterwards(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_RATE_LIMITS="off")
    exchange.admin("POST /fault/refuse?ms=60000")
    with pytest.raises((InvalidHandshake, EOFError, ConnectionError)), exchange.ws():
        pass
    assert exchange.rest("public/time")[0] == 200
    exchange.admin("POST /fault/clear")
    with exchange.ws() as ws:
        subscribe(ws, "trades-all:BTC-USDT")


def test_a_notice_comes_before_the_end(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_TRADE_RATE="0")
    with exchange.ws() as ws:
        started = time.monotonic()
        exchange.admin("POST /fault/notice?after_ms=500")
        assert json.loads(ws.recv(5))["code"] == "64008"
        assert closing_code(ws) == 1001
        assert time.monotonic() - started > 0.4


def test_garbled_frames_are_as_many_as_ordered(start: Callable[..., Exchange]) -> None:
    exchange = start(SIM_TRADE_RATE="100")
    with exchange.ws() as ws:
        subscribe(ws, "trades-all:BTC-USDT")
        exchange.admin("POST /fault/malformed?count=3")
        bad = 0
        for _ in range(200):
            try:
                Decimal(json.loads(ws.recv(5))["data"][0]["px"])
            except (ValueError, ArithmeticError):
                bad += 1
    assert bad == 3


def test_rest_errors_come_in_every_form(start: Callable[..., Exchange]) -> None:
    exchange = start()
    exchange.admin("POST /fault/rest?endpoint=public/time&status=500&code=50026&count=2")
    assert [exchange.rest("public/time")[0] for _ in range(3)] == [500, 500, 200]
    exchange.admin("POST /fault/rest?form=html")
    status, body = exchange.rest("public/time")
    assert status == 403 and body.startswith("<html>")
    exchange.admin("POST /fault/rest?form=truncate")
    with pytest.raises(IncompleteRead):
        exchange.rest("public/time")
    exchange.admin("POST /fault/rest?form=hang")
    with closing(socket.create_connection(("127.0.0.1", int(exchange.ports["okx"])))) as raw:
        raw.settimeout(1)
        raw.sendall(b"GET /api/v5/public/time HTTP/1.1\r\nHost: sim\r\n\r\n")
        with pytest.raises(TimeoutError):
            raw.recv(100)
    assert exchange.rest("public/time")[0] == 200


# --- other ways to run it --------------------------------------------------------------------------


def test_tls_serves_both(start: Callable[..., Exchange], tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    exchange = start(SIM_TLS_CERT_FILE=str(certificate), SIM_TLS_KEY_FILE=str(key), SIM_TRADE_RATE="200")
    assert exchange.rest("public/time")[0] == 200
    assert len(exchange.rows("market/history-candles?instId=BTC-USDT&limit=300")) == 300
    with exchange.ws() as ws:
        subscribe(ws, "trades-all:BTC-USDT")
        ids = [int(each["tradeId"]) for each in read_trades(ws, lambda trades: len(trades) >= 500)]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recorded messages are not here")
def test_replay_sends_each_recorded_frame_once(start: Callable[..., Exchange]) -> None:
    exchange = start("--replay", str(CAPTURES))
    recorded = {path.read_text().strip() for path in CAPTURES.glob("ws-*.json")}
    with exchange.ws("public") as ws:
        subscribe(ws, "trades:ANY-THING")
        frames = [ws.recv(5) for _ in recorded]
        assert set(frames) == recorded
        with pytest.raises(TimeoutError):
            ws.recv(0.5)
    rows = [json.loads(each).get("data", [{}])[0] for each in frames]
    times = [int(row["ts"]) for row in rows if isinstance(row, dict) and "ts" in row]
    assert len(times) > 10 and times == sorted(times)
    pages = [exchange.rows("market/trades?instId=BTC-USDT")]
    while pages[-1] and len(pages) < 10:
        assert {row["instId"] for row in pages[-1]} == {"BTC-USDT"}
        pages.append(exchange.rows(f"market/trades?instId=BTC-USDT&after={pages[-1][-1]['tradeId']}"))
    assert pages[-1] == []  # a client that pages back comes to an end
    assert len(exchange.rows("public/instruments?instType=SPOT")) == 1218


def test_wrong_settings_are_all_named_at_once() -> None:
    done = subprocess.run(
        [BUILD / "bin/okx-sim"],
        env={"SIM_TRADE_RATE": "fast", "SIM_ADDRESS": "here", "SIM_INSTRUMENTS": "BTC"},
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode == 2
    for name in ("SIM_TRADE_RATE", "SIM_ADDRESS", "SIM_INSTRUMENTS"):
        assert name in done.stderr


def test_a_port_in_use_is_said_so(start: Callable[..., Exchange]) -> None:
    port = start().ports["okx"]
    done = subprocess.run(
        [BUILD / "bin/okx-sim"],
        env={"SIM_ADDRESS": f"127.0.0.1:{port}", "SIM_ADMIN_ADDRESS": "127.0.0.1:0"},
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode == 1 and f"127.0.0.1:{port}" in done.stderr
