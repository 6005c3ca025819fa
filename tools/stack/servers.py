"""The servers of the local stack: what each needs on disk, how it is started, and when it is ready."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from processes import accepts_connections, as_user

HERE = Path(__file__).resolve().parent
DATABASE = "currency_trends"
DATABASE_USER = "currency_trends"
# Java servers that start fast matter more here than ones that are at their best after minutes.
JAVA_FLAGS = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Djava.awt.headless=true"]


@dataclass(frozen=True)
class Security:
    """What Kafka and PostgreSQL show and ask for when they are to be secure. The files are PEM.

    Kafka: SASL_SSL with SCRAM-SHA-512, or PLAIN for librdkafka before 2.6.1, whose SCRAM Kafka 4 refuses; everything is
    forbidden but what ACLs allow, except to `KAFKA_SUPER_USER`.
    PostgreSQL: TLS for whoever wants it. The registry has no accounts of its own and stays as it is.
    """

    certificate: Path  # for 127.0.0.1; common name `KAFKA_SUPER_USER`, by which controllers know each other
    key: Path
    authority: Path
    users: Mapping[str, str]  # user of Kafka to password, the super user included


KAFKA_SUPER_USER = "admin"
SCRAM_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
PLAIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"


class StackError(Exception):
    """The stack cannot be started; the text says why and what to do."""


def jar_directory() -> Path:
    """Where tools/deps.sh puts the jars: one folder per content of pom.xml."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256((HERE / "pom.xml").read_bytes()).hexdigest()[:12]
    directory = cache / "currency-trends" / f"stack-{digest}"
    if not (directory / "kafka").is_dir():
        raise StackError(f"no Kafka jars in {directory}: run tools/deps.sh first")
    return directory


