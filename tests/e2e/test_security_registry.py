"""The schema registry behind TLS, a password, or a client certificate: nginx in front of the real one."""

from __future__ import annotations

import os
import shutil
import struct
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from certificates import Authority, Certificate
from harness import Pipeline, eventually
from pipeline import Program, Service
from processes import accepts_connections, free_ports

HOST = "127.0.0.1"
SERVICES = ("scheduler", "ingestor", "persister")
USER, PASSWORD = "currency-trends", "correct horse"
NGINX = shutil.which("nginx", path="/usr/sbin:" + os.environ["PATH"]) or "nginx"


class Front(Program):
    """nginx with TLS before the registry of a pipeline."""

    def __init__(self, directory: Path, registry_port: int, certificate: Certificate, protection: str) -> None:
        self.port = free_ports(1)[0]
        self.passwords = directory / "passwords"
        temporary = " ".join(f"{each}_temp_path {directory};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        configuration = directory / "nginx.conf"
        configuration.write_text(
            f"""daemon off; pid {directory}/pid; error_log stderr; {"user root;" if os.geteuid() == 0 else ""} events {{}}
            http {{ access_log off; {temporary} server {{
                listen {HOST}:{self.port} ssl;
                ssl_certificate {certificate.certificate}; ssl_certificate_key {certificate.key};
                {protection.format(passwords=self.passwords)}
                location / {{ proxy_pass http://{HOST}:{registry_port}; proxy_set_header Host $http_host; }}
            }} }}"""
        )
        command = [NGINX, "-p", str(directory), "-e", "stderr", "-c", str(configuration)]
        super().__init__("nginx", command, {}, directory / "nginx.log")

    def start(self) -> None:
        super().start()
        self.wait_until("listening", lambda: accepts_connections(self.port), 10)

    def accept_password(self, password: str) -> None:
        """From now on this one is right and no other."""
        self.passwords.write_text(f"{USER}:{{PLAIN}}{password}\n")

    def settings(self, authority: Authority, host: str = HOST) -> dict[str, str]:
        """How to reach the registry through this front, without an account."""
        return {
            "SCHEMA_REGISTRY_URL": f"https://{host}:{self.port}/apis/ccompat/v7",
            "SCHEMA_REGISTRY_CA_FILE": str(authority.certificate),
        }


BY_PASSWORD = 'auth_basic "registry"; auth_basic_user_file {passwords};'
ACCOUNT = {"SCHEMA_REGISTRY_USER": USER, "SCHEMA_REGISTRY_PASSWORD": PASSWORD}
MakeFront = Callable[..., Front]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def start_front(pipeline: Pipeline, tmp_path: Path, authority: Authority) -> Iterator[MakeFront]:
    """Starts fronts, and ends them after the test."""
    fronts: list[Front] = []

    def start(protection: str = BY_PASSWORD, certificate: Certificate | None = None) -> Front:
        sound = certificate or authority.issue("registry", HOST)
        fronts.append(Front(tmp_path, pipeline.stack.registry.port, sound, protection))
        fronts[-1].accept_password(PASSWORD)
        fronts[-1].start()
        return fronts[-1]

    yield start
    for front in fronts:
        front.terminate()


def trade(pipeline: Pipeline) -> None:
    """Starts everything with the pipeline's settings; every trade must arrive."""
    pipeline.settings["CURRENCIES"] = "BTC"
    pipeline.start_simulator(SIM_TRADE_RATE="20", SIM_INSTRUMENTS="BTC-USDT")
    pipeline.start(*SERVICES)
    pipeline.open_market()
    pipeline.wait_executed_more(50)
    pipeline.assert_complete()


def trouble(service: Service) -> str:
    return service.readiness()[1].get("schema-registry", "")


def start_refused(pipeline: Pipeline, said: str, settings: dict[str, str]) -> list[Service]:
    """Each service says in /readyz and in the log why it has no registry, and goes on trying."""
    pipeline.settings["TOPIC_PREFIX"] = f"{uuid.uuid4().hex[:6]}."  # short: reasons that name subjects are cut
    pipeline.start_simulator()
    return pipeline.start_refused(*SERVICES, condition="schema-registry", said=said, **settings)


def test_it_works_with_tls_and_password(pipeline: Pipeline, start_front: MakeFront, authority: Authority) -> None:
    pipeline.settings |= start_front().settings(authority) | ACCOUNT
    trade(pipeline)


@pytest.mark.parametrize("account", [{}, ACCOUNT | {"SCHEMA_REGISTRY_PASSWORD": "wrong"}], ids=["none", "wrong"])
def test_without_the_right_password_services_wait_for_it(
    pipeline: Pipeline, start_front: MakeFront, authority: Authority, account: dict[str, str]
) -> None:
    front = start_front()
    services = start_refused(pipeline, "HTTP 401", front.settings(authority) | account)
    if account:
        front.accept_password("wrong")  # put right at the other end
        for service in services:
            service.wait_ready()


def test_a_password_that_is_refused_in_flight_makes_no_dead_letters(
    pipeline: Pipeline, start_front: MakeFront, authority: Authority
) -> None:
    front = start_front()
    [persister] = pipeline.start("persister", **front.settings(authority), **ACCOUNT)
    front.accept_password("another")
    unknown_schema = struct.pack(">bI", 0, 999_999) + b"abc"
    pipeline.topics.produce("trades", "BTC-USDT", unknown_schema)
    eventually("it says so", lambda: "HTTP 401" in trouble(persister))
    assert not pipeline.topics.read_raw("dead-letters")
    front.accept_password(PASSWORD)
    [letter] = eventually("the registry's own answer counts", lambda: pipeline.topics.read_raw("dead-letters"))
    assert letter.value == unknown_schema
    eventually("it is ready", persister.is_ready)


@pytest.mark.parametrize(
    ("make", "host", "said"),
    [
        (lambda own: Authority(own.directory, "somebody").issue("unknown", HOST), HOST, "unable to get local issuer certificate"),
        (lambda own: own.issue("expired", HOST, ends_in=timedelta(hours=-1)), HOST, "certificate has expired"),
        (lambda own: own.issue("elsewhere", HOST), "localhost", "no alternative certificate subject name"),
    ],
    ids=["unknown issuer", "expired", "other host name"],
)
def test_a_bad_certificate_is_refused(
    pipeline: Pipeline,
    start_front: MakeFront,
    authority: Authority,
    make: Callable[[Authority], Certificate],
    host: str,
    said: str,
) -> None:
    front = start_front(certificate=make(authority))
    services = start_refused(pipeline, "TLS certificate refused: ", front.settings(authority, host) | ACCOUNT)
    assert all(said in service.output() for service in services)


def by_certificate(authority: Authority) -> str:
    return f"ssl_verify_client on; ssl_client_certificate {authority.certificate};"


def test_it_works_with_a_client_certificate(pipeline: Pipeline, start_front: MakeFront, authority: Authority) -> None:
    client = authority.issue("client")
    pipeline.settings |= start_front(by_certificate(authority)).settings(authority) | {
        "SCHEMA_REGISTRY_CERT_FILE": str(client.certificate),
        "SCHEMA_REGISTRY_KEY_FILE": str(client.key),
    }
    trade(pipeline)


def test_without_the_right_client_certificate_it_ends_and_says_so(
    pipeline: Pipeline, start_front: MakeFront, authority: Authority
) -> None:
    front = start_front(by_certificate(authority))
    stranger = Authority(authority.directory, "somebody").issue("client")
    wrong = {"SCHEMA_REGISTRY_CERT_FILE": str(stranger.certificate), "SCHEMA_REGISTRY_KEY_FILE": str(stranger.key)}
    for settings, said in (({}, "No required SSL certificate was sent"), (wrong, "The SSL certificate error")):
        persister = pipeline.service("persister", **front.settings(authority), **settings)
        persister.start()
        assert persister.wait(30) == 1
        assert "HTTP 400" in persister.output() and said in persister.output()
