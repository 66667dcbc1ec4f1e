"""Damaged inputs of a corpus: files that a full disk or a loss of power has cut off.

libFuzzer writes an input in place, under the SHA-1 of its content. A file whose content has another
one is not what was kept for its features. Files with other names are those of users.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from vblkfuzz.counted import counted
from vblkfuzz.scenario.file_bytes import read_at_most
from vblkfuzz.store.input_name import input_name, is_digest
from vblkfuzz.store.quarantine import Quarantine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def damaged_inputs(corpus: Path) -> Iterator[tuple[Path, str]]:
    """Yield the damaged files of a corpus, each with what is wrong.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(corpus) as listed:
        paths = {one.name: one.path for one in listed if is_digest(one.name) and one.is_file()}
    for name in sorted(paths):  # texts: there may be 50,000 of them
        try:
            data = read_at_most(paths[name], sys.maxsize)
        except OSError as error:
            yield corpus / name, f"cannot be read: {error.strerror or error}"
            continue
        if input_name(data) != name:
            size = counted(len(data), "byte")
            yield corpus / name, f"cut off: its {size} are not those it is named by"


def quarantine_damaged(corpus: Path, folder: Path, say: Callable[[str], None]) -> None:
    """Move the damaged files of a corpus into the quarantine, and say how many.

    Raises:
        OSError: they cannot be moved.
    """
    number = 0
    with Quarantine(folder) as quarantine:
        for path, reason in damaged_inputs(corpus):
            quarantine.move(path, reason)
            number += 1
    if number:
        what = counted(number, "damaged input")
        say(f"{corpus}: {what} moved to {folder}; record.jsonl there says what is wrong")
