"""No step of the data path may cost more instructions than the baseline says, nor fewer: then refresh it."""

from __future__ import annotations

import pytest
from instructions import TOLERANCE, baseline, build, count, operations


@pytest.mark.parametrize("operation", operations())
def test_a_step_costs_what_the_baseline_says(operation: str) -> None:
    """make instructions-baseline writes a new one, for this compiler and C library."""
    known = baseline().get(build())
    if known is None:
        pytest.skip(f"no baseline for {build()}: not compared")
    assert operation in known, f"{operation} is not in the baseline: make instructions-baseline"
    now = count(operation)
    change = now / known[operation] - 1
    assert abs(change) <= TOLERANCE, (
        f"{operation}: {now} instructions, {change:+.1%} to the baseline's {known[operation]}; "
        "if that is meant, make instructions-baseline"
    )
