"""The corpus folder: raw fuzz inputs, named by their content, and the import of users' files.

Workers share ``corpus/`` in the output folder; libFuzzer writes new inputs there and reloads those
of the other workers. The import converts scenarios in `.vblk` or `.toml` form to raw inputs, skips
files of other kinds that usually lie beside inputs (notes, traces), and takes every other file as a
raw input. A file that is no valid input is copied to ``quarantine/`` together with the reason; the
original is not changed.
"""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import InputFileError, UsageError
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.codec import MAX_BYTES, encode
from vblkfuzz.store.atomic import write_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_FORMS: Final = (".vblk", ".toml")
_BESIDE: Final = (".md", ".txt", ".json", ".log", ".sqlite", ".reason")
"""Suffixes of files that are no inputs: those of findings, output folders and repositories."""


def import_folder(folder: Path, corpus: Path, quarantine: Path) -> Iterator[str]:
    """Copy every input below `folder` into the corpus.

    Yields:
        For each input "", or a line with the reason why it was quarantined.

    Raises:
        InputFileError: `folder` is no folder.
        OSError: corpus or quarantine cannot be written.
    """
    for path in input_paths(folder):
        try:
            data = raw_input(path)
        except InputFileError as error:
            _quarantine(path, quarantine, str(error))
            yield str(error)
            continue
        add_input(corpus, data)
        yield ""


def input_paths(folder: Path) -> list[Path]:
    """Return the files below a folder that are taken as inputs, sorted.

    Raises:
        InputFileError: `folder` is no folder.
    """
    if not folder.is_dir():
        raise InputFileError(str(folder), "", "expected a folder of inputs")
    return sorted(filter(_is_input, folder.rglob("*")))


def add_input(corpus: Path, data: bytes) -> None:
    """Write a raw input under the name that libFuzzer would use: the SHA-1 of its content.

    Raises:
        OSError: the corpus cannot be written.
    """
    name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    if not (corpus / name).exists():
        write_file(corpus / name, data)


def add_inputs(corpus: Path, inputs: Iterable[bytes]) -> None:
    """Write raw inputs into a corpus folder; create it if it is missing.

    Raises:
        UsageError: the folder cannot be written.
    """
    try:
        corpus.mkdir(parents=True, exist_ok=True)
        for data in inputs:
            add_input(corpus, data)
    except OSError as error:
        raise UsageError(f"{corpus}: cannot be written: {error.strerror or error}") from None


def _is_input(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return not hidden and path.suffix not in _BESIDE and path.is_file()


def raw_input(path: Path) -> bytes:
    """Return the raw fuzz input in a file of any form: `.vblk`, `.toml` or raw.

    Raises:
        InputFileError: the file cannot be read, or is no valid input.
    """
    if path.suffix in _FORMS:
        return encode(read_input(path).scenario)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputFileError(str(path), "", f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise InputFileError(str(path), "", f"expected at most {MAX_BYTES} bytes of fuzz input")
    return data


def _quarantine(path: Path, quarantine: Path, reason: str) -> None:
    quarantine.mkdir(exist_ok=True)
    name = f"{hashlib.sha1(str(path).encode(), usedforsecurity=False).hexdigest()[:8]}-{path.name}"
    write_file(quarantine / f"{name}.reason", (reason + "\n").encode())
    try:
        shutil.copyfile(path, quarantine / name)
    except OSError:
        return  # the file cannot be read; the reason names it
