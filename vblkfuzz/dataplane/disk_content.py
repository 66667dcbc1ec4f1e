"""What the disk holds in the end: each sector that a request may have written, or that is not 0.

The driver writes one byte throughout a sector, the number of its request. So a sector is described
by its first byte and by whether the others differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import MAX_DISK_SECTORS, SECTOR_SIZE
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.ops import PUBLISHES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.scenario.op import Op

_WRITES: Final = frozenset(REQUESTS.index(name) for name in ("out", "discard", "write_zeroes"))
_ZEROES: Final = bytes(MAX_DISK_SECTORS * SECTOR_SIZE)
_FILLED: Final = tuple(bytes([value]) * SECTOR_SIZE for value in range(256))

Content = list[tuple[int, int, bool]]
"""By sector: its number, its first byte, and whether another byte differs from that."""


def content(disk: bytearray, ops: Sequence[Op]) -> Content:
    """Return, in order, the sectors of `disk` that `ops` may have written and those not zero."""
    others = bytearray(disk)
    described = []
    for sector in _named(ops, len(disk) // SECTOR_SIZE):
        place = slice(sector * SECTOR_SIZE, (sector + 1) * SECTOR_SIZE)
        described.append(_description(sector, disk[place]))
        others[place] = _FILLED[0]
    if not _ZEROES.startswith(others):
        described = sorted(described + _not_zero(others))
    return described


def _named(ops: Sequence[Op], sectors: int) -> list[int]:
    """Return the sectors below `sectors` that `ops` may have written, in order."""
    named: set[int] = set()
    for op in ops:
        if op[2] in _WRITES and op[0] in PUBLISHES:
            named.update(range(op[4], min(op[4] + op[5] + 1, sectors)))
    return sorted(named)


def _description(sector: int, found: bytearray) -> tuple[int, int, bool]:
    return sector, found[0], found != _FILLED[found[0]]


def _not_zero(disk: bytearray) -> Content:
    return [
        _description(sector, found)
        for sector in range(len(disk) // SECTOR_SIZE)
        if any(found := disk[sector * SECTOR_SIZE : (sector + 1) * SECTOR_SIZE])
    ]
