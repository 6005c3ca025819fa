"""The short profile: each kind of fault once, several at a time where they do not get in each other's way."""

from __future__ import annotations

from faults import Fault, can_go_together

TOGETHER_MAX = 3


def bundles(faults: list[Fault]) -> list[list[Fault]]:
    """Every fault in exactly one bundle; those of a bundle touch different things. The same faults, the same plan."""
    plan: list[list[Fault]] = []
    for fault in faults:
        fitting = (
            each for each in plan if len(each) < TOGETHER_MAX and all(can_go_together(fault, other) for other in each)
        )
        bundle = next(fitting, None)
        if bundle is None:
            plan.append([fault])
        else:
            bundle.append(fault)
    return plan
