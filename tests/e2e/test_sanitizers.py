"""The services built with AddressSanitizer and UBSan, leak detection on, through a run with faults and an end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import harness
import pytest
from harness import STOP_SECONDS, Pipeline
from pipeline import REPOSITORY

SANITIZED = REPOSITORY / "build/san-address-undefined/bin"


@pytest.fixture
def sanitized(new_pipeline: Callable[[str], Pipeline], monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A pipeline of the sanitized programs."""
    if not (SANITIZED / "ingestor").exists():
        pytest.skip("no sanitized build: make SAN=address,undefined build")
    monkeypatch.setattr(harness, "BINARIES", Path(SANITIZED))
    monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=1:exitcode=99")
    monkeypatch.setenv("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1:exitcode=99")
    made = new_pipeline("sanitizers")
    try:
        yield made
    finally:
        made.close()


def test_no_leak_and_no_undefined_behaviour_in_a_run_with_faults(sanitized: Pipeline) -> None:
    simulator = sanitized.start_simulator(SIM_TRADE_RATE="20")
    services = sanitized.start("scheduler", "persister", "ingestor")
    sanitized.open_market()
    sanitized.wait_begun()
    for fault, parameters in (
        ("gap", {"instId": "BTC-USDT", "count": 5}),
        ("malformed", {"count": 2}),
        ("drop", {}),
        ("rest", {"endpoint": "market/history-trades", "status": 500, "code": 50026, "count": 2}),
    ):
        simulator.fault(fault, **parameters)
        sanitized.wait_executed_more(100, 60)
    sanitized.topics.produce("trades", "BTC-USDT", b"poison")
    sanitized.wait_executed_more(20)
    expected = sanitized.halt_and_drain(90)
    assert sanitized.table_trades() == expected
    # LeakSanitizer looks at the end, which must be an orderly one; close() reads what it said.
    for service in services:
        assert service.terminate(2 * STOP_SECONDS) == 0, service.last_lines(60)
