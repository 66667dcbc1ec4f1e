"""Guest memory: a flat range of bytes from guest address 0.

Rings are read and written through `u16` and `u32`, the same bytes as arrays of integers, so that
a ring field is one load or one store and another process never sees half of it. All other accesses
use `read` and `write`, which check the range. `barrier` is a full memory barrier; it does nothing
unless a `store_buffer` delays stores.

Next: `layout` for the layout of a ring.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from vblkfuzz.virtio.ring_error import AddressError

if sys.byteorder != "little":  # virtio is little-endian, and `u16`/`u32` are native integers
    raise ImportError("vblkfuzz.virtio needs a little-endian machine")


def no_barrier() -> None:
    """Do nothing: unless stores are delayed, each store is visible at once."""


class GuestMemory:
    """Guest memory over a buffer that the caller owns.

    `bytes`, `u16` and `u32` are views of the same memory; `size` is in bytes. `barrier` makes all
    earlier stores visible to other actors before any later load (smp_mb). Ring addresses are
    checked once (`RingLayout.check`), so ring accesses index the views directly.
    """

    __slots__ = ("barrier", "bytes", "size", "u16", "u32")

    def __init__(self, view: memoryview) -> None:
        """Use a writable, contiguous view.

        Raises:
            ValueError: its size is not a multiple of 4 bytes.
        """
        if view.nbytes % 4:
            raise ValueError(f"expected a multiple of 4 bytes, found {view.nbytes}")
        self.bytes = view.cast("B")
        self.u16 = self.bytes.cast("H")
        self.u32 = self.bytes.cast("I")
        self.size = view.nbytes
        self.barrier: Callable[[], None] = no_barrier

    def read(self, address: int, length: int) -> bytes:
        """Return `length` bytes from guest address `address`.

        Raises:
            AddressError: a byte of the range lies outside guest memory.
        """
        end = address + length
        if address < 0 or length < 0 or end > self.size:
            raise AddressError(f"{length} bytes at {address:#x}, memory of {self.size}")
        return self.bytes[address:end].tobytes()

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Store `data` at guest address `address`.

        Raises:
            AddressError: a byte of the range lies outside guest memory; nothing is written.
        """
        end = address + len(data)
        if address < 0 or end > self.size:
            raise AddressError(f"{len(data)} bytes at {address:#x}, memory of {self.size}")
        self.bytes[address:end] = data
