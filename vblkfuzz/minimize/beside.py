"""The minimized input beside a finding: three files in the folder ``findings/<signature>/``.

    minimized.vblk    the smallest input so far that shows the same bug, to replay
    minimized.toml    the same scenario as text
    minimized.json    how it came about (`store.reduction`)

Each is written completely or not at all, and minimized.vblk last: without it, the others do not
count. It is only ever replaced by a smaller one, by weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.minimize.weight import weight
from vblkfuzz.scenario.artifact import artifact_text, dump_artifact, read_input
from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.finding_files import ARTIFACT, MINIMIZED, file_of_finding, has
from vblkfuzz.store.reduction import Reduction

if TYPE_CHECKING:
    from pathlib import Path

    from vblkfuzz.scenario.artifact import Artifact

_TEXT: Final = "minimized.toml"
_RECORD: Final = "minimized.json"


class Smaller(NamedTuple):
    """A minimized input, to be kept."""

    artifact: Artifact
    sentence: str
    """The violation that it shows, for the head of the text."""
    tried: int
    """Candidates run, over all searches."""
    complete: bool


def reduction_of(folder: Path) -> Reduction | None:
    """Return how the minimized input of a finding came about; None: not known, or there is none."""
    if not has(folder, MINIMIZED):
        return None
    try:
        return Reduction.from_json((folder / _RECORD).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def is_wanting(folder: Path, tries: int) -> bool:
    """Whether a finding has no minimized input, or one whose search ended before so many tries.

    A minimized input of an unknown origin counts as finished: the user put it there.
    """
    if not has(folder, MINIMIZED):
        return True
    found = reduction_of(folder)
    return found is not None and not found.complete and found.tried < tries


def smallest(folder: Path) -> Artifact:
    """Return the smallest input of a finding.

    Raises:
        InputFileError: it cannot be read.
    """
    return read_input(file_of_finding(folder))


def keep(folder: Path, smaller: Smaller, *, force: bool = False) -> Reduction:
    """Keep a minimized input beside its finding, unless there is one that is as small.

    Args:
        folder: the folder of the finding.
        smaller: the input, which shows the bug of the finding.
        force: replace the one that is there, whatever its size: it no longer shows the bug.

    Returns:
        The reduction as recorded.

    Raises:
        InputFileError: the finding, or the minimized input that is there, cannot be read.
        OSError: a file cannot be written; those that are there are whole.
    """
    before = read_input(folder / ARTIFACT).scenario
    there = None if force or not has(folder, MINIMIZED) else smallest(folder)
    better = there is None or weight(smaller.artifact.scenario) < weight(there.scenario)
    kept = smaller.artifact if there is None or better else there
    earlier = None if better else reduction_of(folder)
    reduction = Reduction(
        ops_before=len(before.ops),
        deviations_before=len(before.schedule),
        ops=len(kept.scenario.ops),
        deviations=len(kept.scenario.schedule),
        tried=smaller.tried,
        complete=smaller.complete or (earlier is not None and earlier.complete),
    )
    if better:
        write_file(folder / _TEXT, artifact_text(kept, smaller.sentence).encode())
    if better or earlier:
        write_file(folder / _RECORD, reduction.to_json().encode())
    if better:
        write_file(folder / MINIMIZED, dump_artifact(kept))
    return reduction
