"""Footprint: memory and CPU of each service idle and at full load, from start to ready, the image's size."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterable

from cannon import SECONDS_MAX, Cannon, ingestor, published
from context import REPOSITORY, Bench
from harness import Pipeline
from machine import cpu_seconds, peak_resident_bytes, resident_bytes
from pipeline import Service
from processes import wait_for
from report import AT_MOST, Aim, Comparison

TITLE = "footprint"
MEBIBYTE = 1024**2
IDLE_RSS = {"scheduler": 16, "ingestor": 16, "persister": 64}
MANY = 1_200
IMAGE = "currency-trends/ingestor:dev"


def run(bench: Bench) -> Iterable[Comparison]:
    """Idle with five instruments, then 1,200 of them, idle and at full load."""
    return [*_idle(bench), *_many(bench), *_image(bench)]


def _idle(bench: Bench) -> list[Comparison]:
    memory = {
        name: Comparison("f", f"{name}, five instruments, RSS", "MiB", aim=Aim(AT_MOST, mebibytes))
        for name, mebibytes in IDLE_RSS.items()
    }
    cpu = {name: Comparison("f", f"{name}, five instruments, CPU", "% of a core") for name in IDLE_RSS}
    ready = {name: Comparison("f", f"{name}, start to ready", "s", aim=Aim(AT_MOST, 1)) for name in IDLE_RSS}
    seconds = bench.pick(full=20, quick=4)
    for _ in bench.rounds(full=3, quick=1):
        with bench.pipeline("idle", CANDLES_CRON="off") as pipeline:
            pipeline.start_simulator()
            services = {name: pipeline.service(name) for name in IDLE_RSS}
            _start(services["persister"])  # makes the topics, which a first start has to wait for
            services["persister"].terminate()
            for name, service in services.items():
                ready[name].add(_start(service))
            pipeline.open_market()
            used = {name: cpu_seconds(service.pid) for name, service in services.items()}
            time.sleep(seconds)
            for name, service in services.items():
                memory[name].add(resident_bytes(service.pid) / MEBIBYTE)
                cpu[name].add((cpu_seconds(service.pid) - used[name]) / seconds * 100)
    return [*memory.values(), *cpu.values(), *ready.values()]


def _start(service: Service) -> float:
    """Seconds from the start to the first good /readyz."""
    began = time.monotonic()
    service.start()
    while not service.is_ready():
        if not service.is_running() or time.monotonic() - began > SECONDS_MAX:
            raise RuntimeError(f"{service.name} is not ready\n{service.last_lines()}")
        time.sleep(0.01)
    return time.monotonic() - began


def _many(bench: Bench) -> list[Comparison]:
    idle = Comparison("f", f"ingestor, {MANY:,} instruments, RSS", "MiB", aim=Aim(AT_MOST, 48))
    idle_cpu = Comparison("f", f"ingestor, {MANY:,} quiet instruments, CPU", "% of a core")
    loaded = Comparison("f", f"ingestor, {MANY:,} instruments at full load, peak RSS", "MiB", aim=Aim(AT_MOST, 48))
    persister = Comparison("f", "persister at full load, peak RSS", "MiB", aim=Aim(AT_MOST, 64))
    trades = bench.pick(full=1_000_000, quick=200_000)
    seconds = bench.pick(full=10, quick=3)
    for _ in bench.rounds(full=3, quick=1):
        with Cannon(bench, trades, MANY) as cannon, ingestor(bench, cannon) as (pipeline, service):
            used = cpu_seconds(service.pid)
            time.sleep(seconds)
            idle_cpu.add((cpu_seconds(service.pid) - used) / seconds * 100)
            idle.add(resident_bytes(service.pid) / MEBIBYTE)
            cannon.fire()
            _await(lambda: published(service), trades)
            loaded.add(peak_resident_bytes(service.pid) / MEBIBYTE)
            persister.add(_persister_peak(pipeline, trades) / MEBIBYTE)
    return [idle, idle_cpu, loaded, persister]


def _persister_peak(pipeline: Pipeline, trades: int) -> int:
    """Of a persister that finds the topic full."""
    service = pipeline.service("persister")
    service.start()
    _await(lambda: pipeline.value("SELECT count(*) FROM trades"), trades)
    return peak_resident_bytes(service.pid)


def _await(count: object, wanted: int) -> None:
    assert callable(count)
    if not wait_for(lambda: count() >= wanted, SECONDS_MAX):
        raise RuntimeError(f"{count():.0f} of {wanted} after {SECONDS_MAX} s")


def _image(bench: Bench) -> list[Comparison]:
    """The runtime image, when there is a Docker that has built it (make first-run-dev)."""
    if shutil.which("docker") is None:
        bench.say("no docker: the image's size is not measured")
        return []
    command = ["docker", "image", "inspect", "--format", "{{.Size}}", IMAGE]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    if done.returncode != 0:
        bench.say(f"no image {IMAGE}: its size is not measured")
        return []
    size = Comparison("f", "runtime image", "MB", aim=Aim(AT_MOST, 120))
    size.add(int(done.stdout) / 1e6)
    return [size]
