"""The counts of features (`feedback.incidence`), as files beside the record of features.

Each worker has a file of its own in ``features/``, ``CAMPAIGN-WORKER.counts``, which it writes anew
every few seconds and when it ends, and with which it goes on if it is started again. It is an
object of JSON: the fingerprint that says of what the numbers speak (`store.feature_record`), the
executions, and the features that one, two, and three or more of them had.

When the next campaign begins, the files of the newest fingerprint become one, and the others leave.
That one names those that it has taken in, so they do not count twice if the process is killed
before they are gone. Nothing is synced: what a loss of power takes is counted anew.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vblkfuzz.feedback.incidence import Incidence
from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.feature_record import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_SUFFIX: Final = ".counts"
_FORMAT: Final = "vblkfuzz counts 1"
_MOST: Final = 1 << 16
"""Features have lower numbers: a file of others may claim anything."""
_BIT: Final = re.compile("1")


class _Counts(NamedTuple):
    """The content of a file."""

    fingerprint: str
    noted: Incidence
    taken_in: tuple[str, ...]
    """Names of other files, which are part of this one."""


def counts_file(out: Path, campaign: str, worker: int) -> Path:
    """Return the place of the counts of a worker."""
    return out / FOLDER / f"{campaign}-{worker}{_SUFFIX}"


def write_counts(
    path: Path, fingerprint: str, noted: Incidence, taken_in: Sequence[str] = ()
) -> None:
    """Write the counts of a worker.

    Raises:
        OSError: they cannot be written; the file is as it was.
    """
    content = {
        "format": _FORMAT,
        "fingerprint": fingerprint,
        "executions": noted.executions,
        "once": _numbers(noted.once & ~noted.twice),
        "twice": _numbers(noted.twice & ~noted.thrice),
        "more": _numbers(noted.thrice),
        "taken_in": list(taken_in),
    }
    path.parent.mkdir(exist_ok=True)
    write_file(path, json.dumps(content).encode(), sync=False)


def read_counts(path: Path, fingerprint: str) -> Incidence:
    """Return the counts of one file; none if it is not there, or of another fingerprint."""
    found = _read(path)
    return found.noted if found and found.fingerprint == fingerprint else Incidence()


def counts_of(out: Path, campaign: str) -> Incidence:
    """Return the counts of a campaign, and of those before it that its numbers speak of as well.

    Raises:
        OSError: the folder cannot be read.
    """
    files = _files(out)
    ours = {one.fingerprint for path, one in files.items() if path.name.startswith(f"{campaign}-")}
    return _sum(files, ours)


def merge_counts(out: Path) -> None:
    """Merge the files of the newest fingerprint into one; the others leave. No worker runs.

    Raises:
        OSError: the folder cannot be read or written; then nothing is lost.
    """
    files = _files(out)
    if len(files) < 2:
        return
    newest = max(files, key=lambda path: (path.stat().st_mtime_ns, path.name))
    last = files[newest].fingerprint
    merged = newest.with_name(f"{newest.stem}+{_SUFFIX}")
    same = sorted(path.name for path, one in files.items() if one.fingerprint == last)
    write_counts(merged, last, _sum(files, {last}), same)
    for path in files:
        path.unlink()


def _sum(files: dict[Path, _Counts], fingerprints: set[str]) -> Incidence:
    taken_in = {name for one in files.values() for name in one.taken_in}
    total = Incidence()
    for path, one in files.items():
        if one.fingerprint in fingerprints and path.name not in taken_in:
            total.add(one.noted)
    return total


def _files(out: Path) -> dict[Path, _Counts]:
    """Return the files that can be read, by place."""
    paths = sorted((out / FOLDER).glob(f"[!.]*{_SUFFIX}"))
    return {path: one for path in paths if (one := _read(path))}


def _read(path: Path) -> _Counts | None:
    """Return the content of a file; None: there is none, or it has not been written by us."""
    try:
        values = json.loads(path.read_bytes())
        return _content(values) if values["format"] == _FORMAT else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _content(values: dict[str, Any]) -> _Counts:
    exactly = [_bits(values[key]) for key in ("once", "twice", "more")]
    thrice = exactly[2]
    twice = exactly[1] | thrice
    noted = Incidence(int(values["executions"]), exactly[0] | twice, twice, thrice)
    return _Counts(str(values["fingerprint"]), noted, tuple(map(str, values["taken_in"])))


def _numbers(bits: int) -> list[int]:
    return [found.start() for found in _BIT.finditer(f"{bits:b}"[::-1])]


def _bits(numbers: Iterable[int]) -> int:
    marked = bytearray(_MOST // 8)
    for number in numbers:
        if not 0 <= number < _MOST:
            raise ValueError(f"feature {number}: expected one below {_MOST}")
        marked[number // 8] |= 1 << number % 8
    return int.from_bytes(marked, "little")
