"""The data of a sector: which request wrote it, and whether each byte is where it belongs.

The first byte of a sector that the n-th request writes is n (mod 256). In the others two bits vary
with the place: byte i of sector a is ``n ^ g(a, i)``, and g is 0, 64, 128 or 192. So a device that
reverses, shifts or swaps bytes or sectors is noticed. g repeats after eight sectors, more than a
request has.

Two bits are enough, and the other six tell requests apart: a scenario has fewer than 63, so bytes
of two of them are never equal, and none is zero or poison. Each byte of a wrong write is a change.

Zeroes and the poison of a buffer have no order: that byte stands throughout a sector.
"""

from __future__ import annotations

from functools import cache
from hashlib import shake_128
from typing import Final

from vblkfuzz.limits import MAX_OPS, MAX_REQUEST_SECTORS, SECTOR_SIZE
from vblkfuzz.trace.event import UNTOUCHED

UNWRITTEN: Final = 2
"""Flag of a SECTOR that a failed read has announced and not written."""
_PERIOD: Final = 8
_VARIES: Final = 0xC0
"""The bits that vary."""

assert MAX_OPS <= 64, "not all is a request: one has to init, another to free what was sent"


def _order(sector: int) -> bytes:
    """Return g of a sector: numbers without a pattern, the same everywhere."""
    numbers = shake_128(bytes([sector])).digest(SECTOR_SIZE - 1)
    return bytes([0, *(number & _VARIES for number in numbers)])


_ORDER: Final = b"".join(
    _order(sector % _PERIOD) for sector in range(_PERIOD + MAX_REQUEST_SECTORS - 1)
)
"""g, as far as a request may reach that begins in the first period."""


def written(serial: int, sector: int, sectors: int = 1) -> bytes:
    """Return the data that a request writes.

    Args:
        serial: number of the request; only serial mod 256 counts.
        sector: first sector.
        sectors: length in sectors, at most MAX_REQUEST_SECTORS.
    """
    start = sector % _PERIOD * SECTOR_SIZE
    return _of_request(serial & 0xFF)[start : start + sectors * SECTOR_SIZE]


def described(found: bytes | bytearray, sector: int) -> tuple[int, bool]:
    """Return the first byte of a sector, and whether it is *mixed*: not the data of one request.

    The byte is the serial (mod 256) of the request that wrote it, 0 for zeroes, UNTOUCHED for
    poison.

    Args:
        found: all bytes of the sector.
        sector: its number.
    """
    return found[0], found != written(found[0], sector)


@cache
def _of_request(first: int) -> bytes:
    """Return what a request writes from the begin of a period on, if it begins with that byte."""
    if first in (0, UNTOUCHED):
        return bytes([first]) * len(_ORDER)
    return _ORDER.translate(bytes([first ^ order for order in range(256)]))
