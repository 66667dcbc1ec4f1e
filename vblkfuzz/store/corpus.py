"""The corpus folder: raw fuzz inputs by content, and files that users bring along.

Workers share ``corpus/`` under the output folder; libFuzzer writes new inputs there and reloads
those of the other workers. Scenarios in `.vblk` or `.toml` form become raw inputs first; what is
known to lie beside inputs (notes, traces) is passed over, and every other file is a raw input. A
file that cannot be read as one is copied to ``quarantine/`` with the reason beside it; the original
is never touched.
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
"""What lies beside inputs: in a finding's folder, in an output folder, in a repository."""


def import_folder(folder: Path, corpus: Path, quarantine: Path) -> Iterator[str]:
    """Copy every input below `folder` into the corpus; yield a line for each, or "".

    The line says why an input cannot be used.

    Raises:
        InputFileError: `folder` is no folder.
        OSError: the corpus cannot be written.
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
    """Return the files below a folder that should be inputs.

    Raises:
        InputFileError: it is no folder.
    """
    if not folder.is_dir():
        raise InputFileError(str(folder), "", "expected a folder of inputs")
    return sorted(filter(_is_input, folder.rglob("*")))


def add_input(corpus: Path, data: bytes) -> None:
    """Write a raw input, under the name that libFuzzer would give it.

    Raises:
        OSError: the corpus cannot be written.
    """
    name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    if not (corpus / name).exists():
        write_file(corpus / name, data)


def add_inputs(corpus: Path, inputs: Iterable[bytes]) -> None:
    """Write raw inputs into a corpus folder, which is made if it is missing.

    Raises:
        UsageError: it cannot be written.
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
    """Return the fuzz input in a file, whatever its form.

    Raises:
        InputFileError: it cannot be read as one.
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
        return  # what cannot be read cannot be copied either; the reason says which file it is
