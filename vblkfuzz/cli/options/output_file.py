"""Writing the one file that a verb was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.errors import UsageError
from vblkfuzz.store.atomic import write_file

if TYPE_CHECKING:
    from pathlib import Path


def check_suffix(output: Path, *suffixes: str) -> None:
    """Check the name of an output file.

    Raises:
        UsageError: it ends in none of the suffixes.
    """
    if output.suffix not in suffixes:
        raise UsageError(f"{output}: expected a name that ends in {' or '.join(suffixes)}")


def check_absent(output: Path, *, force: bool) -> None:
    """Check before long work that its output can be written.

    Raises:
        UsageError: the file exists and is kept, or its folder does not exist.
    """
    if output.exists() and not force:
        raise UsageError(f"{output}: exists; --force replaces it")
    if not output.parent.is_dir():
        raise UsageError(f"{output}: cannot be written: no such folder")


def write_output(output: Path, data: bytes, *, force: bool) -> None:
    """Write a file, whole or not at all; one with other content is kept unless `force`.

    Raises:
        UsageError: it is kept, or cannot be written.
    """
    try:
        if output.exists() and not force:
            if output.read_bytes() == data:
                return
            raise UsageError(f"{output}: exists with other content; --force replaces it")
        write_file(output, data)
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror or error}") from None
