"""The corpus folder: raw fuzz inputs, named by their content, and the import of users' files.

Workers share ``corpus/`` in the output folder; libFuzzer writes new inputs there and reloads those
of the other workers. The import converts the inputs below a folder (`store.input_paths`) to raw
ones. A file that is no valid input is copied to ``quarantine/`` together with the reason; the
original is not changed.
"""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from vblkfuzz.errors import InputFileError, UsageError
from vblkfuzz.scenario.artifact import read_input_file
from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.input_paths import input_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


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
            data = read_input_file(path).raw
        except InputFileError as error:
            _quarantine(path, quarantine, str(error))
            yield str(error)
            continue
        add_input(corpus, data)
        yield ""


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


def _quarantine(path: Path, quarantine: Path, reason: str) -> None:
    quarantine.mkdir(exist_ok=True)
    name = f"{hashlib.sha1(str(path).encode(), usedforsecurity=False).hexdigest()[:8]}-{path.name}"
    write_file(quarantine / f"{name}.reason", (reason + "\n").encode())
    try:
        shutil.copyfile(path, quarantine / name)
    except OSError:
        return  # the file cannot be read; the reason names it
