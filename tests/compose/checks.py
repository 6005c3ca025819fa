"""Counts checks, one line each, and sums them up."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable


class CheckError(Exception):
    """What was expected did not hold; the text says what did."""


class Checks:
    """check() runs one; a failure is shown and counted, and the next one runs."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def check(self, sentence: str, body: Callable[[], object]) -> bool:
        """Runs body, which raises to fail. Whether it held."""
        started = time.monotonic()
        problem = ""
        try:
            body()
        except subprocess.CalledProcessError as error:
            problem = f"{error.cmd} ended with {error.returncode}\n{error.stdout or ''}{error.stderr or ''}"
        except (CheckError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            problem = f"{type(error).__name__}: {error}"
        print(f"{'FAIL' if problem else 'ok  '}  {sentence} ({time.monotonic() - started:.0f} s)", flush=True)
        if problem:
            self.failed += 1
            print("      " + "\n      ".join(problem.splitlines()[-30:]), flush=True)
        else:
            self.passed += 1
        return not problem

    def summary(self) -> str:
        """The last line."""
        return f"{self.passed} passed, {self.failed} failed"


def expect(holds: object, what: str) -> None:
    """Fails the check with that text unless it holds."""
    if not holds:
        raise CheckError(what)


def eventually(what: str, condition: Callable[[], object], timeout_seconds: float = 60) -> object:
    """Waits until the condition gives something true, and returns that."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            found = condition()
            problem = f"last seen: {found!r}"
        except (OSError, ValueError, CheckError, subprocess.CalledProcessError) as error:
            found, problem = None, str(error)
        if found:
            return found
        if time.monotonic() > deadline:
            raise CheckError(f"not in {timeout_seconds:g} s: {what}; {problem}")
        time.sleep(1)
