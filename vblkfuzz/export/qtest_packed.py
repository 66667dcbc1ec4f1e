"""Packed rings as a part of the program of `qtest_file`. One for split rings has none of it."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

_TEMPLATE: Final = "qtest_packed.txt"
_BEFORE: Final = "class Guest:\n"
_FILLED: Final = (
    ("VERSION_1, RING_RESET = ", "VERSION_1, RING_PACKED, RING_RESET = "),
    (" 29, 32, 40\n", " 29, 32, 34, 40\n"),
    ('{"disable-legacy": "on", ', '{"disable-legacy": "on", "packed": "on", '),
    ("ring = Ring(self, ", "ring = self.kind_of_ring()(self, "),
    ("self.before = Ring(self, ", "self.before = self.kind_of_ring()(self, "),
    (
        "    def select(self, ",
        "    def kind_of_ring(self):\n"
        "        return PackedRing if self.has(RING_PACKED) else Ring\n\n"
        "    def select(self, ",
    ),
)
MISSING: Final = frozenset({"hostile", "publish_again"})
"""Operations that the program does not have on packed rings."""


def with_packed_rings(text: str) -> str:
    """Return a program whose device offers packed rings; `text`: one that does not."""
    for before, after in _FILLED:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    rings = (files("vblkfuzz.export") / _TEMPLATE).read_text()
    return text.replace(_BEFORE, rings + _BEFORE)
