"""Schedule <-> array of tables: a part of `scenario.document`.

    op, point   numbers
    go          what runs there instead: guest, vcpu, main, io0, io1, next
    delayed     true if stores are delayed
    actor       the actor whose points are counted; without it those of all actors together
    points      "locks" if stops at locks count as well
    at          the place: an event of the device's trace, and file and line if it has them
    after       the event of that actor before the place that is not a lock
    nth         which of several stops at that place, from 1

A key with its default is left out: ``{op = 1, point = 7, go = "next"}``.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz import limits
from vblkfuzz.scenario.field import (
    FieldError,
    Table,
    array_at,
    choice_at,
    flag_at,
    integer_at,
    table_at,
    text_at,
)
from vblkfuzz.scenario.place import MAX_NTH, Place, check_place
from vblkfuzz.scenario.scenario import Deviation, Go, Role

GO_NAMES: Final = {go.name.lower(): go for go in Go}
ROLE_NAMES: Final = {role.name.lower(): role for role in Role if role is not Role.ANY}
POINTS: Final = ("events", "locks")
"""What counts as a point of an actor, beside the default the one with locks."""

_KEYS: Final = ("op", "actor", "point", "points", "go", "delayed", "at", "after", "nth")
_OF_AN_ACTOR: Final = ("points", "at")
_OF_A_PLACE: Final = ("after", "nth")


def table_of(item: Deviation) -> Table:
    """Return a deviation as a table, without the keys that have their default."""
    place = item.place or Place("")
    table: Table = {
        "op": item.op,
        "actor": item.role.name.lower() if item.role else "",
        "point": item.point,
        "points": POINTS[1] if item.locks else "",
        "go": item.go.name.lower(),
        "delayed": item.delayed,
        "at": place.at,
        "after": place.after,
        "nth": "" if place.nth == 1 else place.nth,
    }
    return {key: value for key, value in table.items() if key in _REQUIRED or value}


_REQUIRED: Final = ("op", "point", "go")


def schedule_of(value: object) -> tuple[Deviation, ...]:
    """Return the deviations in an array, sorted. Their order in the file has no meaning.

    Raises:
        FieldError: a field is unknown, of the wrong type or out of range, or two deviations are at
            one point.
    """
    found: dict[tuple[int, int, Role, bool], Deviation] = {}
    for index, item in enumerate(array_at("schedule", value, limits.MAX_DEVIATIONS)):
        place = f"schedule[{index}]"
        deviation = _deviation_of(place, item)
        if deviation.where in found:
            where = _where(deviation)
            raise FieldError(place, f"expected one deviation at {where}, found two")
        found[deviation.where] = deviation
    return tuple(sorted(found.values()))


def _where(item: Deviation) -> str:
    of = f" of {item.role.name.lower()}" if item.role else ""
    return f"op and point {(item.op, item.point)}{of}"


def _deviation_of(place: str, value: object) -> Deviation:
    table = table_at(place, value, _KEYS)
    role = Role.ANY
    if "actor" in table:
        role = ROLE_NAMES[choice_at(f"{place}.actor", table["actor"], ROLE_NAMES)]
    _check_beside(place, table, "actor", _OF_AN_ACTOR)
    _check_beside(place, table, "at", _OF_A_PLACE)
    return Deviation(
        integer_at(f"{place}.op", table.get("op"), 0, limits.MAX_OPS - 1),
        integer_at(f"{place}.point", table.get("point"), 0, limits.MAX_POINT - 1),
        GO_NAMES[choice_at(f"{place}.go", table.get("go"), GO_NAMES)],
        flag_at(f"{place}.delayed", table.get("delayed", False)),
        role,
        choice_at(f"{place}.points", table.get("points", POINTS[0]), POINTS) == POINTS[1],
        _place_of(place, table) if "at" in table else None,
    )


def _check_beside(place: str, table: Table, needed: str, keys: tuple[str, ...]) -> None:
    """Check that keys which mean nothing alone stand beside the one that they need."""
    for key in keys:
        if key in table and needed not in table:
            raise FieldError(f"{place}.{needed}", f"expected beside {key}, found nothing")


def _place_of(place: str, table: Table) -> Place:
    event, _, site = text_at(f"{place}.at", table["at"]).partition(" ")
    found = Place(
        event,
        site,
        text_at(f"{place}.after", table.get("after", "")),
        integer_at(f"{place}.nth", table.get("nth", 1), 1, MAX_NTH),
    )
    try:
        check_place(found)
    except ValueError as error:
        raise FieldError(f"{place}.at", str(error)) from None
    return found
