"""Files of a store that fail as file servers and object stores do."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from vblkfuzz.store.shared_files import FolderFiles


class FlakyFiles(FolderFiles):
    """A folder that can be full, read-only, gone, stale, or cut what is written in half."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.writes = 0
        """Error number of each write; 0: none."""
        self.reads = 0
        self.halves = False
        """What is written stays half-written, under its name, and the write fails."""
        self.hidden: frozenset[str] = frozenset()
        """Names that a stale listing lacks."""

    def read(self, path: str) -> bytes:
        _fail(self.reads)
        return super().read(path)

    def create(self, path: str, data: bytes) -> bool:
        self._write(path, data)
        return super().create(path, data)

    def replace(self, path: str, data: bytes) -> None:
        self._write(path, data)
        super().replace(path, data)

    def listed(self, folder: str) -> list[str]:
        _fail(self.reads)
        return [one for one in super().listed(folder) if one not in self.hidden]

    def _write(self, path: str, data: bytes) -> None:
        if self.halves:
            super().replace(path, data[: len(data) // 2])
            _fail(errno.EIO)
        _fail(self.writes)


def _fail(number: int) -> None:
    if number:
        raise OSError(number, os.strerror(number))
