"""Fixtures of the end-to-end tests: the servers once, and a pipeline of its own for each test."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools/stack"))

from harness import LOGS, Pipeline  # noqa: E402
from secured import SecurePipeline, SecureServers  # noqa: E402
from stack import Stack  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    """Makes our marks known."""
    config.addinivalue_line("markers", "long: an outage or a sleep of about a minute; make test-long runs it")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Kafka, registry and PostgreSQL for the whole session, or for each of pytest-xdist's workers."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with Stack(is_fast=True, logs=LOGS / f"stack-{worker}") as running:
        yield running


@pytest.fixture(scope="session")
def new_pipeline(stack: Stack) -> Callable[[str], Pipeline]:
    """Makes pipelines; who makes one closes it."""

    def make(name: str) -> Pipeline:
        return Pipeline(stack, name, LOGS / re.sub(r"[^\w-]+", "-", name))

    return make


@pytest.fixture
def pipeline(new_pipeline: Callable[[str], Pipeline], request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    """A pipeline for one test, ended and checked after it."""
    made = new_pipeline(request.node.name)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def market_day(new_pipeline: Callable[[str], Pipeline]) -> Iterator[Pipeline]:
    """An undisturbed day in small, for all that look at what it left: five instruments, some hundred trades,
    then silence and everything stored. The services still run.
    """
    made = new_pipeline("market-day")
    try:
        made.start_simulator(SIM_TRADE_RATE="20")
        made.start("scheduler", "persister", "ingestor")
        made.open_market()
        made.wait_executed_more(300)
        made.halt_and_drain()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def secure_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServers]:
    """A second set of servers for the session: with TLS, accounts and ACLs."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with SecureServers(tmp_path_factory.mktemp("certificates"), LOGS / f"secure-stack-{worker}") as running:
        yield running


@pytest.fixture
def secure_pipeline(secure_servers: SecureServers, request: pytest.FixtureRequest) -> Iterator[SecurePipeline]:
    """A pipeline for one test on the secure servers, ended and checked after it."""
    name = request.node.name
    made = SecurePipeline(secure_servers, name, LOGS / re.sub(r"[^\w-]+", "-", name))
    try:
        yield made
    finally:
        made.close()
