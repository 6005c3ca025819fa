#!/usr/bin/env python3
"""The compose file for real, from a fresh clone of HEAD, against the simulator: `make test-compose`.

run.py [plain] [secure]: the phases to run, both without an argument. Needs Docker with Compose v2, git and openssl.
The last line is "N passed, N failed"; everything that was started is removed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from checks import Checks, eventually, expect
from project import PROGRAMS, REPOSITORY, Project, clone

BASE_IMAGES = ("debian:trixie-slim", "apache/kafka:4.1.0", "apicurio/apicurio-registry:3.0.9", "postgres:17")
STANDINS = REPOSITORY.parent / "shared/tools/docker"
SERVICES = ("ingestor", "persister", "scheduler")
PROFILES = ("", "sim", "tools", "sim,tools", "observability")
STOP_SECONDS = 10
IMAGE_BYTES_MAX = 120_000_000
TOPICS = ("trades", "candles", "currencies", "control", "fetch-results", "positions", "dead-letters")


def provide_images(work: Path) -> None:
    """Builds stand-ins for images that are missing where a registry is out of reach."""

    def is_there(image: str) -> bool:
        command = ["docker", "image", "inspect", image]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def can_configure_kafka() -> bool:
        """False for a stand-in that was built from a read-only folder: what its start writes is read-only, too."""
        probe = ["--entrypoint", "test", BASE_IMAGES[1], "-w", "/opt/kafka/config/server.properties"]
        return subprocess.run(["docker", "run", "--rm", *probe], check=False).returncode == 0

    if not STANDINS.is_dir():
        return
    is_complete = shutil.which("docker") is not None and all(map(is_there, BASE_IMAGES))
    if is_complete and can_configure_kafka():
        return
    tools = work / "standins"  # a copy, since files of a read-only folder would be read-only in the images too
    shutil.copytree(STANDINS, tools)
    subprocess.run(["chmod", "-R", "u+w", str(tools)], check=True)
    subprocess.run([tools / "engine-up"], check=True)
    subprocess.run([tools / "standins"], check=True)
    if is_complete:
        subprocess.run([tools / "standins", "--force", "kafka"], check=True)


# --- the files, before anything runs -------------------------------------------------------------------


def first_run_keeps_what_is_there(project: Project) -> None:
    """Env files and secrets that exist are never overwritten."""
    settings = project.directory / "docker/env/okx.env"
    settings.write_text("CURRENCIES=BTC,ETH,TON\nHISTORY_START=2026-11-01\n")
    project.run("tools/compose/compose.sh", "prepare")
    password = project.directory / "docker/secrets/postgres_password"
    first = password.read_text()
    project.run("tools/compose/compose.sh", "prepare")
    expect(settings.read_text().startswith("CURRENCIES=BTC,ETH,TON\n"), settings.read_text())
    expect(len(first) == 32 and password.read_text() == first, "the password was made anew")
    expect((password.parent.stat().st_mode & 0o777) == 0o700, "others may look into docker/secrets")


def configuration_is_clean(project: Project) -> None:
    """Every profile, alone and with the override, without a warning."""
    for files in (["docker-compose.yml"], ["docker-compose.yml", "docker-compose.secure.yml"]):
        for profiles in PROFILES:
            command = ["docker", "compose", *(word for file in files for word in ("-f", file)), "config", "-q"]
            done = subprocess.run(
                command,
                cwd=project.directory,
                env={**project.environment, "COMPOSE_PROFILES": profiles},
                check=True,
                capture_output=True,
                text=True,
            )
            expect(done.stderr == "", f"{files} with '{profiles}': {done.stderr}")


# --- containers ----------------------------------------------------------------------------------------


def programs_are_confined(project: Project) -> None:
    """Our containers can do no more than they need."""
    for service in (*SERVICES, "okx-sim", "migrations"):
        for container in project.containers(service):
            host, name = container["HostConfig"], container["Name"]
            expect(container["Config"]["User"] in ("10001:10001", "postgres"), f"{name} runs as root")
            expect(host["ReadonlyRootfs"], f"{name} may write to its root file system")
            expect(host["CapDrop"] == ["ALL"] and not host["CapAdd"], f"{name} has capabilities")
            expect("no-new-privileges:true" in host["SecurityOpt"], f"{name} may gain privileges")
            expect(host["Init"] and host["Memory"] > 0, f"{name} has no init or no memory limit")
    for service in ("kafka1", "kafka2", "kafka3", "registry", "postgres"):
        [container] = project.containers(service)
        host = container["HostConfig"]
        expect(host["CapDrop"] == ["ALL"] and host["Memory"] > 0, f"{service}: capabilities or no memory limit")
        expect("no-new-privileges:true" in host["SecurityOpt"], f"{service} may gain privileges")


def kernel_agrees(project: Project) -> None:
    """What the process itself sees: no capability, an unprivileged user, a root it cannot write to."""
    script = "id -u; grep -c '^Cap.*[[:space:]]0000000000000000$' /proc/self/status; touch /etc/x 2>&1 || true"
    for service in SERVICES:
        user, empty_sets, touch = project.compose("exec", "-T", service, "sh", "-c", script).splitlines()
        expect((user, empty_sets) == ("10001", "5") and "Read-only" in touch, f"{service}: {user} {empty_sets} {touch}")


def ports_are_local(project: Project) -> None:
    """Nothing listens beyond this machine, and only one container has a fixed name: none."""
    for line in project.compose("ps", "-q").split():
        [container] = json.loads(project.run("docker", "inspect", line))
        for bindings in (container["NetworkSettings"]["Ports"] or {}).values():
            for binding in bindings or []:
                expect(binding["HostIp"] == "127.0.0.1", f"{container['Name']} is published on {binding['HostIp']}")


def volumes_have_names(project: Project) -> None:
    """No container has an anonymous volume, which `down` would leave behind."""
    for line in project.compose("ps", "-aq").split():
        [container] = json.loads(project.run("docker", "inspect", line))
        for mount in container["Mounts"]:
            if mount["Type"] == "volume":
                expect(mount["Name"].startswith(project.name), f"{container['Name']}: {mount['Destination']}")


def images_are_small_and_labelled(project: Project) -> None:
    """One slim layer of libraries; OCI labels say what it is and which commit."""
    for program in PROGRAMS:
        image = f"currency-trends/{program}:{project.environment['IMAGE_TAG']}"
        [found] = json.loads(project.run("docker", "image", "inspect", image))
        labels = found["Config"]["Labels"]
        expect(found["Size"] <= IMAGE_BYTES_MAX, f"{image} has {found['Size']} bytes")
        expect(labels.get("org.opencontainers.image.title") == "Currency Trends", f"{image}: {labels}")
        expect(labels.get("org.opencontainers.image.revision"), f"{image}: no revision")
        expect(found["Config"]["User"] == "10001:10001", f"{image} runs as {found['Config']['User']}")


def status_ports_answer(project: Project) -> None:
    """Each service's metrics are to be had from the host."""
    for service in SERVICES:
        address = project.compose("port", service, "9100").strip()
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        expect("currency_trends_build_info" in text, f"{service}: {text[:200]}")


