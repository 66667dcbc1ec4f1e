"""Parameters of operations: their values, how these are stored, and how often each is tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ARGS: Final = 5
"""Number of argument fields of an op record: three u8, then two u16."""
WIDE: Final = 3
"""Index of the first 16-bit argument field."""


@dataclass(frozen=True, slots=True)
class Number:
    """An integer parameter in ``low..high`` (both included)."""

    name: str
    field: int
    """Index of the argument field that stores the value minus `low`."""
    low: int
    high: int
    picks: tuple[int, ...] = ()
    """Stored values that mutations choose from; repetition is weight. Empty: all, evenly."""

    @property
    def count(self) -> int:
        """Number of values."""
        return self.high - self.low + 1

    @property
    def choices(self) -> str:
        """All values, for readers."""
        return f"{self.low}..{self.high}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter with named values. The stored value is the position in `values`."""

    name: str
    field: int
    values: tuple[str, ...]
    picks: tuple[int, ...] = ()
    """As in `Number`."""
    quiet: bool = False
    """Whether texts leave it out if it has its first value, as files do that are older than it."""

    @property
    def count(self) -> int:
        """Number of values."""
        return len(self.values)

    @property
    def choices(self) -> str:
        """All values, for readers."""
        return "|".join(self.values)


Param = Number | Choice


def is_quiet(param: Param) -> bool:
    """Return whether texts leave out the parameter if it has its first value."""
    return isinstance(param, Choice) and param.quiet


def value_of(param: Param, stored: int) -> int | str:
    """Return the value that a stored field stands for."""
    return param.values[stored] if isinstance(param, Choice) else stored + param.low


def stored_of(param: Param, value: object) -> int:
    """Return the stored form of a value.

    Raises:
        ValueError: the value is out of range or of the wrong type; the message names the range.
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
