"""How far an exploration has come: ``OUT/explore.json``, so that the same command goes on there.

The file is there while an exploration is unfinished. It holds what the search has learnt from each
schedule (`search`), and the results. Equal counts are written once.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.errors import InputFileError, UsageError
from vblkfuzz.explore.explored import Found, Unjudged
from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.confidence import Confidence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vblkfuzz.explore.explored import Explored
    from vblkfuzz.explore.prefix import Counts

NAME: Final = "explore.json"
FORMAT: Final = 2
_EVERY_S: Final = 3.0
"""Seconds between two times that it is written, so that a killed process loses little."""


class Position:
    """The file of one exploration."""

    def __init__(self, out: Path, of: Mapping[str, str]) -> None:
        """Remember an exploration in the folder `out`.

        Args:
            out: the output folder.
            of: what it explores, by name in plain words; another one does not go on from there.
        """
        self._path = out / NAME
        self._of = dict(of)
        self._due = 0.0

    def restore(self, explored: Explored) -> None:
        """Fill in the results up to the position; none if there is no file.

        Raises:
            InputFileError: the file cannot be read.
            UsageError: it is of another exploration.
        """
        said = self._read()
        if said is None:
            return
        try:
            self._check(said["of"])
            tables = [tuple(map(tuple, table)) for table in said["counts"]]
            explored.learnt = [tables[index] for index in said["learnt"]]
            found = [_found(one) for one in said["findings"]]
            explored.findings = {one.signature: one for one in found}
            explored.unjudged = [
                Unjudged(tuple(one["where"]), one["error"]) for one in said["unjudged"]
            ]
        except (KeyError, TypeError, ValueError, OverflowError, IndexError) as error:
            raise self._unreadable(f"expected what explore writes, found {error!r}") from error

    def _read(self) -> Any:  # noqa: ANN401 -- whatever is in the file
        try:
            said = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._unreadable(f"{error}") from error
        found = said.get("format") if isinstance(said, dict) else said
        if found != FORMAT:
            raise self._unreadable(f"expected format {FORMAT}, found {found}")
        return said

    def _unreadable(self, problem: str) -> InputFileError:
        return InputFileError(str(self._path), "", f"{problem}; remove it to begin anew")

    def _check(self, of: Mapping[str, str]) -> None:
        other = next((name for name in self._of if of.get(name) != self._of[name]), None)
        if other is not None:
            raise UsageError(
                f"{self._path}: an unfinished exploration has another {other}; finish it, "
                "remove this file or choose another --out"
            )

    def keep(self, explored: Explored, *, now: bool = False) -> None:
        """Write the file, if it is time; remove it if the exploration is complete.

        Raises:
            OSError: it cannot be written.
        """
        if explored.complete:
            self._path.unlink(missing_ok=True)
        elif now or time.monotonic() >= self._due:
            write_file(self._path, self._bytes(explored))
            self._due = time.monotonic() + _EVERY_S

    def _bytes(self, explored: Explored) -> bytes:
        numbers: dict[Counts, int] = {}
        learnt = [numbers.setdefault(counts, len(numbers)) for counts in explored.learnt]
        said = {
            "format": FORMAT,
            "of": self._of,
            "findings": [_record(found) for found in explored.findings.values()],
            "unjudged": [one._asdict() for one in explored.unjudged],
            "counts": list(numbers),
            "learnt": learnt,
        }
        return (json.dumps(said) + "\n").encode()


def _record(found: Found) -> dict[str, Any]:
    shown = found.confidence
    return found._asdict() | {"confidence": shown and shown.to_json()}


def _found(record: dict[str, Any]) -> Found:
    shown = record["confidence"]
    confidence = None if shown is None else Confidence.from_json(shown)
    return Found(**record | {"where": tuple(record["where"]), "confidence": confidence})
