"""TLS to OKX: whatever is wrong with the certificate, nothing is told to the other side, the reason is, and a good
certificate heals it without a restart.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from certificates import Authority, Certificate, self_signed
from harness import Pipeline, eventually
from pipeline import Service
from processes import accepts_connections, free_ports, wait_for

HOST = "127.0.0.1"
REST_LINE = "OKX's REST API cannot be reached, trying again"
WEBSOCKET_LINE = "connection to OKX ended, connecting again"


@dataclass(frozen=True)
class Fault:
    """A certificate that must be refused, and the reasons that OpenSSL and curl give for it."""

    make: Callable[[Authority], Certificate]
    reason: str
    rest_reason: str


FAULTS = {
    "wrong address": Fault(
        lambda authority: authority.issue("elsewhere", "ws.okx.example", "127.0.0.2"),
        "IP address mismatch (subject /CN=elsewhere, issuer /CN=test authority)",
        "no alternative certificate subject name matches target host name '127.0.0.1'",
    ),
    "expired": Fault(
        lambda authority: authority.issue("expired", HOST, ends_in=timedelta(hours=-1)),
        "certificate has expired (subject /CN=expired",
        "certificate has expired",
    ),
    "unknown issuer": Fault(
        lambda authority: Authority(authority.directory, "somebody").issue("unknown", HOST),
        "unable to get local issuer certificate (subject /CN=unknown, issuer /CN=somebody)",
        "unable to get local issuer certificate",
    ),
    "self-signed": Fault(
        lambda authority: self_signed(authority.directory, "alone", HOST),
        "self-signed certificate (subject /CN=alone, issuer /CN=alone)",
        "self-signed certificate",
    ),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def tls_files(certificate: Certificate) -> dict[str, str]:
    """The simulator's settings for a certificate."""
    return {"SIM_TLS_CERT_FILE": str(certificate.certificate), "SIM_TLS_KEY_FILE": str(certificate.key)}


def follow_bitcoin(pipeline: Pipeline, authority: Authority, port: int) -> Service:
    """Starts scheduler, persister and an ingestor that trusts the authority and knows OKX at that port."""
    pipeline.settings |= {
        "CURRENCIES": "BTC",
        "OKX_CA_FILE": str(authority.certificate),
        "OKX_WS_URL": f"wss://{HOST}:{port}",
        "OKX_REST_URL": f"https://{HOST}:{port}",
    }
    pipeline.start("scheduler", "persister")
    ingestor = pipeline.service("ingestor")
    ingestor.start()
    return ingestor


def log_lines(service: Service, message: str) -> list[dict]:
    """What the service has logged under this message since its start."""
    lines = (json.loads(line) for line in service.output().splitlines() if line.startswith("{") and line.endswith("}"))
    return [line for line in lines if line["msg"] == message]


def websocket_trouble(ingestor: Service) -> str:
    return ingestor.readiness()[1].get("okx-websocket", "")


def await_refusal(ingestor: Service, reason: str, rest_reason: str) -> None:
    """/readyz and the log name the reason, for WebSocket and REST, and it goes on trying, ever more slowly."""
    eventually(f"/readyz says {reason}", lambda: reason in websocket_trouble(ingestor))
    assert not ingestor.is_ready()
    tries = eventually("three attempts", lambda: (lines := log_lines(ingestor, WEBSOCKET_LINE))[2:] and lines)
    assert all(reason in line["reason"] for line in tries)
    assert [line["attempt"] for line in tries] == list(range(1, len(tries) + 1))
    rest = eventually("a line about REST", lambda: log_lines(ingestor, REST_LINE))
    assert "https://" in rest[0]["reason"] and rest_reason in rest[0]["reason"]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_bad_certificate_is_refused_until_a_good_one_is_there(
    pipeline: Pipeline, authority: Authority, fault: Fault
) -> None:
    simulator = pipeline.start_simulator(SIM_TRADE_RATE="20", **tls_files(fault.make(authority)))
    ingestor = follow_bitcoin(pipeline, authority, simulator.ports["okx"])
    await_refusal(ingestor, f"TLS certificate refused: {fault.reason}", fault.rest_reason)
    stats = simulator.stats()
    assert stats["subscriptions"] == 0 and sum(each["requests"] for each in stats["rest"].values()) == 0

    simulator.terminate()
    simulator.environment |= tls_files(authority.issue("good", HOST))
    simulator.start()
    ingestor.wait_ready(60)
    eventually("the instrument is subscribed", lambda: simulator.stats()["subscriptions"] == 1)
    simulator.resume()
    eventually("live trades", lambda: pipeline.value("SELECT count(*) FROM trades WHERE origin = 'stream'") > 50)
    done = "SELECT count(*) FROM fetches WHERE status = 'done' AND kind = 'candles'"
    eventually("candles by REST", lambda: pipeline.value(done) > 0, 60)


@contextmanager
def old_tls_server(certificate: Certificate) -> Iterator[int]:
    """A server of OpenSSL's that speaks TLS 1.1 and nothing later."""
    [port] = free_ports(1)
    files = ["-cert", certificate.certificate, "-key", certificate.key]
    server = subprocess.Popen(
        ["openssl", "s_server", "-quiet", "-accept", f"{HOST}:{port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", *files],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_for(lambda: accepts_connections(port), 10)
        yield port
    finally:
        server.kill()
        server.wait()


def test_tls_below_1_2_is_refused(pipeline: Pipeline, authority: Authority) -> None:
    with old_tls_server(authority.issue("old", HOST)) as port:
        ingestor = follow_bitcoin(pipeline, authority, port)
        await_refusal(ingestor, "TLS handshake failed: protocol version", "alert protocol version")


@contextmanager
def redirecting_server(certificate: Certificate, target: str) -> Iterator[int]:
    """A server with a good certificate that sends everybody elsewhere."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    answer = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()

    def serve() -> None:
        while True:
            try:
                with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(answer)
            except ssl.SSLError:
                continue
            except OSError:
                if listener.fileno() < 0:
                    return

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def test_a_redirect_does_not_lead_out_of_tls(pipeline: Pipeline, authority: Authority) -> None:
    simulator = pipeline.start_simulator(SIM_TRADE_RATE="20")
    plain = f"http://{HOST}:{simulator.ports['okx']}/ws/v5/business"
    with redirecting_server(authority.issue("redirecting", HOST), plain) as port:
        ingestor = follow_bitcoin(pipeline, authority, port)
        eventually("three attempts", lambda: len(log_lines(ingestor, WEBSOCKET_LINE)) >= 3)
        eventually("an answer to REST", lambda: list(ingestor.metrics().matching("rest_requests_total")))
        assert "Redirect attempted SSL downgrade" in websocket_trouble(ingestor)
        stats = simulator.stats()
        assert stats["subscriptions"] == 0 and sum(each["requests"] for each in stats["rest"].values()) == 0


def test_a_missing_authority_is_a_mistake_in_the_settings(pipeline: Pipeline) -> None:
    ingestor = pipeline.service("ingestor", OKX_CA_FILE="/nowhere/ca.crt")
    ingestor.start()
    assert ingestor.wait(10) == 2
    assert "OKX_CA_FILE" in ingestor.output() and "/nowhere/ca.crt" in ingestor.output()
