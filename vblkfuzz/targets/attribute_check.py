"""What the attributes of a user's device class have: a value that would fail where it is used."""

from __future__ import annotations

from typing import Final

from vblkfuzz.virtio.request.blk import ID_SIZE

_KNOWN: Final = "expected the beginning of a signature and one line of text"


def wrong_value(name: str, value: object) -> str:
    """Return what is wrong with the value of an attribute; empty: nothing.

    That its type is that of ours is looked at elsewhere (`class_check`).

    >>> wrong_value("known", {"s1-reset": "lp#1", "s2": None})
    "expected the beginning of a signature and one line of text, found 's2': None"
    """
    if name == "known" and isinstance(value, dict):
        wrong = [pair for pair in value.items() if not all(map(_is_line, pair))]
        return f"{_KNOWN}, found {': '.join(map(_shown, wrong[0]))}" if wrong else ""
    if name == "device_id" and not isinstance(value, property):
        if not isinstance(value, bytes):
            return f"expected bytes, found {_shown(value)}"
        if len(value) > ID_SIZE:
            return f"expected at most {ID_SIZE} bytes, found {len(value)}"
    return ""


def _shown(value: object) -> str:
    """Return what any terminal can show; an object of the user's may do anything there."""
    plain = value is None or isinstance(value, str | int)
    return ascii(value) if plain else type(value).__name__


def _is_line(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and text.isprintable()