def run_quietly(argv: list[str], log: Path, *, cwd: Path, env: dict[str, str] | None = None) -> None:
    """Runs a preparing command with its output in the log; StackError with the last lines when it fails."""
    done = subprocess.run(
        argv, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as output:
        output.write(done.stdout + done.stderr)
    if done.returncode != 0:
        raise StackError(f"{argv[0]} failed:\n" + "\n".join((done.stdout + done.stderr).splitlines()[-8:]))


class Server:
    """One server. A subclass fills in the command, the probe and what must be done once before the first start."""

    stop_signal: int = signal.SIGTERM
    user: str | None = None
    starts_at_most: int = 1  # how often it may end before it is ready

    def __init__(self, name: str, directory: Path, log: Path) -> None:
        self.name = name
        self.directory = directory
        self.log = log

    @property
    def listen_port(self) -> int:
        """Where its clients connect."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Creates data on disk unless it is there; may take seconds, and may run in any thread."""

    def command(self) -> list[str]:
        """The program and its arguments; it stays in the foreground."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Variables for the server on top of ours."""
        return {}

    def is_ready(self, output: str) -> bool:
        """Asks the server itself; `output` is what it has logged since it was started."""
        raise NotImplementedError

    def after_ready(self) -> None:
        """What needs the running server, such as creating a database; harmless when repeated."""


class Broker(Server):
    """A Kafka broker that is also a controller of the KRaft quorum."""

    def __init__(self, node_id: int, directory: Path, log: Path, cluster: KafkaCluster) -> None:
        super().__init__(f"kafka-{node_id}", directory, log)
        self.node_id = node_id
        self.cluster = cluster
        self.properties = directory / "server.properties"

    @property
    def listen_port(self) -> int:
        return self.cluster.ports[self.node_id][0]

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        _write_private(self.properties, self.cluster.properties(self.node_id, self.directory / "data"))
        if not (self.directory / "data" / "meta.properties").exists():
            format_storage = ["kafka.tools.StorageTool", "format", "-t", self.cluster.cluster_id, "-c"]
            arguments = [*format_storage, str(self.properties), *self.cluster.format_options()]
            run_quietly([*kafka_java(64), *arguments], self.log, cwd=self.directory)

    def command(self) -> list[str]:
        return [*kafka_java(512), "kafka.Kafka", str(self.properties)]

    def is_ready(self, output: str) -> bool:
        return "Kafka Server started" in output and accepts_connections(self.listen_port)


def kafka_java(heap_megabytes: int) -> list[str]:
    """The command that runs one of Kafka's classes, whose name and arguments follow."""
    logging = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
    class_path = f"{jar_directory() / 'kafka'}/*"
    return ["java", f"-Xmx{heap_megabytes}m", *JAVA_FLAGS, logging, "-cp", class_path]


class KafkaCluster:
    """What the brokers of one cluster share: ids, ports, and how they find each other."""

    def __init__(
        self, cluster_id: str, ports: dict[int, tuple[int, int]], directory: Path, security: Security | None
    ) -> None:
        self.cluster_id = cluster_id
        self.ports = ports  # node id -> (clients, controllers)
        self.security = security
        self.key_store = directory / "kafka.pem"

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"127.0.0.1:{clients}" for clients, _ in self.ports.values())

    @property
    def replication_factor(self) -> int:
        return min(3, len(self.ports))

    def properties(self, node_id: int, data: Path) -> str:
        """The text of server.properties: small, durable enough for its size, nothing created by accident."""
        clients, controllers = self.ports[node_id]
        voters = ",".join(f"{node}@127.0.0.1:{port}" for node, (_, port) in self.ports.items())
        settings = {
            "process.roles": "broker,controller",
            "node.id": node_id,
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": f"CLIENTS://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controllers}",
            "advertised.listeners": f"CLIENTS://127.0.0.1:{clients}",
            "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "CLIENTS",
            "log.dirs": data,
            "auto.create.topics.enable": "false",
            "min.insync.replicas": 2 if self.replication_factor > 1 else 1,
            "offsets.topic.replication.factor": self.replication_factor,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": self.replication_factor,
            "transaction.state.log.min.isr": 2 if self.replication_factor > 1 else 1,
            "transaction.state.log.num.partitions": 4,
            # Members of a group here start one after another on purpose; waiting for more of them helps nobody.
            "group.initial.rebalance.delay.ms": 0,
            "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
            "num.network.threads": 2,
            "num.io.threads": 4,
            **self._secure_properties(),
        }
        return "".join(f"{key}={value}\n" for key, value in settings.items())


    def format_options(self) -> list[str]:
        """The super user must be there before the first broker starts: brokers are it among themselves."""
        users = {} if self.security is None else self.security.users
        return [
            part
            for user, password in users.items()
            for part in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]")
        ]

    def client_properties(self, user: str) -> str:
        """The configuration of a Java client of the secure cluster, as Kafka's own tools take it."""
        assert self.security is not None
        settings = {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.jaas.config": f"{self._login(SCRAM_MODULE, user)};",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.security.authority,
        }
        return "".join(f"{key}={value}\n" for key, value in settings.items())

    def _login(self, module: str, user: str) -> str:
        assert self.security is not None
        return f'{module} required username="{user}" password="{self.security.users[user]}"'

    def _secure_properties(self) -> dict[str, object]:
        """SCRAM's users are in the metadata, so controllers, who keep that, know each other by certificate."""
        if self.security is None:
            return {}
        if not self.key_store.exists():
            _write_private(self.key_store, self.security.key.read_text() + self.security.certificate.read_text())
        plain_users = " ".join(f'user_{user}="{password}"' for user, password in self.security.users.items())
        return {
            "listener.security.protocol.map": "CLIENTS:SASL_SSL,CONTROLLER:SSL",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "listener.name.clients.scram-sha-512.sasl.jaas.config": f"{self._login(SCRAM_MODULE, KAFKA_SUPER_USER)};",
            "listener.name.clients.plain.sasl.jaas.config": (
                f"{self._login(PLAIN_MODULE, KAFKA_SUPER_USER)} {plain_users};"
            ),
            "listener.name.controller.ssl.client.auth": "required",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.key_store,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.security.authority,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{KAFKA_SUPER_USER};User:CN={KAFKA_SUPER_USER}",
        }


class Registry(Server):
    """Apicurio with its Confluent-compatible API, on a database file of its own."""

    starts_at_most = 3  # it ends when its database takes longer than five seconds to open, as on a busy machine

    def __init__(self, directory: Path, log: Path, port: int) -> None:
        super().__init__("registry", directory, log)
        self.port = port

    @property
    def listen_port(self) -> int:
        return self.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/apis/ccompat/v7"

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        [runner] = (jar_directory() / "registry").glob("*-runner.jar")
        return ["java", "-Xmx256m", *JAVA_FLAGS, "-jar", str(runner)]

    def environment(self) -> dict[str, str]:
        return {
            "QUARKUS_HTTP_HOST": "127.0.0.1",
            "QUARKUS_HTTP_PORT": str(self.port),
            "QUARKUS_HTTP_ACCESS_LOG_ENABLED": "false",
            "APICURIO_DATASOURCE_URL": f"jdbc:h2:file:{self.directory / 'schemas'}",
        }

    def is_ready(self, output: str) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False


