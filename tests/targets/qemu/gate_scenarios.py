"""Scenarios whose schedules interrupt threads of QEMU 7.2, with what each shows."""

from __future__ import annotations

from dataclasses import replace

from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.scenario.text import from_text

LOST = from_text(
    """format = 1
ops = [{op = "init"}, {op = "publish_kick"}, {op = "drain_begin"}, {op = "publish_kick"},
       {op = "drain_end"}]
schedule = [
    {op = 2, actor = "io0", point = 7, go = "next", at = "run_poll_handlers_begin", after = "mirror_before_drain"},
    {op = 4, actor = "main", point = 30, points = "locks", go = "io0", at = "qemu_mutex_lock block/dirty-bitmap.c:64", after = "aio_co_schedule"},
]
[device]
iothreads = 1
polling = true
event_idx = false
""",  # noqa: E501
    "lost",
)
"""A request that was published in a drained section is never found: `l1-suppressed`."""

_DEADLOCK = from_text(
    """format = 1
ops = [{op = "init"}, {op = "publish_kick"}, {op = "drain_begin"},
       {op = "hostile", content = "address_out_of_range"}, {op = "kick"}, {op = "stop"},
       {op = "drain_end"}]
[device]
iothreads = 1
""",
    "deadlock",
)
DEADLOCK_AT = 74
"""The only point of the main loop, locks included, at which an interruption leads to a deadlock."""
DEADLOCK = "hang-operator-address_space_unmap"

WINDOW = from_text(
    """format = 1
ops = [{op = "init"}, {op = "drain_begin"}, {op = "publish_kick", request = "out"},
       {op = "drain_end"}]
[device]
iothreads = 1
""",
    "window",
)
"""A drained section with a request in it."""


def interrupted_at(point: int) -> Scenario:
    """Return the scenario of the deadlock, whose main loop is interrupted at a point."""
    deviation = Deviation(6, point, Go.IO0, role=Role.MAIN, locks=True)
    return replace(_DEADLOCK, schedule=(deviation,))


def held(scenario: Scenario, role: Role, op: int, go: Go = Go.NEXT, point: int = 0) -> Scenario:
    """Return a scenario that holds a thread in an operation."""
    return replace(scenario, schedule=(Deviation(op, point, go, role=role),))
