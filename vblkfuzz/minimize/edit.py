"""Edits of a scenario in which a deviation stays with its operation.

A `Deviation` names its operation by position. Here an operation and its deviations are one *item*,
so that dropping, moving or replacing one item does not change the deviations of the others. The
deviations of a dropped item are dropped too.

Read next: `minimize.weight` (which of two scenarios is smaller), `minimize.minimize`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario

Mark = tuple[int, Go, bool]
"""A deviation without its operation: (point, go, delayed)."""


class Item(NamedTuple):
    """An operation and its deviations."""

    op: Op
    marks: tuple[Mark, ...] = ()
    """Its deviations, ascending by point."""


def items_of(scenario: Scenario) -> list[Item]:
    """Return the items of a scenario; deviations of operations that do not exist are left out."""
    marks: list[list[Mark]] = [[] for _ in scenario.ops]
    for deviation in scenario.schedule:
        if deviation.op < len(marks):
            mark = deviation.point, deviation.go, deviation.delayed
            marks[deviation.op].append(mark)
    return [Item(op, tuple(own)) for op, own in zip(scenario.ops, marks, strict=True)]


def scenario_of(device: DeviceConfig, items: Sequence[Item]) -> Scenario:
    """Return the scenario that consists of these items."""
    schedule = tuple(
        Deviation(index, *mark) for index, item in enumerate(items) for mark in item.marks
    )
    return Scenario(device, tuple(item.op for item in items), schedule)


def without_ops(scenario: Scenario, places: Collection[int]) -> Scenario:
    """Return the scenario without the operations at `places`."""
    items = (item for place, item in enumerate(items_of(scenario)) if place not in places)
    return scenario_of(scenario.device, list(items))


def without_named(scenario: Scenario, names: Collection[str]) -> Scenario:
    """Return the scenario without the operations of some names; the same object if it has none."""
    places = [place for place, op in enumerate(scenario.ops) if op.name in names]
    return without_ops(scenario, places) if places else scenario


def with_op(scenario: Scenario, place: int, op: Op) -> Scenario:
    """Return the scenario with another operation at `place`, and the same deviations."""
    return with_ops(scenario, ((place, op),))


def with_ops(scenario: Scenario, changes: Iterable[tuple[int, Op]]) -> Scenario:
    """Return the scenario with other operations at the given places."""
    ops = list(scenario.ops)
    for place, op in changes:
        ops[place] = op
    return replace(scenario, ops=tuple(ops))


def with_op_moved(scenario: Scenario, place: int, to: int) -> Scenario:
    """Return the scenario with the operation at `place` moved to `to`."""
    items = items_of(scenario)
    items.insert(to, items.pop(place))
    return scenario_of(scenario.device, items)


def without_deviations(scenario: Scenario, places: Collection[int]) -> Scenario:
    """Return the scenario without the deviations at `places` of its schedule."""
    kept = (each for place, each in enumerate(scenario.schedule) if place not in places)
    return replace(scenario, schedule=tuple(kept))


def with_deviation(scenario: Scenario, place: int, deviation: Deviation) -> Scenario | None:
    """Return the scenario with another deviation at `place` of its schedule.

    None if there is another deviation at the same operation and point already.
    """
    others = scenario.schedule[:place] + scenario.schedule[place + 1 :]
    if any((other.op, other.point) == (deviation.op, deviation.point) for other in others):
        return None
    return replace(scenario, schedule=tuple(sorted((*others, deviation))))
