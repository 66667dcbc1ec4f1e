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
from vblkfuzz.scenario.place import Place, check_place

__all__ = ["Deviation", "DeviceConfig", "Go", "Place", "Role", "Scenario"]


class Go(IntEnum):
    """What runs next after a deviation. Values up to IO1 equal `trace.event.ActorId`."""

    GUEST = 0
    VCPU = 1
    MAIN = 2
    IO0 = 3
    IO1 = 4
    NEXT = 5
    """Start the next operation without settling first."""


class Role(IntEnum):
    """Whose points a deviation counts."""

    ANY = 0
    """All actors together."""
    MAIN = 1
    IO0 = 2
    IO1 = 3
    VCPU = 4
    GUEST = 5
    MONITOR = 6
    """The thread of a real device that reads the operator's commands (QMP)."""
    WORKER = 7
    """A thread of the thread pool of a real device."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """At the `point`-th preemption point of operation `op`, go on with `go`.

    With a `role`, only the points of that actor since the operation began count: point 0 is before
    its first one. On a real device a point of an actor is a stop at a trace line of that thread, 0
    is its first stop, and the thread is held there:

    * `go` is MAIN, IO0 or IO1: that thread goes on first, and the held one when all others rest;
    * `go` is another one: the thread is held over the next operation.
    """

    op: int
    point: int
    go: Go
    delayed: bool = False
    """The stores of the interrupted actor to guest memory since its last barrier stay in its store
    buffer (x86 TSO). They become visible to other actors when that actor continues, at the latest
    when all actors are idle."""
    role: Role = Role.ANY
    locks: bool = False
    """Whether stops at locks count as well; on real devices only."""
    place: Place | None = None
    """Where the thread stops: decides instead of `point` on a real device. The model ignores it."""

    @property
    def where(self) -> tuple[int, int, Role, bool]:
        """What differs between all deviations of a schedule, and gives their order."""
        return self.op, self.point, self.role, self.locks

    @property
    def hurries(self) -> bool:
        """Whether the next operation may start before the device has settled.

        On a real device also if a thread is held over that operation.
        """
        return self.go is Go.NEXT or (self.role is not Role.ANY and self.go <= Go.VCPU)

    def __lt__(self, other: Deviation) -> bool:
        """Whether it stands before another one in a schedule."""
        return self.where < other.where


def _in_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: expected {low}..{high}, found {value}")


def _check(deviation: Deviation) -> None:
    _in_range("schedule op", deviation.op, 0, limits.MAX_OPS - 1)
    _in_range("schedule point", deviation.point, 0, limits.MAX_POINT - 1)
    if deviation.role is Role.ANY and (deviation.locks or deviation.place):
        raise ValueError("schedule: expected a role beside locks and place")
    if deviation.place:
        try:
            check_place(deviation.place)
        except ValueError as error:
            raise ValueError(f"schedule place: {error}") from None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One input: configuration, operations, schedule."""

    device: DeviceConfig = field(default_factory=DeviceConfig)
    ops: tuple[Op, ...] = ()
    schedule: tuple[Deviation, ...] = ()
    """Sorted; at most one deviation per (op, point, role, locks)."""

    def __post_init__(self) -> None:
        """Check the sizes, and that the schedule is in canonical order."""
        if len(self.ops) > limits.MAX_OPS:
            raise ValueError(f"ops: expected at most {limits.MAX_OPS}, found {len(self.ops)}")
        if len(self.schedule) > limits.MAX_DEVIATIONS:
            raise ValueError(f"schedule: expected at most {limits.MAX_DEVIATIONS}")
        places = [deviation.where for deviation in self.schedule]
        if places != sorted(set(places)):
            raise ValueError("schedule: expected ascending (op, point, role, locks), each once")
        for deviation in self.schedule:
            _check(deviation)

    @property
    def delays(self) -> bool:
        """Whether the schedule delays stores of any actor."""
        return any([deviation.delayed for deviation in self.schedule])
