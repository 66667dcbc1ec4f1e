"""Parameters of operations: which values there are, how they are stored, which are worth trying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ARGS: Final = 5
"""Argument fields of an op record: three u8, then two u16."""
WIDE: Final = 3
"""First argument field that is 16 bits wide."""


@dataclass(frozen=True, slots=True)
class Number:
    """An integer parameter in ``low..high`` (both included)."""

    name: str
    field: int
    """Argument field that it is stored in, less `low`."""
    low: int
    high: int
    picks: tuple[int, ...] = ()
    """Stored values that mutations try, each as often as it stands here; empty: all alike."""

    @property
    def count(self) -> int:
        """How many values there are."""
        return self.high - self.low + 1


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter with named values; its code is the position in `values`."""

    name: str
    field: int
    values: tuple[str, ...]
    picks: tuple[int, ...] = ()
    """As in `Number`."""

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.values)


Param = Number | Choice


def value_of(param: Param, stored: int) -> int | str:
    """Return what a stored field means."""
    return param.values[stored] if isinstance(param, Choice) else stored + param.low


def stored_of(param: Param, value: object) -> int:
    """Return how a value is stored.

    Raises:
        ValueError: it is out of range or of the wrong type; the message says what was expected.
    """
    if isinstance(param, Choice):
        if value not in param.values:
            raise ValueError(f"expected one of {', '.join(param.values)}, found {value!r}")
        return param.values.index(str(value))
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"expected an integer, found {value!r}")
    if not param.low <= value <= param.high:
        raise ValueError(f"expected {param.low}..{param.high}, found {value}")
    return value - param.low
