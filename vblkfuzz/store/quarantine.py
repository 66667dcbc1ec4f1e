"""The quarantine of an output folder: which files are no valid inputs, and why.

    quarantine/record.jsonl   a line of JSON for each: path, reason, and the file it was moved to
    quarantine/NAME           a file that was moved out of the corpus

A file of the user stays where it is, however large it is, and is only named here. A file of the
output folder itself, such as an input that was cut off by a full disk, is moved here, so that
nothing reads it again. Nothing is copied, deleted or replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from pathlib import Path

RECORD: Final = "record.jsonl"
_LONGEST: Final = 200
"""Bytes of the old name in a new one: with what is added it is below the limit of 255."""


class Quarantine:
    """Names and moves files; each is on record once, over all campaigns of the folder.

    Args:
        folder: ``quarantine/`` of an output folder; made when there is something to record.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = -1
        self._lines: set[bytes] = set()

    @property
    def record(self) -> Path:
        """The file that names all of them."""
        return self._folder / RECORD

    def __enter__(self) -> Self:
        """Return this object."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the record; what it has is on the disk then.

        Raises:
            OSError: it cannot be written.
        """
        if self._descriptor < 0:
            return
        try:
            os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)
            self._descriptor = -1

    def name(self, path: str | Path, reason: str) -> None:
        """Record a file that stays where it is.

        Raises:
            OSError: the record cannot be written.
        """
        self._write({"path": str(path), "reason": reason})

    def move(self, path: Path, reason: str) -> Path:
        """Move a file of the output folder into the quarantine; return its new path.

        It is on record before it is moved: a process that is killed in between moves it the next
        time.

        Raises:
            OSError: it cannot be moved, or the record not be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._free_place(path)
        self._write({"path": str(path), "reason": reason, "moved": place.name})
        os.fsync(self._descriptor)
        path.rename(place)
        return place

    def _free_place(self, path: Path) -> Path:
        """Return a place without a file, by the old name as far as the name has room."""
        name = os.fsencode(path.name)
        if len(name) > _LONGEST:
            digest = hashlib.sha1(name, usedforsecurity=False).hexdigest()[:8]
            name = name[: _LONGEST - 9] + b"-" + digest.encode()
        place, number = self._folder / os.fsdecode(name), 1
        while place.name == RECORD or os.path.lexists(place):
            number += 1
            place = self._folder / f"{os.fsdecode(name)}-{number}"
        return place

    def _write(self, entry: dict[str, str]) -> None:
        if self._descriptor < 0:
            self._open()
        line = json.dumps(entry).encode() + b"\n"  # other bytes than UTF-8 are escapes
        if line in self._lines:
            return
        if os.write(self._descriptor, line) != len(line):
            raise OSError(f"{self.record}: short write, the disk is full")
        self._lines.add(line)

    def _open(self) -> None:
        """Open the record, and read what earlier campaigns wrote."""
        self._folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self.record, flags, 0o666)
        with open(self._descriptor, "rb", closefd=False) as file:
            self._lines = set(file)
        if any(not line.endswith(b"\n") for line in self._lines):
            os.write(self._descriptor, b"\n")  # a full disk or the end of a process cut it off
