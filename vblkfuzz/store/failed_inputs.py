"""Failed inputs: ``harness/``, where the harness itself failed, with what it said.

    <content>.bin   the raw fuzz input
    <content>.txt   the error, with an actor's traceback

A device that fails all the time must not fill the disk, so a campaign keeps few of them; all are
counted (`plan.Stat.HARNESS_ERRORS`).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from vblkfuzz.store.atomic import write_file

if TYPE_CHECKING:
    from pathlib import Path

MAX_KEPT: Final = 20


class FailedInputs:
    """Keeps the first `MAX_KEPT` different inputs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: set[str] = set()

    def keep(self, data: bytes, reason: str) -> None:
        """Keep an input, unless there are enough.

        Raises:
            OSError: it cannot be written.
        """
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()[:16]
        if name in self._kept or len(self._kept) == MAX_KEPT:
            return
        self._kept.add(name)
        write_file(self._folder / f"{name}.txt", reason.encode(errors="replace"))
        write_file(self._folder / f"{name}.bin", data)
