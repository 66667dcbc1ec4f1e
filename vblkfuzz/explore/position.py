"""How far an exploration has come: ``OUT/explore.json``, so that the same command goes on there.

The file is there while an exploration is unfinished. It holds what the search has learnt from each
schedule (`search`), and the results. Equal counts are written once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.explore.explored import Found, Unjudged
from vblkfuzz.explore.position_file import PositionFile
from vblkfuzz.store.confidence import Confidence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vblkfuzz.explore.explored import Explored
    from vblkfuzz.explore.prefix import Counts

NAME: Final = "explore.json"
FORMAT: Final = 2


class Position:
    """The file of one exploration."""

    def __init__(self, out: Path, of: Mapping[str, str]) -> None:
        """Remember an exploration in the folder `out`.

        Args:
            out: the output folder.
            of: what it explores, by name in plain words; another one does not go on from there.
        """
        self._file = PositionFile(out / NAME, FORMAT, of)

    def restore(self, explored: Explored) -> None:
        """Fill in the results up to the position; none if there is no file.

        Raises:
            InputFileError: the file cannot be read.
            UsageError: it is of another exploration.
        """
        said = self._file.read()
        if said is None:
            return
        try:
            tables = [tuple(map(tuple, table)) for table in said["counts"]]
            explored.learnt = [tables[index] for index in said["learnt"]]
            found = [_found(one) for one in said["findings"]]
            explored.findings = {one.signature: one for one in found}
            explored.unjudged = [
                Unjudged(tuple(one["where"]), one["error"]) for one in said["unjudged"]
            ]
        except (KeyError, TypeError, ValueError, OverflowError, IndexError) as error:
            problem = f"expected what explore writes, found {error!r}"
            raise self._file.unreadable(problem) from error

    def keep(self, explored: Explored, *, now: bool = False) -> None:
        """Write the file, if it is time; remove it if the exploration is complete.

        Raises:
            OSError: it cannot be written.
        """
        if explored.complete:
            self._file.remove()
        elif now or self._file.is_due():
            self._file.write(_said(explored))


def _said(explored: Explored) -> dict[str, Any]:
    numbers: dict[Counts, int] = {}
    learnt = [numbers.setdefault(counts, len(numbers)) for counts in explored.learnt]
    return {
        "findings": [_record(found) for found in explored.findings.values()],
        "unjudged": [one._asdict() for one in explored.unjudged],
        "counts": list(numbers),
        "learnt": learnt,
    }


def _record(found: Found) -> dict[str, Any]:
    shown = found.confidence
    return found._asdict() | {"confidence": shown and shown.to_json()}


def _found(record: dict[str, Any]) -> Found:
    shown = record["confidence"]
    confidence = None if shown is None else Confidence.from_json(shown)
    return Found(**record | {"where": tuple(record["where"]), "confidence": confidence})
