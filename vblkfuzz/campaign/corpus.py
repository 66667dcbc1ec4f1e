"""The corpus folder: raw fuzz inputs by content, and files that users bring along.

Workers share ``corpus/`` under the output folder; libFuzzer writes new inputs there and reloads
those of the other workers. Scenarios in `.vblk` or `.toml` form become raw inputs first. A file
that cannot be read as one is copied to ``quarantine/`` with the reason beside it; the original is
never touched.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Final

from vblkfuzz.campaign.atomic import write_file
from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.codec import MAX_BYTES, encode

_FORMS: Final = (".vblk", ".toml")


def import_folder(folder: Path, corpus: Path, quarantine: Path) -> list[str]:
    """Copy every input below `folder` into the corpus; return a line for each that cannot be.

    Raises:
        InputFileError: `folder` is no folder.
        OSError: the corpus cannot be written.
    """
    if not folder.is_dir():
        raise InputFileError(str(folder), "", "expected a folder of inputs")
    problems = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            data = _raw_input(path)
        except InputFileError as error:
            problems.append(str(error))
            _quarantine(path, quarantine, str(error))
            continue
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()  # libFuzzer's own naming
        if not (corpus / name).exists():
            write_file(corpus / name, data)
    return problems


def _raw_input(path: Path) -> bytes:
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
