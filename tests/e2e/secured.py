"""Servers with TLS, accounts and ACLs, and pipelines on them."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path
from types import TracebackType

from certificates import Authority
from harness import Pipeline
from pipeline import REPOSITORY, Service
from servers import KAFKA_SUPER_USER, Security
from stack import Stack
from topics import Topics

HOST = "127.0.0.1"
USERS = (KAFKA_SUPER_USER, "ingestor", "persister", "scheduler", "reader")
# librdkafka before 2.6.1 does SCRAM in a way that Kafka 4 refuses (confluentinc/librdkafka#4895).
SCRAM_WORKS_FROM = (2, 6, 1)


class SecureServers:
    """A stack whose Kafka and PostgreSQL are secure, and the authority that its clients trust."""

    def __init__(self, certificates: Path, logs: Path) -> None:
        self.authority = Authority(certificates)
        certificate = self.authority.issue(KAFKA_SUPER_USER, HOST)
        self.security = Security(
            certificate.certificate,
            certificate.key,
            self.authority.certificate,
            {user: secrets.token_hex(12) for user in USERS},
        )
        self.stack = Stack(is_fast=True, logs=logs, security=self.security)

    def __enter__(self) -> SecureServers:
        self.stack.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.stop()

    def account(self, user: str, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """librdkafka's properties of a Kafka user."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": mechanism,
            "sasl.username": user,
            "sasl.password": self.security.users[user],
            "ssl.ca.location": str(self.authority.certificate),
        }


class SecurePipeline(Pipeline):
    """A pipeline on secure servers. Its services are Kafka's super user unless a test gives them another account."""

    def __init__(self, servers: SecureServers, name: str, logs: Path) -> None:
        super().__init__(servers.stack, name, logs)
        self.servers = servers
        self.accounts: dict[str, dict[str, str]] = {}  # service to settings of its own
        self.settings |= kafka_settings(servers.account(KAFKA_SUPER_USER, service_mechanism()))
        self.topics = Topics(
            self.settings["KAFKA_BOOTSTRAP_SERVERS"],
            self.settings["SCHEMA_REGISTRY_URL"],
            self.settings["TOPIC_PREFIX"],
            servers.account(KAFKA_SUPER_USER),
        )

    def service(self, name: str, **settings: str) -> Service:
        return super().service(name, **{**self.accounts.get(name, {}), **settings})

    def create_writer(self, **variables: str) -> dict[str, str]:
        """A database role that may only write, and the persister's settings for it, verified TLS included."""
        role, password = f"{self.database}_writer", secrets.token_hex(12)
        self.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        self.grant_writer(role, **variables)
        return {
            "PGUSER": role,
            "PGPASSWORD": password,
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(self.servers.authority.certificate),
        }

    def grant_writer(self, role: str, **variables: str) -> None:
        """Runs migrations/roles/writer.sql as its head says."""
        options = [f"--set={name}={value}" for name, value in {"role": role, **variables}.items()]
        subprocess.run(
            ["psql", "--no-psqlrc", "--quiet", *options, "--file", str(REPOSITORY / "migrations/roles/writer.sql")],
            env={**os.environ, **self.settings},
            check=True,
        )


def kafka_settings(properties: dict[str, str]) -> dict[str, str]:
    """librdkafka's properties under the names that our programs read."""
    return {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in properties.items()}


def service_mechanism() -> str:
    """The best that the librdkafka of our programs can do; that of the tests is one of its own."""
    done = subprocess.run(["pkg-config", "--modversion", "rdkafka"], capture_output=True, text=True, check=True)
    version = tuple(int(part) for part in done.stdout.strip().split("."))
    return "SCRAM-SHA-512" if version >= SCRAM_WORKS_FROM else "PLAIN"
