"""What a verb reads of a store, as folders: findings in the current folder, inputs for a moment."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from vblkfuzz.cli.views.complaint import say
from vblkfuzz.counted import counted
from vblkfuzz.errors import InputFileError
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
    name = hashlib.sha1(place.encode(), usedforsecurity=False).hexdigest()[:12]
    out = Path(_COPIES) / name
    try:
        found = write_copy(open_store(place), out)
    except OSError as error:
        raise InputFileError(place, "", f"cannot be copied: {error.strerror or error}") from error
    say(f"{place}: {counted(len(found), 'finding')}, copied to {out}")
    return str(out)


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
        write_inputs(open_store(place), folder)
    except OSError as error:
        raise InputFileError(place, "", f"cannot be read: {error.strerror or error}") from error
    return folder