def services_stop_in_order(project: Project) -> None:
    """SIGTERM ends every service with 0 in time; the database shuts down cleanly."""
    started = time.monotonic()
    project.compose("stop", *SERVICES, "okx-sim")
    took = time.monotonic() - started
    project.compose("stop", "postgres")
    for service in (*SERVICES, "okx-sim", "postgres"):
        for container in project.containers(service):
            expect(
                container["State"]["ExitCode"] == 0, f"{container['Name']} ended with {container['State']['ExitCode']}"
            )
    expect(took < STOP_SECONDS + 5, f"stopping took {took:.0f} s")


# --- Kafka ---------------------------------------------------------------------------------------------


def topics_are_replicated(project: Project) -> None:
    """Three copies, two of which must be in sync."""
    text = project.kafka("kafka-topics", "--describe")
    heads = {
        line.split("\t")[0].removeprefix("Topic: "): line for line in text.splitlines() if line.startswith("Topic:")
    }
    for topic in TOPICS:
        expect(topic in heads, f"no topic {topic} in {sorted(heads)}")
        expect("ReplicationFactor: 3" in heads[topic] and "min.insync.replicas=2" in heads[topic], heads[topic])


def topics_are_not_made_by_chance(project: Project) -> None:
    """A producer to a topic that is not there does not make it."""
    producer = ("kafka-console-producer", "--topic", "no-such-topic", "--producer-property", "max.block.ms=3000")
    try:
        project.kafka(*producer, stdin="x\n")
    except subprocess.CalledProcessError:
        pass  # what it should do; some versions only print the error
    expect("no-such-topic" not in project.kafka("kafka-topics", "--list").split(), "the topic was made")


