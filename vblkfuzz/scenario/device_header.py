"""The header bytes of a device, derived from the rows of `scenario.device`.

A byte holds one or more fields. Its *codes* are the combinations of their values, numbered from 0:
a mixed-radix number whose lowest digit is the first field. A field added to a byte multiplies the
number of its codes. The old codes keep their numbers and mean the new field's first value. A byte
is reduced modulo its number of codes, so each of its 256 values has a meaning.

Bytes written by `codec.encode` and the mutator therefore keep their device when a field is added.
In other bytes, a value beyond the codes may change its meaning then: every value already has one,
so none is free for the new field.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple

from vblkfuzz.scenario.device import DEFAULTS, FIELDS, DeviceConfig, Value

SIZE: Final = 8
"""Bytes of the header."""
DEVIATIONS: Final = 6
"""Index of the byte that holds the number of deviations, and no field."""


class HeaderByte(NamedTuple):
    """The meaning of one header byte. The byte of the deviations has no field, so one code."""

    names: tuple[str, ...]
    """Its fields, lowest digit first."""
    codes: tuple[tuple[Value, ...], ...]
    """By code: the value of each field."""
    numbers: dict[tuple[Value, ...], int]
    """By the value of each field: the code."""


def _check_places() -> None:
    """Check that each field is in a header byte that may hold it.

    Raises:
        ValueError: one is not.
    """
    places = [at for at in range(SIZE) if at != DEVIATIONS]
    for name, row in FIELDS.items():
        if row.byte not in places:
            raise ValueError(
                f"scenario/device.py: {name}: expected one of the header bytes "
                f"{', '.join(map(str, places))}, found {row.byte}"
            )


def _header_byte(at: int) -> HeaderByte:
    names = tuple(name for name, row in FIELDS.items() if row.byte == at)
    codes: list[tuple[Value, ...]] = [()]
    for name in names:
        codes = _with_digit(codes, names, name)
    if len(codes) > 256:
        raise ValueError(f"scenario/device.py: header byte {at}: no room for {', '.join(names)}")
    for name in names[1:]:
        if FIELDS[name].values[0] != DEFAULTS[name]:
            raise ValueError(
                f"scenario/device.py: {name}: old inputs mean the first value of a field in header "
                f"byte {at}, which must be the default"
            )
    return HeaderByte(names, tuple(codes), {code: number for number, code in enumerate(codes)})


def _with_digit(
    codes: list[tuple[Value, ...]], names: tuple[str, ...], name: str
) -> list[tuple[Value, ...]]:
    """Return the codes of a byte with one field more."""
    row = FIELDS[name]
    if not row.like:
        return [(*code, value) for value in row.values for code in codes]
    like = names.index(row.like)
    pairs = [(*code, value) for code in codes for value in row.values]
    return sorted(pairs, key=lambda code: code[like] != code[-1])


_check_places()
BYTES: Final = tuple(_header_byte(at) for at in range(SIZE))
"""The meaning of each header byte."""
COUNTS: Final = tuple(len(byte.codes) for byte in BYTES)
"""The number of codes of each header byte."""


def values_of(name: str) -> tuple[int, tuple[Value, ...]]:
    """Return the index of a field's header byte, and the field's value for each byte value."""
    at = FIELDS[name].byte
    digit = BYTES[at].names.index(name)
    codes = BYTES[at].codes
    return at, tuple(codes[value % len(codes)][digit] for value in range(256))


_FIELDS: Final = tuple(values_of(name) for name in FIELDS)


@lru_cache(maxsize=1024)
def device_in(header: tuple[int, ...]) -> DeviceConfig:
    """Return the device that any header bytes stand for."""
    values: list[Any] = [values[header[at]] for at, values in _FIELDS]
    return DeviceConfig(*values)


def header_of(device: DeviceConfig) -> bytearray:
    """Return the bytes of a header with this device; the byte of the deviations is 0."""
    header = bytearray(SIZE)
    for at, values_in, numbers in _WRITERS:
        header[at] = numbers[values_in(device)]
    return header


def _writer(at: int, byte: HeaderByte) -> tuple[int, attrgetter[Any], dict[object, int]]:
    """Return how to write a byte: its index, a getter for its fields' values, the code for these.

    `attrgetter` and `itemgetter` both return a bare value for one name and a tuple for several.
    """
    key = itemgetter(*range(len(byte.names)))
    numbers = {key(code): number for code, number in byte.numbers.items()}
    return at, attrgetter(*byte.names), numbers


_WRITERS: Final = tuple(_writer(at, byte) for at, byte in enumerate(BYTES) if byte.names)
