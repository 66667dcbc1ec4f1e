"""A scenario: one input, as a value.

`Scenario` = device configuration + operations in sequence + a sparse schedule. With the empty
schedule each operation runs to its end and the device settles before the next one begins. Each
`Deviation` is one point at which the execution differs from that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from vblkfuzz import limits
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op

__all__ = ["Deviation", "DeviceConfig", "Go", "Scenario"]


class Go(IntEnum):
    """What runs next after a deviation. Values up to IO1 equal `trace.event.ActorId`."""

    GUEST = 0
    VCPU = 1
    MAIN = 2
    IO0 = 3
    IO1 = 4
    NEXT = 5
    """Start the next operation without settling first."""


@dataclass(frozen=True, slots=True, order=True)
class Deviation:
    """At the `point`-th preemption point of operation `op`, go on with `go`."""

    op: int
    point: int
    go: Go
    delayed: bool = False
    """The stores of the interrupted actor to guest memory since its last barrier stay in its store
    buffer (x86 TSO). They become visible to other actors when that actor continues, at the latest
    when all actors are idle."""


def _in_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: expected {low}..{high}, found {value}")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One input: configuration, operations, schedule."""

    device: DeviceConfig = field(default_factory=DeviceConfig)
    ops: tuple[Op, ...] = ()
    schedule: tuple[Deviation, ...] = ()
    """Sorted; at most one deviation per (op, point)."""

    def __post_init__(self) -> None:
        """Check the sizes, and that the schedule is in canonical order."""
        if len(self.ops) > limits.MAX_OPS:
            raise ValueError(f"ops: expected at most {limits.MAX_OPS}, found {len(self.ops)}")
        if len(self.schedule) > limits.MAX_DEVIATIONS:
            raise ValueError(f"schedule: expected at most {limits.MAX_DEVIATIONS}")
        places = [(deviation.op, deviation.point) for deviation in self.schedule]
        if places != sorted(set(places)):
            raise ValueError("schedule: expected ascending (op, point), each once")
        for deviation in self.schedule:
            _in_range("schedule op", deviation.op, 0, limits.MAX_OPS - 1)
            _in_range("schedule point", deviation.point, 0, limits.MAX_POINT - 1)

    @property
    def delays(self) -> bool:
        """Whether the schedule delays stores of any actor."""
        return any([deviation.delayed for deviation in self.schedule])
