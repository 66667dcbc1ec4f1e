"""Checked reading of a document's fields.

A document is what both the TOML and the MessagePack reader return: tables (dict), arrays (list),
text, integers and booleans. Its file is not trusted. Each function takes a value and its place
(``ops[3].queue``), checks it, and returns it with the checked type or raises `FieldError`.

Read next: `vblkfuzz.scenario.document`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from vblkfuzz.suggestion import did_you_mean

Table = dict[str, object]

_MAX_SHOWN: Final = 60
_INTEGER_BITS: Final = 63
"""TOML and MessagePack integers have at most 64 bits. CPython refuses to print very long ones."""


class FieldError(ValueError):
    """A field is missing, of the wrong type or out of range.

    Attributes:
        place: path of the field in the document; empty for the whole document.
        problem: what was expected and what was found, in one line.
    """

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


def mismatch(place: str, expected: str, value: object) -> FieldError:
    """Return the error for a value that differs from the expected one."""
    return FieldError(place, f"expected {expected}, found {shown(value)}")


def shown(value: object) -> str:
    """Return a value as one short line. Large values are shortened, containers only named."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > _INTEGER_BITS:
            return f"an integer of {value.bit_length()} bits"
        case dict():
            return "a table"
        case list():
            return "an array"
        case str() | bytes() if len(value) > _MAX_SHOWN:
            return f"{value[:_MAX_SHOWN]!r}..."
    return repr(value)


def table_at(place: str, value: object, known: Collection[str]) -> Table:
    """Return `value` as a table that has only known keys."""
    if not isinstance(value, dict):
        raise mismatch(place, "a table", value)
    for key in value:
        if key not in known:
            error = mismatch(place, f"only the keys {', '.join(known)}", key)
            raise _with_suggestion(error, key, known)
    return value


def array_at(place: str, value: object, limit: int) -> list[object]:
    """Return `value` as an array of at most `limit` items."""
    if not isinstance(value, list):
        raise mismatch(place, "an array", value)
    if len(value) > limit:
        raise FieldError(place, f"expected at most {limit} items, found {len(value)}")
    return value


def text_at(place: str, value: object) -> str:
    """Return `value` as text."""
    if not isinstance(value, str):
        raise mismatch(place, "a text", value)
    return value


def choice_at(place: str, value: object, choices: Collection[str]) -> str:
    """Return `value` as one of the choices."""
    if not isinstance(value, str) or value not in choices:
        error = mismatch(place, f"one of {', '.join(choices)}", value)
        raise _with_suggestion(error, value, choices)
    return value


def _with_suggestion(error: FieldError, found: object, known: Collection[str]) -> FieldError:
    """Return an error that also says which of the known names was probably meant."""
    hint = did_you_mean(found, known) if isinstance(found, str) else ""
    return FieldError(error.place, error.problem + hint)


def integer_at(place: str, value: object, low: int, high: int) -> int:
    """Return `value` as an integer in ``low..high`` (both included)."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise mismatch(place, f"an integer in {low}..{high}", value)
    return value


def flag_at(place: str, value: object) -> bool:
    """Return `value` as true or false."""
    if not isinstance(value, bool):
        raise mismatch(place, "true or false", value)
    return value


def version_at(place: str, value: object, newest: int) -> int:
    """Return `value` as a format version in ``1..newest``, the versions that can be read."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise mismatch(place, str(newest), value)
    if value > newest:
        raise mismatch(place, f"at most {newest} (a newer vblkfuzz wrote this)", value)
    return value
