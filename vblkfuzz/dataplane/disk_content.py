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
    named: set[int] = set()
    for op in ops:
        if op[2] in _WRITES and op[0] in PUBLISHES:
            named.update(range(op[4], op[4] + op[5] + 1))
    sectors = sorted([sector for sector in named if sector < len(disk) // SECTOR_SIZE])
    if not _zero_between(disk, sectors):
        sectors = _with_others(disk, named)
    return _described(disk, sectors)


def _described(disk: bytearray, sectors: Sequence[int]) -> Content:
    described = []
    for sector in sectors:
        found = disk[sector * SECTOR_SIZE : (sector + 1) * SECTOR_SIZE]
        described.append((sector, found[0], found != _FILLED[found[0]]))
    return described


def _zero_between(disk: bytearray, sectors: Sequence[int]) -> bool:
    """Whether the disk is zero but for these sectors, which are in order."""
    begin = 0
    with memoryview(disk) as view:
        for sector in sectors:
            if not _ZEROES.startswith(view[begin : sector * SECTOR_SIZE]):
                return False
            begin = (sector + 1) * SECTOR_SIZE
        return _ZEROES.startswith(view[begin:])


def _with_others(disk: bytearray, named: set[int]) -> list[int]:
    """Return the sectors in `named` and those that are not zero, in order."""
    return [
        sector
        for sector in range(len(disk) // SECTOR_SIZE)
        if sector in named or any(disk[sector * SECTOR_SIZE : (sector + 1) * SECTOR_SIZE])
    ]
