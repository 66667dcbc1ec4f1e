"""A schedule with the places at which it held threads in one run, for the file that keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vblkfuzz.scenario.scenario import Role

if TYPE_CHECKING:
    from vblkfuzz.scenario.place import Place
    from vblkfuzz.scenario.scenario import Deviation, Scenario
    from vblkfuzz.trace.trace import Trace


def placed(scenario: Scenario, trace: Trace) -> Scenario:
    """Return a scenario with the places that a run of it has met; a place that it has is kept."""
    if not any(trace.places):
        return scenario
    pairs = zip(scenario.schedule, trace.places, strict=True)
    return replace(scenario, schedule=tuple(_placed(one, place) for one, place in pairs))


def _placed(one: Deviation, place: Place | None) -> Deviation:
    if place is None or one.place or one.role is Role.ANY:
        return one
    return replace(one, place=place)
