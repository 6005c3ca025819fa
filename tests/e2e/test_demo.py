"""`make demo`, as somebody sees it who has just cloned the repository and built it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from harness import IS_SANITIZED
from pipeline import REPOSITORY
from processes import wait_for

DEMO = [sys.executable, str(REPOSITORY / "tools/demo/demo.py"), "--okx", "sim"]

pytestmark = pytest.mark.skipif(
    IS_SANITIZED or not (REPOSITORY / "build/bin/ingestor").exists(), reason="the demo runs what is in build/bin"
)


def test_a_demo_of_some_seconds_ends_with_its_verdict() -> None:
    done = subprocess.run(
        DEMO, env={**os.environ, "DEMO_SECONDS": "8"}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "agree exactly" in done.stdout
    assert "psql" in done.stdout and "avrocat" in done.stdout and "/metrics" in done.stdout


def test_ctrl_c_ends_the_demo_cleanly() -> None:
    demo = subprocess.Popen(DEMO, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    try:
        for line in demo.stdout:
            if "all services are ready" in line:
                break
        demo.send_signal(signal.SIGINT)
        assert demo.wait(40) == 0
    finally:
        demo.kill()
    assert wait_for(lambda: not servers_of_the_demo(), 10), servers_of_the_demo()


def servers_of_the_demo() -> list[str]:
    """Processes that still work in the demo's directory."""
    found = subprocess.run(["pgrep", "-af", str(REPOSITORY / ".stack/sim")], capture_output=True, text=True)
    return found.stdout.splitlines()
