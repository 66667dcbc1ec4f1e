"""A ballast file: room on the disk that is given back when the disk is full.

Without it, a campaign that ends on a full disk could not record that it has ended.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_BYTES: Final = 128 << 10
"""Twice what a thousand rows of progress take."""


class Ballast:
    """A file that takes room until it is dropped.

    Args:
        path: the file; one that a killed process has left is used.

    Raises:
        OSError: there is no room for it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.write_bytes(os.urandom(_BYTES))  # a file system may compress zeros, or leave holes
        except OSError:
            self.drop()
            raise

    def drop(self) -> None:
        """Give the room back; the file may be gone already, with its folder."""
        self._path.unlink(missing_ok=True)
