"""Edits of the device: random values for its fields, with the weights in `scenario.device`.

The functions look up header bytes in tables and build no `DeviceConfig`, for speed. Next:
`mutation.mutate`, which calls this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import gcd, lcm
from typing import Final

from vblkfuzz.scenario.device import DEFAULTS, FIELDS, Value
from vblkfuzz.scenario.device_header import BYTES, HeaderByte

Random = Callable[[], float]

_MAX_FIRST_CHANGES: Final = 2
"""Most changes made to a new device after its fields got their values from `Row.new`."""


def new_config(random: Random) -> list[int]:
    """Return the header bytes for a new story."""
    config = [0] * len(BYTES)
    for at, settings in _NEW:
        config[at] = settings[int(random() * len(settings))][config[at]]
    for _ in range(int(random() * (_MAX_FIRST_CHANGES + 1))):
        change_config(config, random)
    return config


def change_config(config: list[int], random: Random) -> None:
    """Give one field of the device another value; fields tied by `Row.like` may change together."""
    at = _CHANGED[int(random() * len(_CHANGED))]
    near = _near(at, config[at])
    config[at] = near[int(random() * len(near))]


def set_fields(config: list[int], fields: Mapping[str, Value]) -> None:
    """Give a device these fields."""
    for name, value in fields.items():
        at = FIELDS[name].byte
        config[at] = _set(name, value)[config[at]]


@cache
def _set(name: str, value: Value) -> bytes:
    return _setting(BYTES[FIELDS[name].byte], name, value)


def set_units(config: list[int], random: Random) -> None:
    """Give a new device any number of logical units, which no other change does."""
    units = _UNITS[int(random() * len(_UNITS))]
    config[_UNITS_BYTE] = units[config[_UNITS_BYTE]]


def _setting(byte: HeaderByte, name: str, value: Value) -> bytes:
    """Return, for each code of a byte, the code in which the field `name` has this value."""
    digit = byte.names.index(name)
    return bytes([byte.numbers[(*code[:digit], value, *code[digit + 1 :])] for code in byte.codes])


def _settings() -> Iterator[tuple[int, tuple[bytes, ...]]]:
    """Yield, for each field with `Row.new`, its byte and its tables; repetition is weight."""
    # Numbers before flags: the order of the draws decides which bytes a seed gives.
    for name in sorted(FIELDS, key=lambda name: isinstance(DEFAULTS[name], bool)):
        row = FIELDS[name]
        if row.new:
            tables = [
                table
                for value, parts in row.new.items()
                for table in [_setting(BYTES[row.byte], name, value)] * parts
            ]
            yield row.byte, tuple(tables)


def _groups(byte: HeaderByte) -> list[list[int]]:
    """Return the digits of a byte that change together."""
    groups: list[list[int]] = []
    for digit, name in enumerate(byte.names):
        like = FIELDS[name].like
        if like:
            next(group for group in groups if byte.names.index(like) in group).append(digit)
        else:
            groups.append([digit])
    return groups


@cache
def _near(at: int, number: int) -> tuple[int, ...]:
    """Return the codes that a change can lead to, each repeated by its weight (`Row.changed`)."""
    byte = BYTES[at]
    groups = _groups(byte)
    others = [_differing_in(byte, number, group) for group in groups]
    whole = lcm(*map(len, others))
    parts = [
        sum(FIELDS[byte.names[digit]].changed for digit in group) * whole // len(codes)
        for group, codes in zip(groups, others, strict=True)
    ]
    least = gcd(*parts)
    return tuple(
        code for codes, part in zip(others, parts, strict=True) for code in codes * (part // least)
    )


def _differing_in(byte: HeaderByte, number: int, group: list[int]) -> list[int]:
    """Return the codes that differ from `number` in these digits only, starting after it."""
    count = len(byte.codes)
    known = byte.codes[number]
    following = [(number + step) % count for step in range(1, count)]
    return [
        other
        for other in following
        if all(
            digit in group or byte.codes[other][digit] == value for digit, value in enumerate(known)
        )
    ]


_NEW: Final = tuple(_settings())
_UNITS_BYTE: Final = FIELDS["units"].byte
_UNITS: Final = [_setting(BYTES[_UNITS_BYTE], "units", number) for number in (1, 1, 2, 3)]
"""By number of units to choose from: for each code of their byte, the code with that number;
repetition is weight."""
_CHANGED: Final = tuple(sorted(row.byte for row in FIELDS.values() for _ in range(row.changed)))
"""Indices of header bytes to change; repetition is weight."""
