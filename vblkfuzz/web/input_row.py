"""An input of the corpus in a list."""

from __future__ import annotations

from typing import Final

from vblkfuzz.scenario.codec import decode
from vblkfuzz.web.place import InputRow

_WORDS: Final = 12
"""Operations that a row names."""


def input_row(name: str, data: bytes) -> InputRow:
    """Return the row of a raw input."""
    scenario = decode(data)
    words = [one.name for one in scenario.ops]
    more = f" … {len(words) - _WORDS} more" if len(words) > _WORDS else ""
    said = " ".join(words[:_WORDS]) + more
    return InputRow(name, len(data), len(words), len(scenario.schedule), said)
