"""Edge coverage of a program that was built for it: bytes in a memfd that it inherits.

A compiler inserts a call at each edge of the program (``-fsanitize-coverage``), and a short run
time in C, linked to it, sets a byte in the memfd whose number is in VBLK_COV_FD (docs/coverage.md).
"""

from __future__ import annotations

import mmap
import os
from typing import Final


class EdgeMap:
    """A byte for each edge, not 0 if the device has passed it since the bytes were cleared.

    Two edges may share a byte: the place of an edge is a hash of its address in the program file.
    """

    VARIABLE: Final = "VBLK_COV_FD"
    """Environment variable that has the number of the memfd."""

    def __init__(self, size: int) -> None:
        self.fd = os.memfd_create("coverage", os.MFD_CLOEXEC)
        os.ftruncate(self.fd, size)
        self.view = memoryview(mmap.mmap(self.fd, size))

    @property
    def is_used(self) -> bool:
        """Whether an edge was passed since the bytes were cleared."""
        return any(self.view)
