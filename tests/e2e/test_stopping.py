"""SIGTERM ends each service with status 0 within 10 s, SIGKILL at any time; either way nothing is lost."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from harness import STOP_SECONDS, Pipeline, eventually
from pipeline import REPOSITORY, Service


@pytest.fixture
def running(pipeline: Pipeline) -> tuple[Pipeline, dict[str, Service]]:
    """A pipeline in the middle of a lively market, and its services by name."""
    pipeline.settings["CURRENCIES"] = "BTC,ETH"
    pipeline.start_simulator(SIM_TRADE_RATE="30", SIM_INSTRUMENTS="BTC-USDT,ETH-USDT")
    services = pipeline.start("scheduler", "persister", "ingestor")
    pipeline.open_market()
    pipeline.wait_executed_more(60)
    return pipeline, {service.name: service for service in services}


@pytest.mark.parametrize("name", ["ingestor", "persister", "scheduler"])
def test_sigterm_ends_a_service_cleanly_and_nothing_is_lost(
    running: tuple[Pipeline, dict[str, Service]], name: str
) -> None:
    pipeline, services = running
    assert services[name].terminate(STOP_SECONDS) == 0
    pipeline.wait_executed_more(60)
    services[name].start()
    services[name].wait_ready()
    pipeline.wait_executed_more(60)
    pipeline.assert_complete()


@pytest.mark.parametrize("name", ["ingestor", "persister", "scheduler"])
def test_sigkill_loses_nothing(running: tuple[Pipeline, dict[str, Service]], name: str) -> None:
    pipeline, services = running
    services[name].kill()
    assert services[name].exit_status() == -signal.SIGKILL
    pipeline.wait_executed_more(60)
    services[name].start()
    services[name].wait_ready(60)
    pipeline.wait_executed_more(60)
    pipeline.assert_complete(60)


def test_an_ingestor_killed_right_after_its_first_trades_loses_nothing(pipeline: Pipeline) -> None:
    """What it had published is where its successor must go on, even if no position was published yet."""
    pipeline.settings["CURRENCIES"] = "BTC,ETH"
    pipeline.start_simulator(SIM_TRADE_RATE="30", SIM_INSTRUMENTS="BTC-USDT,ETH-USDT")
    _, _, ingestor = pipeline.start("scheduler", "persister", "ingestor")
    pipeline.open_market()
    first = "SELECT count(DISTINCT inst_id) FROM trades"
    eventually("the first trade of each is stored", lambda: pipeline.value(first) == 2)
    ingestor.kill()
    pipeline.wait_executed_more(60)
    ingestor.start()
    ingestor.wait_ready(60)
    pipeline.wait_executed_more(60)
    pipeline.assert_complete(60)


def test_a_second_ingestor_shares_the_work_and_takes_over(running: tuple[Pipeline, dict[str, Service]]) -> None:
    pipeline, services = running
    [second] = pipeline.start("ingestor")
    pipeline.wait_executed_more(60)
    assert services["ingestor"].terminate(STOP_SECONDS) == 0
    pipeline.wait_executed_more(120)
    pipeline.assert_complete(60)
    assert second.metrics().value("trades_received_total") > 0


def test_two_persisters_write_each_trade_once(running: tuple[Pipeline, dict[str, Service]]) -> None:
    pipeline, services = running
    [second] = pipeline.start("persister")
    pipeline.wait_executed_more(120)
    pipeline.assert_complete()
    written = sum(each.metrics().value("rows_written_total", table="trades") for each in (services["persister"], second))
    assert written == len(pipeline.table_trades())


def test_of_two_schedulers_one_is_active_and_the_other_takes_over(
    running: tuple[Pipeline, dict[str, Service]],
) -> None:
    pipeline, services = running
    [second] = pipeline.start("scheduler")
    both = (services["scheduler"], second)
    second.wait_until("one of two active", lambda: _active(*both) == 1, 20)
    [active] = [each for each in both if _active(each) == 1]
    [idle] = [each for each in both if each is not active]
    assert active.terminate(STOP_SECONDS) == 0
    idle.wait_until("active", lambda: _active(idle) == 1, 30)


def _active(*schedulers: Service) -> float:
    return sum(each.metrics().value("scheduler_active") for each in schedulers)


def test_a_producer_that_is_lost_is_replaced_without_a_restart(pipeline: Pipeline, tmp_path: Path) -> None:
    """librdkafka gives up an idempotent producer whose records may be out of order: no reason to end."""
    library = REPOSITORY / "build/tests/e2e/lost_producer.so"
    subprocess.run(["make", "-s", str(library.relative_to(REPOSITORY))], cwd=REPOSITORY, check=True)
    order = tmp_path / "lose-the-producer"
    pipeline.start_simulator(SIM_TRADE_RATE="100")
    pipeline.start("scheduler", "persister")
    [ingestor] = pipeline.start("ingestor", LD_PRELOAD=str(library), LOST_PRODUCER_FILE=str(order))
    pipeline.open_market()
    for times in range(1, 3):
        pipeline.wait_executed_more(100)
        order.touch()
        begun = lambda: ingestor.log.read_text().count("beginning anew")  # noqa: B023, E731
        eventually("the ingestor begins anew", lambda: begun() == times)
        ingestor.wait_ready()
    pipeline.wait_executed_more(100)
    pipeline.assert_complete()
    assert ingestor.exit_status() is None
