"""Checks and writes the output file of a verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.errors import UsageError
from vblkfuzz.store.atomic import write_file

if TYPE_CHECKING:
    from pathlib import Path


def check_suffix(output: Path, *suffixes: str) -> None:
    """Check the name of an output file.

    Raises:
        UsageError: the name ends in none of the suffixes.
    """
    if output.suffix not in suffixes:
        raise UsageError(f"{output}: expected a name that ends in {' or '.join(suffixes)}")


def check_absent(output: Path, *, force: bool) -> None:
    """Check that the output can be written, before the work that takes long.

    Raises:
        UsageError: the file exists and `force` is not set, it is none, or its folder does not
            exist.
    """
    _check_file(output)
    if output.exists() and not force:
        raise UsageError(f"{output}: exists; --force replaces it")
    if not output.parent.is_dir():
        raise UsageError(f"{output}: cannot be written: no such folder")


def print_output(output: Path, text: str, *, force: bool) -> None:
    """Write a text to stdout if the name is ``-``, else as `write_output` does."""
    if str(output) == "-":
        print(text, end="")
    else:
        write_output(output, text.encode(), force=force)


def write_output(output: Path, data: bytes, *, force: bool) -> None:
    """Write a file completely or not at all; an existing one is replaced only with `force`.

    Raises:
        UsageError: a file with other content exists, it is no file, or it cannot be written.
    """
    _check_file(output)
    try:
        if output.exists() and not force:
            if output.read_bytes() == data:
                return
            raise UsageError(f"{output}: exists with other content; --force replaces it")
        write_file(output, data)
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror or error}") from None


def _check_file(output: Path) -> None:
    """Check that the name is free or a file: a device or a pipe must not be read or replaced."""
    if output.exists() and not output.is_file():
        raise UsageError(f"{output}: expected a file, found a {_what(output)}")


def _what(path: Path) -> str:
    return "folder" if path.is_dir() else "device or a pipe"
