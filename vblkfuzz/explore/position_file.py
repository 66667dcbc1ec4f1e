"""The file in which an unfinished exploration keeps how far it has come."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.errors import InputFileError, UsageError
from vblkfuzz.store.atomic import write_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_EVERY_S: Final = 3.0
"""Seconds between two times that it is written, so that a killed process loses little."""


class PositionFile:
    """A file in JSON form, of one exploration."""

    def __init__(self, path: Path, file_format: int, of: Mapping[str, str]) -> None:
        """Use the file `path`.

        Args:
            path: the file.
            file_format: number of its form.
            of: what is explored, by name in plain words; another one does not go on from there.
        """
        self._path, self._format, self._of = path, file_format, dict(of)
        self._due = 0.0

    def read(self) -> dict[str, Any] | None:
        """Return what `write` was given; None if there is no file.

        Raises:
            InputFileError: the file cannot be read.
            UsageError: it is of another exploration.
        """
        try:
            said = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self.unreadable(f"{error}") from error
        found = said.get("format") if isinstance(said, dict) else said
        if found != self._format:
            raise self.unreadable(f"expected format {self._format}, found {found}")
        self._check(said.get("of"))
        return dict(said)

    def unreadable(self, problem: str) -> InputFileError:
        """Return the error to raise if what is in the file makes no sense."""
        return InputFileError(str(self._path), "", f"{problem}; remove it to begin anew")

    def _check(self, of: object) -> None:
        if not isinstance(of, dict):
            raise self.unreadable(f"expected what explore writes, found {of!r} for what it is of")
        other = next((name for name in self._of if of.get(name) != self._of[name]), None)
        if other is not None:
            raise UsageError(
                f"{self._path}: an unfinished exploration has another {other}; finish it, "
                "remove this file or choose another --out"
            )

    def is_due(self) -> bool:
        """Whether it is time to write the file again."""
        return time.monotonic() >= self._due

    def write(self, said: Mapping[str, Any]) -> None:
        """Write the file.

        Raises:
            OSError: it cannot be written.
        """
        whole = {"format": self._format, "of": self._of, **said}
        write_file(self._path, (json.dumps(whole) + "\n").encode())
        self._due = time.monotonic() + _EVERY_S

    def remove(self) -> None:
        """Remove the file, if there is one.

        Raises:
            OSError: it cannot be removed.
        """
        self._path.unlink(missing_ok=True)
