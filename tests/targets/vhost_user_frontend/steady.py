"""Scenarios without what QEMU does not survive as a front-end (docs/real-devices.md).

Without a back-end, QEMU up to 11.1 aborts when the driver writes the cache mode. 7.2 does not
notice a connection that is lost while the device is not started, nor one that is lost within a
greeting: after that it may fail, hang or spin, and the clock decides what is seen. A wrong answer
is such a loss.
"""

from __future__ import annotations

from dataclasses import replace

from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario

_ENDS = frozenset({"reset", "system_reset", "stop", "init"})
"""Operations in which the device is stopped, or fails to start."""
_LATE = op("answer", how="late").b
_NOT_AWAY = _ENDS | {"replug", "writeback"}
"""Operations that QEMU does not survive without a back-end, or that let it miss the next one."""


def is_cut(one: Op) -> bool:
    """Whether the back-end ends in an operation."""
    return one.name == "save" or one == op("replug", part="connection")


def _whole(one: Op) -> Op:
    """Complete a set-up: what a later kick before DRIVER_OK does depends on the moment."""
    return one._replace(a=0) if one.name == "init" else one


def steady(scenario: Scenario) -> Scenario:
    """Keep each end of a back-end at which the device works, and let it work until the next."""
    kept: list[Op] = []
    works = away = False
    for one in map(_whole, scenario.ops):
        if one.name == "start_fail" or (is_cut(one) and not works):
            continue
        if one.name == "answer" and one.b != _LATE:
            continue
        if away and one.name in _NOT_AWAY:
            continue
        kept.append(one)
        if one.name in ("save", "restore"):
            away = one.name == "save"
        elif one.name in _ENDS or one == op("replug", part="device"):
            works = one.name == "init"
    return replace(scenario, ops=tuple(kept))
