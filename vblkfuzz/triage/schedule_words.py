"""The schedule in words: what each deviation does, and which of them had no effect on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.place import place_text
from vblkfuzz.scenario.scenario import Go, Role

if TYPE_CHECKING:
    from vblkfuzz.scenario.place import Place
    from vblkfuzz.scenario.scenario import Deviation, Scenario
    from vblkfuzz.trace.trace import Trace

_NAMES: Final = {
    "MAIN": "the main loop",
    "IO0": "iothread 0",
    "IO1": "iothread 1",
    "VCPU": "the vCPU",
    "GUEST": "the guest",
    "MONITOR": "the monitor",
    "WORKER": "the worker",
}
_THREADS: Final = (Go.MAIN, Go.IO0, Go.IO1)


def deviation_words(one: Deviation, place: Place | None = None, *, held: bool = False) -> str:
    """Return what a deviation does.

    Args:
        one: the deviation.
        place: where it held a thread in a run, if that is known.
        held: whether the device is a real one, which holds the thread of a deviation with a role.
    """
    if held and one.role is not Role.ANY:
        at = _point_of(one) if (found := one.place or place) is None else _place_of(one, found)
        return f"in operation {one.op}, hold {_NAMES[one.role.name]} at {at} {until(one.go)}"
    return (
        f"at point {one.point} of {_counted(one)}, "
        + ("start the next operation" if one.go is Go.NEXT else f"go on with {_NAMES[one.go.name]}")
        + (", with the last stores not visible to it yet" if one.delayed else "")
    )


def until(go: Go) -> str:
    """Return how long a thread of a real device is held."""
    return f"until {_NAMES[go.name]} rests" if go in _THREADS else "over the next operation"


def held_at(one: Deviation, place: Place | None) -> str:
    """Return where a deviation has held a thread of a real device, and how long."""
    found = one.place or place
    return f"held at {found.at if found else _point_of(one)} {until(one.go)}"


def unmet(scenario: Scenario, trace: Trace) -> list[str]:
    """Return a line for each deviation that was to hold a thread in a run and held none."""
    pairs = zip(scenario.schedule, trace.places, strict=False)
    return [
        _unmet(number, one)
        for number, (one, met) in enumerate(pairs)
        if met is None and one.role is not Role.ANY
    ]


def _unmet(number: int, one: Deviation) -> str:
    if one.place:
        return f"the place of deviation {number} was not met: {place_text(one.place)}"
    return (
        f"deviation {number} was not met: {_NAMES[one.role.name]} has no {_point_of(one, 'point')} "
        f"in operation {one.op}"
    )


def _counted(one: Deviation) -> str:
    operation = f"operation {one.op}"
    return operation if one.role is Role.ANY else f"{_NAMES[one.role.name]} in {operation}"


def _point_of(one: Deviation, word: str = "its point") -> str:
    return f"{word} {one.point}{', locks counted,' if one.locks else ''}"


def _place_of(one: Deviation, place: Place) -> str:
    return f"{place_text(place)} ({_point_of(one).rstrip(',')})"