class PostgreSql(Server):
    """PostgreSQL on TCP only: the path of a socket may be longer than the 107 bytes it can have."""

    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait for every client to leave

    def __init__(
        self,
        directory: Path,
        log: Path,
        port: int,
        password: str,
        *,
        is_fast: bool,
        settings: Mapping[str, str] = {},
        security: Security | None = None,
    ) -> None:
        self.user = _unprivileged_user()
        super().__init__("postgres", _reachable_directory(directory, self.user), log)
        self.port = port
        self.password = password
        self.is_fast = is_fast
        self.settings = dict(settings)
        self.security = security
        self.programs = _postgresql_programs()

    @property
    def listen_port(self) -> int:
        return self.port

    def client_environment(self) -> dict[str, str]:
        """libpq's variables for the stack's database."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGDATABASE": DATABASE,
            "PGUSER": DATABASE_USER,
            "PGPASSWORD": self.password,
        }

    def prepare(self) -> None:
        self._create_data()
        if self.security is not None:
            self._take_certificate(self.security)

    def _take_certificate(self, security: Security) -> None:
        """The server reads its key only if it belongs to itself."""
        for name, source in (("server.crt", security.certificate), ("server.key", security.key)):
            copy = self.directory / name
            _write_private(copy, source.read_text())
            if self.user is not None:
                shutil.chown(copy, self.user)

    def _create_data(self) -> None:
        if (self.directory / "data" / "PG_VERSION").exists():
            return
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        password_file = self.directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        if self.user is not None:
            for path in (self.directory, password_file):
                shutil.chown(path, self.user)
        options = ["--username", DATABASE_USER, f"--pwfile={password_file}", "--auth=scram-sha-256"]
        options += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D", str(self.directory / "data")]
        initdb = as_user([str(self.programs / "initdb"), *options], self.user)
        try:
            run_quietly(initdb, self.log, cwd=self.directory)
        finally:
            password_file.unlink()

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if self.is_fast:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        if self.security is not None:
            files = {"ssl_cert_file": self.directory / "server.crt", "ssl_key_file": self.directory / "server.key"}
            settings |= {"ssl": "on", **{name: str(path) for name, path in files.items()}}
        settings |= self.settings
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        data = str(self.directory / "data")
        return [str(self.programs / "postgres"), "-D", data, "-p", str(self.port), *options]

    def is_ready(self, output: str) -> bool:
        if "ready to accept connections" not in output:
            return False
        return self._psql("SELECT 1", "postgres").returncode == 0

    def after_ready(self) -> None:
        is_there = self._psql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'", "postgres").stdout.strip()
        if is_there != "1":
            created = self._psql(f"CREATE DATABASE {DATABASE}", "postgres")
            if created.returncode != 0:
                raise StackError(f"cannot create the database: {created.stderr.strip()}")

    def _psql(self, statement: str, database: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **self.client_environment(), "PGDATABASE": database, "PGCONNECT_TIMEOUT": "2"}
        return subprocess.run(
            [str(self.programs / "psql"), "-XAtqc", statement],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )


def _write_private(path: Path, text: str) -> None:
    """A file that its owner alone may read."""
    path.touch(mode=0o600)
    path.write_text(text)


def _postgresql_programs() -> Path:
    """The folder of initdb and postgres: Debian keeps them off PATH, one folder per version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = str(versions[-1]) if versions else shutil.which("initdb")
    if found is None:
        raise StackError("no PostgreSQL server programs found: run tools/deps.sh first")
    return Path(found).parent


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root: then it runs as its package's user, or as nobody."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _reachable_directory(wanted: Path, user: str | None) -> Path:
    """`wanted`, or a folder under the temporary directory when `user` may not walk there (a checkout under /root)."""
    if user is None or all(parent.stat().st_mode & 0o001 for parent in wanted.parents if parent.exists()):
        return wanted
    digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
    elsewhere = Path(tempfile.gettempdir()) / f"currency-trends-postgres-{digest}"
    elsewhere.mkdir(mode=0o700, exist_ok=True)
    status = elsewhere.lstat()
    if elsewhere.is_symlink() or status.st_uid not in (0, pwd.getpwnam(user).pw_uid):
        raise StackError(f"{elsewhere} belongs to somebody else")
    return elsewhere
