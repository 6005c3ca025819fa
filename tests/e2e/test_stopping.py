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
    pipeline.wait_begun()
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
    first, later, poisoned = (tmp_path / name for name in ("before-the-first-command", "amid-trades", "before-a-letter"))
    pipeline.start_simulator(SIM_TRADE_RATE="100")
    first.touch()
    [persister] = pipeline.start("persister", LD_PRELOAD=str(library), LOST_PRODUCER_FILE=str(poisoned))
    [ingestor] = pipeline.start("ingestor", LD_PRELOAD=str(library), LOST_PRODUCER_FILE=str(later))
    [scheduler] = pipeline.start("scheduler", LD_PRELOAD=str(library), LOST_PRODUCER_FILE=str(first))
    begun = lambda service: service.log.read_text().count("beginning anew")  # noqa: E731
    eventually("the scheduler begins anew", lambda: begun(scheduler) == 1)
    pipeline.open_market()
    for times in (1, 2):
        pipeline.wait_executed_more(100)
        later.touch()
        eventually("the ingestor begins anew", lambda times=times: begun(ingestor) == times)
        ingestor.wait_ready()
    poisoned.touch()
    eventually("its producer is lost", lambda: not poisoned.exists())
    pipeline.topics.produce("candles", "BTC-USDT", b"poison")
    eventually("the persister begins anew", lambda: begun(persister) == 1)
    letters = lambda: [each.value for each in pipeline.topics.read_raw("dead-letters")]  # noqa: E731
    eventually("the letter that it could not write", lambda: letters() == [b"poison"])
    pipeline.wait_executed_more(100)
    pipeline.assert_complete()
    done = "SELECT count(*) FROM fetches WHERE status = 'done' AND kind = 'currencies'"
    eventually("the first command of all is carried out", lambda: pipeline.value(done) == 1)
    assert [each.exit_status() for each in (scheduler, ingestor, persister)] == [None, None, None]
