"""Failed inputs: the folder ``harness/`` with inputs on which the harness itself failed.

    <hash>.bin   the raw fuzz input
    <hash>.txt   the error, with the traceback of the actor

A campaign saves only the first `MAX_KEPT`, so that a device that always fails does not fill the
disk. All are counted (`plan.Stat.HARNESS_ERRORS`).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from vblkfuzz.store.atomic import write_file

if TYPE_CHECKING:
    from pathlib import Path

MAX_KEPT: Final = 20


class FailedInputs:
    """Saves the first `MAX_KEPT` different inputs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: set[str] = set()

    def keep(self, data: bytes, reason: str) -> None:
        """Save an input with its error, unless `MAX_KEPT` are saved already.

        Raises:
            OSError: the files cannot be written.
        """
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()[:16]
        if name in self._kept or len(self._kept) == MAX_KEPT:
            return
        self._kept.add(name)
        write_file(self._folder / f"{name}.txt", reason.encode(errors="replace"))
        write_file(self._folder / f"{name}.bin", data)
