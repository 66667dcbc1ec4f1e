"""A kind of event: its number, its words, the forms of its fields. Next: `kinds`, the rows."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, NamedTuple

Form = str | Callable[[int], str]
"""Text for a number: a format string with one field, or a function."""

GROUPS: Final = MappingProxyType(
    {
        0: "Harness",
        1: "Guest",
        2: "Life cycle of the device",
        3: "Notifiers and event loop",
        4: "Requests",
        6: "Drains",
        7: "Machine",
        8: "The device process",
        9: "Test devices",
    }
)
"""Names of the groups, by the tens digit of a kind's number."""


def _tens_digit(number: int) -> int:
    return number // 10 % 10


def table_place(number: int) -> tuple[int, int]:
    """Return what tables of kinds are sorted by: the group, then the number."""
    return _tens_digit(number), number


class Kind(NamedTuple):
    """One kind of event."""

    number: int
    name: str
    """Name in traces; in capitals, the name of the constant in `kinds`."""
    meaning: str
    """Explanation for readers of a trace (docs/trace-legend.md). Words of `flags` are *marked*."""
    flags: tuple[str, ...]
    """Meaning of each value of the flag, in a word or two; an empty one is not shown."""
    value: Form
    """Form of the value; if empty, the number itself is shown unless it is 0."""
    head: str
    """Form of the head; empty if the kind has no head, or hides it."""
    length: Form
    """Form of the length; empty if the kind has no length."""
    note: bool
    """Whether it concerns the scenario or the whole process, and so belongs to no thread."""
    hides_head: bool = False
    """Whether texts leave out its head: rules read it, or another column says the same."""

    @property
    def group(self) -> str:
        """Name of the group of the kind."""
        return GROUPS[_tens_digit(self.number)]


ROWS: Final[dict[int, Kind]] = {}
"""All rows by number, without their names."""


def kind(  # noqa: PLR0913 -- a field of the row each
    number: int,
    meaning: str,
    *,
    flags: tuple[str, ...] = (),
    value: Form = "",
    head: str = "",
    length: Form = "",
    note: bool = False,
    hides_head: bool = False,
) -> int:
    """Add a row and return its number. `kinds.KINDS` fills in the name, that of the constant.

    Raises:
        ValueError: the number belongs to no group, or to another row.
    """
    if _tens_digit(number) not in GROUPS:
        raise ValueError(f"event kind {number}: no group has its tens digit, see trace/kind.py")
    if number in ROWS:
        raise ValueError(f"event kind {number}: two rows have this number")
    ROWS[number] = Kind(number, "", meaning, flags, value, head, length, note, hides_head)
    return number
