"""What the disk holds in the end: each sector that a request may have written, or that is not 0.

A sector is described by its first byte, which is the number of the request that wrote it, and by
whether its bytes are exactly what that request writes (`trace.sector_data`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import MAX_DISK_SECTORS, SECTOR_SIZE
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.ops import PUBLISHES
from vblkfuzz.trace.sector_data import described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.scenario.op import Op

_WRITES: Final = frozenset(REQUESTS.index(name) for name in ("out", "discard", "write_zeroes"))
_ZEROES: Final = bytes(MAX_DISK_SECTORS * SECTOR_SIZE)

Content = list[tuple[int, int, bool]]
"""By sector: its number, its first byte, and whether it is not what a request writes there."""


def content(disk: bytearray, ops: Sequence[Op]) -> Content:
    """Return, in order, the sectors of `disk` that `ops` may have written and those not zero."""
    others = bytearray(disk)
    shown = []
    for sector in _named(ops, len(disk) // SECTOR_SIZE):
        place = slice(sector * SECTOR_SIZE, (sector + 1) * SECTOR_SIZE)
        shown.append((sector, *described(disk[place], sector)))
        others[place] = _ZEROES[:SECTOR_SIZE]
    if not _ZEROES.startswith(others):
        shown = sorted(shown + _not_zero(others))
    return shown


def _named(ops: Sequence[Op], sectors: int) -> list[int]:
    """Return the sectors below `sectors` that `ops` may have written, in order."""
    named: set[int] = set()
    for op in ops:
        if op[2] in _WRITES and op[0] in PUBLISHES:
            named.update(range(op[4], min(op[4] + op[5] + 1, sectors)))
    return sorted(named)


def _not_zero(disk: bytearray) -> Content:
    return [
        (sector, *described(found, sector))
        for sector in range(len(disk) // SECTOR_SIZE)
        if any(found := disk[sector * SECTOR_SIZE : (sector + 1) * SECTOR_SIZE])
    ]
