"""Secrets stay secret: they are planted everywhere, by file and by variable, and everything that is printed is searched."""

from __future__ import annotations

import base64
import os
import resource
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import BINARIES, eventually
from pipeline import Service, http
from secured import SecurePipeline, kafka_settings, service_mechanism
from servers import KAFKA_SUPER_USER

SERVICES = ("scheduler", "ingestor", "persister")
ALL_PROGRAMS = (*SERVICES, "avrocat")
OKX_SECRETS = ("OKX_API_KEY", "OKX_API_SECRET", "OKX_API_PASSPHRASE")


class Plants:
    """Secrets that nothing else can look like, each in a file of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.values: dict[str, str] = {}

    def plant(self, name: str, value: str | None = None) -> str:
        """A fresh secret, or the value given, for the setting of that name."""
        self.values[name] = value or f"planted-{uuid.uuid4().hex}"
        (self.directory / name).write_text(self.values[name] + "\n")
        return self.values[name]

    def by_file(self) -> dict[str, str]:
        """NAME_FILE for each."""
        return {f"{name}_FILE": str(self.directory / name) for name in self.values}

    def found_in(self, text: str) -> list[str]:
        """The names of the secrets that the text holds, as they are or in Base64 as HTTP would send them."""
        user = "registry-user"
        forms = {
            name: (value, base64.b64encode(f"{user}:{value}".encode()).decode()) for name, value in self.values.items()
        }
        return [name for name, values in forms.items() if any(value in text for value in values)]


@pytest.fixture
def plants(tmp_path: Path) -> Plants:
    return Plants(tmp_path)


def plant_everywhere(pipeline: SecurePipeline, plants: Plants) -> dict[str, str]:
    """Settings of every service with a secret in every place that takes one; the simulator is told OKX's."""
    servers = pipeline.servers
    client = servers.authority.issue(f"client-{uuid.uuid4().hex}", password=plants.plant("KAFKA_SSL_KEY_PASSWORD"))
    role = pipeline.create_writer()
    plants.plant("PGPASSWORD", role.pop("PGPASSWORD"))
    plants.plant("KAFKA_SASL_PASSWORD", servers.security.users[KAFKA_SUPER_USER])
    plants.plant("SCHEMA_REGISTRY_PASSWORD")
    for name in OKX_SECRETS:
        plants.plant(name)
    account = kafka_settings(servers.account(KAFKA_SUPER_USER, service_mechanism()))
    del account["KAFKA_SASL_PASSWORD"]
    return {
        **account,
        **role,
        "KAFKA_SSL_CERTIFICATE_LOCATION": str(client.certificate),
        "KAFKA_SSL_KEY_LOCATION": str(client.key),
        "KAFKA_DEBUG": "all",
        "SCHEMA_REGISTRY_USER": "registry-user",
        "LOG_LEVEL": "debug",
        "CURRENCIES": "BTC",
    }


def start_exchange(pipeline: SecurePipeline, plants: Plants) -> None:
    keys = {name.replace("OKX_", "SIM_"): plants.values[name] for name in OKX_SECRETS}
    pipeline.start_simulator(SIM_TRADE_RATE="20", SIM_INSTRUMENTS="BTC-USDT", **keys)


def without_secrets(pipeline: SecurePipeline, plants: Plants) -> None:
    """Nothing by variable but what the plants give."""
    for name in (*plants.values, *OKX_SECRETS):
        pipeline.settings.pop(name, None)


def everything_shown(service: Service) -> Iterator[tuple[str, str]]:
    """What a stranger could read of a running service, with where it was."""
    yield "log", service.output()
    for page in ("metrics", "readyz", "livez"):
        yield page, http("GET", f"{service.url}/{page}")[1]
    yield "command line", Path(f"/proc/{service.pid}/cmdline").read_bytes().decode(errors="replace")


def assert_nothing_shown(services: list[Service], plants: Plants) -> None:
    for service in services:
        for where, text in everything_shown(service):
            assert not plants.found_in(text), f"{service.name}: {where} holds {plants.found_in(text)}"