def consumers_in_the_container_see_trades(project: Project) -> None:
    """The console consumer's keys are instruments; a value begins with the wire format's zero byte."""
    consumer = ("--topic", "trades", "--from-beginning", "--max-messages", "3", "--timeout-ms", "30000")
    text = project.kafka("kafka-console-consumer", *consumer, "--property", "print.key=true")
    lines = [line for line in text.splitlines() if "\t" in line]
    expect(lines and all("-USDT\t\0" in line for line in lines), repr(text[:300]))


def avrocat_decodes(project: Project) -> None:
    """avrocat shows a trade as JSON with exact decimals."""
    line = project.compose("run", "--rm", "-T", "avrocat", "-t", "trades", "-c", "1")
    value = json.loads(line)["value"]
    expect(value["side"] in ("buy", "sell") and isinstance(value["px"], str), line)


def dead_letters_are_listed(project: Project) -> None:
    """dead-letters reaches the topic, in which nothing was put aside."""
    lines = project.compose("run", "--rm", "-T", "dead-letters", "list").splitlines()
    expect(len(lines) == 1 and lines[0].startswith("LETTER"), repr(lines))


def consumers_on_the_host_see_trades(project: Project) -> None:
    """localhost and the published ports are enough for Kafka and the registry."""
    image = f"currency-trends/avrocat:{project.environment['IMAGE_TAG']}"
    line = project.run(
        *("docker", "run", "--rm", "--network", "host"),
        *("-e", f"KAFKA_BOOTSTRAP_SERVERS=localhost:{project.ports['KAFKA1_PORT']}"),
        *("-e", f"SCHEMA_REGISTRY_URL=http://localhost:{project.ports['REGISTRY_PORT']}/apis/ccompat/v7"),
        *(image, "-t", "trades", "-c", "1"),
    )
    expect(json.loads(line)["value"]["tradeId"] > 0, line)


def former_names_are_understood(project: Project) -> None:
    """The env files of the Go program still do, with a warning for each line."""
    former = {
        "API_KEY": "k",
        "SECRET": "s",
        "PASSPHRASE": "p",
        "API_URI": "'https://okx.com'",
        "WSS_ENDPOINT": "wss://ws.okx.com:8443/ws/v5/public",
        "KAFKA_BROKERS": "'kafka1:9092 kafka2:9092'",
        "SCHEMA_REGISTRY_URL": "http://registry:8080",
    }
    image = f"currency-trends/ingestor:{project.environment['IMAGE_TAG']}"
    settings = [word for name, value in former.items() for word in ("-e", f"{name}={value}")]
    done = subprocess.run(
        ["docker", "run", "--rm", *settings, image, "--print-config"], check=True, capture_output=True, text=True
    )
    for line in (
        "OKX_WS_URL=wss://ws.okx.com",
        "OKX_API_KEY=******",
        "KAFKA_BOOTSTRAP_SERVERS=kafka1:9092,kafka2:9092",
    ):
        expect(line in done.stdout.splitlines(), f"no {line} in\n{done.stdout}")
    expect("KAFKA_BROKERS is deprecated, its name is KAFKA_BOOTSTRAP_SERVERS now" in done.stderr, done.stderr)


def all_replicas_are_in_sync(project: Project) -> bool:
    """Whether no partition lacks a copy."""
    return project.kafka("kafka-topics", "--describe", "--under-replicated-partitions").strip() == ""


# --- Makefile ------------------------------------------------------------------------------------------


