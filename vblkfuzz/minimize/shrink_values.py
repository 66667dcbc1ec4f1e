"""Passes over values: device fields towards their default, arguments towards their lowest value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.minimize.edit import with_op, with_ops
from vblkfuzz.scenario.alphabet.param import Param
from vblkfuzz.scenario.device import DEFAULTS, FIELDS, DeviceConfig
from vblkfuzz.scenario.op import Op

if TYPE_CHECKING:
    from vblkfuzz.minimize.search import Search
    from vblkfuzz.scenario.scenario import Scenario

_SHARED: Final = ("queue", "iothread")
"""Parameters by which operations refer to the same thing: all operations change together."""


def lower(value: int) -> Iterator[int]:
    """Yield smaller values to try instead of `value`, lowest first: 0, then ever closer to it."""
    step = value
    while step:
        yield value - step
        step //= 2


_KEPT: Final = tuple(name for name, row in FIELDS.items() if row.tested)


def default_device(search: Search) -> None:
    """Try the default device, then each field's default, then values closer to the default.

    Fields that say which device is tested stay (`scenario.device.Row`).
    """
    kept: dict[str, Any] = {name: getattr(search.best.device, name) for name in _KEPT}
    search.attempt(replace(search.best, device=DeviceConfig(**kept)))
    for name in [name for name in FIELDS if name not in _KEPT]:
        for value in _nearest_first(name):
            if search.attempt(_with_field(search.best, name, value)):
                break


def _nearest_first(name: str) -> list[Any]:
    default: Any = DEFAULTS[name]
    steps: Sequence[Any] = FIELDS[name].values if FIELDS[name].scale else ()
    return [default, *sorted(steps, key=lambda value: abs(value - default))]


def _with_field(scenario: Scenario, name: str, value: Any) -> Scenario:  # noqa: ANN401  # a field's
    return replace(scenario, device=replace(scenario.device, **{name: value}))


def lowest_arguments(search: Search) -> None:
    """Lower all arguments at once, then those in `_SHARED` together, then one by one."""
    ops = search.best.ops
    search.attempt(with_ops(search.best, ((place, Op(op.code)) for place, op in enumerate(ops))))
    for name in _SHARED:
        _lower_together(search, name)
    for place in range(len(ops)):
        search.attempt(with_op(search.best, place, Op(ops[place].code)))
        for param in ops[place].spec.params:
            _lower_one(search, place, param)


def _lower_together(search: Search, name: str) -> None:
    """Give all operations that name the same queue or IOThread a lower one."""
    places = [
        (place, 1 + param.field)
        for place, op in enumerate(search.best.ops)
        for param in op.spec.params
        if param.name == name
    ]
    used = {search.best.ops[place][field] for place, field in places}
    for value in sorted(used, reverse=True):
        for instead in range(value):
            ops = search.best.ops
            changes = [
                (place, _with(ops[place], field, instead))
                for place, field in places
                if ops[place][field] == value
            ]
            if search.attempt(with_ops(search.best, changes)):
                break


def _lower_one(search: Search, place: int, param: Param) -> None:
    field = 1 + param.field
    op = search.best.ops[place]
    for value in lower(op[field]):
        if search.attempt(with_op(search.best, place, _with(op, field, value))):
            return


def _with(op: Op, field: int, value: int) -> Op:
    return Op._make((*op[:field], value, *op[field + 1 :]))