def test_a_pipeline_at_work_shows_none(secure_pipeline: SecurePipeline, plants: Plants) -> None:
    pipeline = secure_pipeline
    settings = plant_everywhere(pipeline, plants)
    start_exchange(pipeline, plants)
    owner = {name: pipeline.settings[name] for name in ("PGUSER", "PGPASSWORD")}
    without_secrets(pipeline, plants)
    services = [pipeline.service(name, **settings, **plants.by_file()) for name in SERVICES]
    pipeline.settings |= owner  # for the test's own queries
    for service in services:
        service.start()
    for service in services:
        service.wait_ready(60)
    pipeline.simulator.resume()
    eventually("trades", lambda: pipeline.value("SELECT count(*) FROM trades") > 50)
    eventually("currencies, which need the key", lambda: pipeline.value("SELECT count(*) FROM currencies") > 0, 60)
    pipeline.topics.produce("trades", "BTC-USDT", b"poison")
    letters = eventually("a dead letter", lambda: pipeline.topics.read_raw("dead-letters"))
    assert not plants.found_in(repr(letters))
    assert all('"level":"debug"' in service.output() for service in services)
    assert_nothing_shown(services, plants)
    for service in services:
        service.terminate()
        assert not plants.found_in(service.output())


def results(pipeline: SecurePipeline) -> list[str]:
    """What the ingestors have reported of their fetches."""
    if "fetch-results" not in pipeline.topics.partition_counts():
        return []
    return [repr(record.value) for record in pipeline.topics.read("fetch-results")]


@pytest.mark.parametrize("form", ["file", "variable"])
def test_refusals_show_none(secure_pipeline: SecurePipeline, plants: Plants, form: str) -> None:
    pipeline = secure_pipeline
    settings = plant_everywhere(pipeline, plants)
    start_exchange(pipeline, plants)
    without_secrets(pipeline, plants)
    for name in plants.values:  # now none of them is right
        plants.plant(name)
    given = plants.by_file() if form == "file" else plants.values
    # A wrong password of the key would end it before the first connection.
    given = {name: value for name, value in given.items() if not name.startswith("KAFKA_SSL_KEY_PASSWORD")}
    for name in ("KAFKA_SSL_CERTIFICATE_LOCATION", "KAFKA_SSL_KEY_LOCATION"):
        del settings[name]
    services = [pipeline.service(name, **settings, **given) for name in SERVICES]
    right = kafka_settings(pipeline.servers.account(KAFKA_SUPER_USER, service_mechanism()))
    others = {name: value for name, value in given.items() if not name.startswith("KAFKA_SASL_PASSWORD")}
    services += [pipeline.service(name, **{**settings, **others, **right}) for name in SERVICES]
    for service in services:
        service.start()
    for service in services[:3]:
        eventually("Kafka refuses", lambda service=service: "Authentication failed" in str(service.readiness()))
    [_, ingestor, persister] = services[3:]
    eventually("PostgreSQL refuses", lambda: "password authentication failed" in str(persister.readiness()))
    eventually("OKX refuses", lambda: any("look at OKX_API_KEY" in each for each in results(pipeline)), 60)
    assert not plants.found_in(repr(results(pipeline)))
    assert_nothing_shown(services, plants)


@pytest.mark.parametrize("name", ALL_PROGRAMS)
def test_settings_are_shown_without(plants: Plants, name: str) -> None:
    for each in (*OKX_SECRETS, "PGPASSWORD", "SCHEMA_REGISTRY_PASSWORD", "KAFKA_SASL_PASSWORD", "KAFKA_SSL_KEY_PASSWORD"):
        plants.plant(each)
    in_address = plants.plant("ADDRESS")
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "SCHEMA_REGISTRY_URL": f"http://registry-user:{in_address}@127.0.0.1:1/api",
    }
    by_variable = {key: value for key, value in plants.values.items() if key != "ADDRESS"}
    by_file = {key: value for key, value in plants.by_file().items() if not key.startswith("ADDRESS")}
    for secrets in (by_variable, by_file):
        for argument in ("--help", "--version", "--check-config", "--print-config"):
            done = run(name, argument, {**settings, **secrets})
            assert done.returncode == 0, done.stdout
            assert not plants.found_in(done.stdout), argument
    shown = run(name, "--print-config", {**settings, **by_variable}).stdout
    assert "SCHEMA_REGISTRY_URL=http://******@127.0.0.1:1/api" in shown
    assert "SCHEMA_REGISTRY_PASSWORD=******" in shown