def make_targets_reach_the_project(project: Project) -> None:
    """make topics, psql, migrate, tail and scale without any setting."""
    expect("trades" in project.run("make", "-s", "topics"), "make topics shows no trades")
    version = project.run("make", "-s", "psql", stdin="SELECT 'version', version FROM schema_migrations;")
    expect("version" in version, version)
    expect("0 applied" in project.run("make", "-s", "migrate"), "make migrate applied something")
    tail = subprocess.Popen(
        ["make", "-s", "tail", "t=trades"],
        cwd=project.directory,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert tail.stdout is not None
        expect('"topic":"trades"' in tail.stdout.readline(), "make tail shows no trade")
    finally:
        os.killpg(tail.pid, signal.SIGINT)  # Ctrl-C
        tail.communicate(timeout=30)  # until compose has removed the container, too


# --- faults --------------------------------------------------------------------------------------------


def rows(project: Project) -> int:
    """Trades in the table."""
    return int(project.sql("SELECT count(*) FROM trades"))


def health(project: Project, service: str) -> str:
    """What the health check of a service's first container says."""
    status: str = project.containers(service)[0]["State"]["Health"]["Status"]
    return status


def trades_arrive(project: Project, count: int = 100) -> None:
    """The table grows."""
    before = rows(project)
    eventually(f"{count} more trades", lambda: rows(project) >= before + count, 120)


def scale(project: Project, **wanted: int) -> None:
    """docker compose up --scale, while running."""
    arguments = [word for service, count in wanted.items() for word in ("--scale", f"{service}={count}")]
    project.up(*arguments)
    for service, count in wanted.items():
        running = project.compose("ps", "-q", service).split()
        expect(len(running) == count, f"{len(running)} of {count} containers of {service}")


def scales_up(project: Project) -> None:
    """Three ingestors and two persisters share the work."""
    scale(project, ingestor=3, persister=2)
    trades_arrive(project)


def scales_down(project: Project) -> None:
    """Back to one each."""
    scale(project, ingestor=1, persister=1)
    trades_arrive(project)


def survives_a_broker(project: Project) -> None:
    """A broker is killed: trades go on; started again, it catches up."""
    project.compose("kill", "kafka2")
    trades_arrive(project, 200)
    project.compose("start", "kafka2")
    eventually("all replicas in sync", lambda: all_replicas_are_in_sync(project), 120)


def survives_the_database(project: Project) -> None:
    """PostgreSQL is killed and comes back: what was published meanwhile is written then."""
    before = rows(project)
    project.compose("kill", "postgres")
    eventually("the persister unhealthy", lambda: health(project, "persister") == "unhealthy", 90)
    project.compose("start", "postgres")
    eventually("trades of the outage", lambda: rows(project) > before + 100, 90)
    eventually("the persister healthy", lambda: health(project, "persister") == "healthy", 60)


def keeps_data(project: Project) -> None:
    """down and up: volumes stay, and the hole of the downtime is filled."""
    before = rows(project)
    project.compose("down")
    project.up()
    expect(rows(project) >= before > 0, f"{rows(project)} rows after {before}")
    trades_arrive(project)


def everything_is_removed(project: Project) -> None:
    """down -v leaves nothing behind."""
    project.compose("down", "-v")
    for kind in (("ps", "-aq"), ("volume", "ls", "-q"), ("network", "ls", "-q")):
        left = project.run("docker", *kind, "--filter", f"label=com.docker.compose.project={project.name}")
        expect(left == "", f"docker {' '.join(kind)}: {left}")


# --- TLS -----------------------------------------------------------------------------------------------


def plain_text_is_refused(project: Project) -> None:
    """Registry, PostgreSQL and Kafka speak TLS only."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{project.ports['REGISTRY_PORT']}/apis/ccompat/v7/subjects", timeout=10
        ):
            expect(False, "the registry answers over plain HTTP")
    except OSError:
        pass
    script = "PGPASSWORD=$(cat /run/secrets/postgres_password) psql -h 127.0.0.1 -U currency_trends -c 'select 1' 2>&1"
    refused = project.compose("exec", "-T", "-e", "PGSSLMODE=disable", "postgres", "sh", "-c", script, check=False)
    expect("no encryption" in refused, refused)
    image = f"currency-trends/avrocat:{project.environment['IMAGE_TAG']}"
    done = subprocess.run(
        [
            *("docker", "run", "--rm", "--network", "host"),
            *("-e", f"KAFKA_BOOTSTRAP_SERVERS=localhost:{project.ports['KAFKA1_PORT']}"),
            *("-e", "SCHEMA_REGISTRY_URL=http://localhost", image, "-t", "trades", "-c", "1"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    expect(done.returncode == 1 and "cannot reach Kafka" in done.stderr, f"{done.returncode}: {done.stdout}{done.stderr}")


def tls_clients_are_served(project: Project) -> None:
    """The tools in kafka1 with client.properties; every connection to PostgreSQL from outside encrypted."""
    listed = project.kafka("kafka-topics", "--command-config", "/etc/kafka/secrets/client.properties", "--list")
    expect("trades" in listed.split(), listed)
    open_connections = project.sql(
        "SELECT count(*) FILTER (WHERE ssl), count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
        "WHERE client_addr IS NOT NULL"
    )
    encrypted, total = map(int, open_connections.split("|"))
    expect(encrypted == total > 0, f"{encrypted} of {total} connections are encrypted")


# --- phases --------------------------------------------------------------------------------------------


def run_plain(checks: Checks, project: Project) -> None:
    """docker-compose.yml with the profile sim."""
    checks.check("first-run-dev keeps what is there", lambda: first_run_keeps_what_is_there(project))
    checks.check("the configuration is clean for every profile and override", lambda: configuration_is_clean(project))
    if not checks.check(
        "make first-run-dev builds and starts", lambda: project.run("make", "first-run-dev", timeout=1200)
    ):
        return
    if not checks.check("everything gets healthy", project.up):
        print(project.compose("ps", "-a", check=False), project.compose("logs", "--tail", "20", check=False))
        return
    for sentence, body in (
        ("trades arrive", trades_arrive),
        ("our containers are confined", programs_are_confined),
        ("the kernel agrees", kernel_agrees),
        ("ports are published on 127.0.0.1 only", ports_are_local),
        ("volumes have names", volumes_have_names),
        ("images are small and labelled", images_are_small_and_labelled),
        ("metrics are to be had from the host", status_ports_answer),
        ("topics have three replicas, two in sync", topics_are_replicated),
        ("topics are not made by chance", topics_are_not_made_by_chance),
        ("the console consumer in kafka1 sees trades", consumers_in_the_container_see_trades),
        ("avrocat decodes them", avrocat_decodes),
        ("dead-letters lists none", dead_letters_are_listed),
        ("a consumer on the host sees them, too", consumers_on_the_host_see_trades),
        ("the former names of settings are understood", former_names_are_understood),
        ("make targets reach the project", make_targets_reach_the_project),
        ("ledger = topic = table", Project.agree),
        ("three ingestors and two persisters", scales_up),
        ("and back to one of each", scales_down),
        ("ledger = topic = table after scaling", Project.agree),
        ("a broker is killed and started again", survives_a_broker),
        ("ledger = topic = table after that", Project.agree),
        ("PostgreSQL is killed and started again", survives_the_database),
        ("ledger = topic = table after that, too", Project.agree),
        ("down and up keep the data", keeps_data),
        ("ledger = topic = table after down and up", Project.agree),
        ("services stop with 0", services_stop_in_order),
        ("down -v leaves nothing", everything_is_removed),
    ):
        checks.check(sentence, lambda body=body: body(project))  # type: ignore[misc]


def run_secure(checks: Checks, project: Project) -> None:
    """The same with docker-compose.secure.yml."""

    def prepare() -> None:
        project.run("docker/secure/make-certificates.sh")
        project.run("make", "first-run-dev", timeout=1200)

    if not checks.check("secure: certificates and images are made", prepare):
        return
    if not checks.check("secure: everything gets healthy", project.up):
        print(project.compose("ps", "-a", check=False), project.compose("logs", "--tail", "20", check=False))
        return
    for sentence, body in (
        ("secure: trades arrive", trades_arrive),
        ("secure: plain text is refused", plain_text_is_refused),
        ("secure: TLS clients are served", tls_clients_are_served),
        ("secure: containers are as confined", programs_are_confined),
        ("secure: volumes have names", volumes_have_names),
        ("secure: ledger = topic = table", Project.agree),
        ("secure: down -v leaves nothing", everything_is_removed),
    ):
        checks.check(sentence, lambda body=body: body(project))  # type: ignore[misc]


def main() -> int:
    """Runs the phases; 0 when every check held."""
    phases = {"plain": (run_plain, ()), "secure": (run_secure, ("docker-compose.yml", "docker-compose.secure.yml"))}
    wanted = sys.argv[1:] or list(phases)
    checks = Checks()
    tag = f"test-{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="compose-test-") as directory:
        work = Path(directory)
        provide_images(work)
        for phase in wanted:
            body, files = phases[phase]
            clone(work / phase)
            project = Project(work / phase, f"currency-trends-{tag}-{phase}", tag, files)
            try:
                body(checks, project)
            finally:
                project.destroy()
    images = [f"currency-trends/{program}:{tag}" for program in PROGRAMS]
    subprocess.run(["docker", "image", "rm", *images], capture_output=True, check=False)
    print(checks.summary())
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
