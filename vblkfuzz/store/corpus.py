"""The corpus folder: raw fuzz inputs, named by their content, and the import of users' files.

Workers share ``corpus/`` in the output folder; libFuzzer writes new inputs there and reloads those
of the other workers. The import converts the inputs below a folder (`store.input_paths`) to raw
ones. A file that is no valid input is named in the quarantine (`store.quarantine`), with the
reason. The user's files are not changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.errors import InputFileError, UsageError
from vblkfuzz.scenario.artifact import raw_input_among_others
from vblkfuzz.store.atomic import NewFiles
from vblkfuzz.store.input_name import input_name
from vblkfuzz.store.input_paths import maybe_below

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    from vblkfuzz.store.input_paths import Found
    from vblkfuzz.store.quarantine import Quarantine


class Imported(NamedTuple):
    """One file of an import."""

    total: int
    """How many files there are altogether, as far as that is known: some turn out to be texts."""
    problem: str = ""
    """Why it is in the quarantine, in one line that names it; empty: it is in the corpus."""


def import_folder(
    folder: Path,
    corpus: Path,
    quarantine: Quarantine,
    cut_short: Callable[[], object] = lambda: False,
) -> Generator[Imported]:
    """Copy every input below `folder` into the corpus, until `cut_short` returns something true.

    They are in the corpus when the last one has been yielded: with one sync for all of them, and
    none if the caller stops before.

    Raises:
        InputFileError: `folder` is no folder.
        OSError: corpus or quarantine cannot be written.
    """
    found = maybe_below(folder)
    total = len(found)
    with NewFiles(corpus) as files:
        for one in found:
            if cut_short():
                break
            try:
                data = _read(one)
            except InputFileError as error:
                problem = str(error).replace("\n", "\\n")
                quarantine.name(one.path, problem)
                yield Imported(total, problem)
                continue
            if data is None:
                total -= 1
                continue
            files.add(input_name(data), data)
            yield Imported(total)


def _read(found: Found) -> bytes | None:
    if found.problem:
        raise InputFileError(found.path, "", found.problem)
    return raw_input_among_others(found.path)


def add_inputs(corpus: Path, inputs: Iterable[bytes]) -> None:
    """Write raw inputs into a corpus folder, all or none of them; create it if it is missing.

    Raises:
        UsageError: the folder cannot be written.
    """
    try:
        corpus.mkdir(parents=True, exist_ok=True)
        with NewFiles(corpus) as files:
            for data in inputs:
                files.add(input_name(data), data)
    except OSError as error:
        raise UsageError(f"{corpus}: cannot be written: {error.strerror or error}") from None