def mistakes(plants: Plants) -> list[dict[str, str]]:
    """Settings that are wrong in ways that tempt to quote them."""
    secret = plants.plant("MISTAKE")
    file = str(plants.directory / "MISTAKE")
    return [
        {"SCHEMA_REGISTRY_URL": f"registry-user:{secret}@127.0.0.1"},
        {"SCHEMA_REGISTRY_URL": f"ftp://registry-user:{secret}@127.0.0.1/"},
        {"SCHEMA_REGISTRY_URL": f"http://registry-user:{secret}@127.0.0.1:port/"},
        {"OKX_WS_URL": f"wss://somebody:{secret}@ws.okx.com"},
        {"OKX_WS_URL": f"somebody:{secret}@ws.okx.com"},
        {"OKX_REST_URL": f"ftp://somebody:{secret}@ws.okx.com"},
        {"OKX_API_KEY": secret},
        {"OKX_API_SECRET": secret, "OKX_API_SECRET_FILE": file},
        {"PGPASSWORD": secret, "PGPASSWORD_FILE": file},
        {"KAFKA_SASL_PASSWORD": secret, "KAFKA_SASL_PASSWORD_FILE": file},
        {"KAFKA_PASSWORD": secret},
        {"KAFKA_SECRET_FILE": file},
        {"KAFKA_SSL_KEY_PEM": secret},
        {"KAFKA_SSL_CERTIFICATE_PEM_FILE": file},
        {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "OAUTHBEARER", "KAFKA_SASL_OAUTHBEARER_CONFIG": secret},
        {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_KEYSTORE_LOCATION": file, "KAFKA_SSL_KEYSTORE_PASSWORD": secret},
    ]


@pytest.mark.parametrize("name", SERVICES)
def test_mistakes_are_named_without_the_secret(plants: Plants, name: str) -> None:
    for wrong in mistakes(plants):
        base = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "SCHEMA_REGISTRY_URL": "http://127.0.0.1:1/"}
        for argument in ("--check-config", "--print-config"):
            done = run(name, argument, {**base, **wrong})
            assert not plants.found_in(done.stdout), f"{argument} {wrong.keys()}: {done.stdout}"


def run(name: str, argument: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A program that only looks at its settings; standard error comes along in stdout."""
    return subprocess.run(
        [str(BINARIES / name), argument],
        env={"PATH": os.environ["PATH"], **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )


def dumps_core(command: list[str], environment: dict[str, str], is_ready: Callable[[str], bool], log: Path) -> bool:
    """Whether the kernel wrote a core dump when the program was ended by SIGABRT, as by a crash."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], **environment},
            cwd=log.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2),
        )
    eventually("the program runs", lambda: is_ready(log.read_text()))
    child.send_signal(signal.SIGABRT)
    _, status = os.waitpid(child.pid, 0)
    child.returncode = status
    assert os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status)


@pytest.mark.parametrize("name", SERVICES)
def test_a_crash_leaves_no_memory(tmp_path: Path, name: str) -> None:
    shell = ["sh", "-c", "echo ready; exec sleep 60"]
    if not dumps_core(shell, {}, lambda log: "ready" in log, tmp_path / "shell.log"):
        pytest.skip("nothing leaves a core dump here")
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "SCHEMA_REGISTRY_URL": "http://127.0.0.1:1/",
        "STATUS_ADDRESS": "127.0.0.1:0",
    }
    started = f'"service":"{name}"'
    assert not dumps_core([str(BINARIES / name)], settings, lambda log: started in log, tmp_path / "service.log")
