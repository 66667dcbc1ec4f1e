"""What a verb reads of a store, as folders: findings in the current folder, inputs for a moment."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from vblkfuzz.cli.views.complaint import say
from vblkfuzz.counted import counted
from vblkfuzz.errors import InputFileError
from vblkfuzz.store.saved_findings import finding_names
from vblkfuzz.store.store_summary import is_store, open_store, write_copy, write_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COPIES: Final = "vblkfuzz-store"


def copied(place: str) -> str:
    """Return a folder with the findings of a store; an output folder as it is.

    Raises:
        InputFileError: the store cannot be read, or the copy not written.
    """
    if not is_store(place):
        return place
    try:
        store = open_store(place)
        out = _folder_for(place, set(store.signatures()))
        found = write_copy(store, out)
    except OSError as error:
        raise InputFileError(place, "", f"cannot be copied: {error.strerror or error}") from error
    say(f"{place}: {counted(len(found), 'finding')}, copied to {out}")
    return str(out)


def _folder_for(place: str, signatures: set[str]) -> Path:
    """Return the folder of a copy: with no finding of an earlier store that was in this place."""
    digest = hashlib.sha1(place.encode(errors="surrogateescape"), usedforsecurity=False)
    name = digest.hexdigest()[:12]
    names = chain((name,), (f"{name}-{number}" for number in count(2)))
    folders = (Path(_COPIES) / one for one in names)
    return next(one for one in folders if signatures.issuperset(finding_names(one)))


@contextmanager
def as_folders(places: Sequence[str]) -> Iterator[list[Path]]:
    """Yield folders of inputs; those of stores last as long as the block.

    Raises:
        InputFileError: a store cannot be read.
    """
    with TemporaryDirectory(prefix="vblkfuzz-store-") as top:
        yield [_inputs(place, Path(top) / str(at)) for at, place in enumerate(places)]


def _inputs(place: str, folder: Path) -> Path:
    if not is_store(place):
        return Path(place)
    folder.mkdir()
    try:
        found = write_inputs(open_store(place), folder)
    except OSError as error:
        raise InputFileError(place, "", f"cannot be read: {error.strerror or error}") from error
    if not found:
        raise InputFileError(place, "", "expected inputs, found none in this store")
    return folder
