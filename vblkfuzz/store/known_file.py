"""The file for ``fuzz --known``: one glob for signatures per line; ``#`` begins a comment.

Findings that match are counted, but neither reported nor saved, and do not make a campaign fail.
Example::

    # on every QEMU so far
    s1-reset-stop-*
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import InputFileError
from vblkfuzz.limits import MAX_ARTIFACT_BYTES
from vblkfuzz.scenario.file_bytes import read_at_most

if TYPE_CHECKING:
    from pathlib import Path

_PATTERN: Final = re.compile(r"[a-z0-9_*?!\[\]-]+")
"""The characters of signatures (`oracle.violation.Violation.signature`) and of globs."""


def read_known(path: Path) -> tuple[str, ...]:
    """Return the patterns in a file, for `oracle.naming.known.matches`.

    Raises:
        InputFileError: the file cannot be read, or a line is no single glob.
    """
    patterns = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        pattern = line.partition("#")[0].strip()
        if pattern and not _PATTERN.fullmatch(pattern):
            problem = f"expected one signature (* ? [...] allowed), found {pattern!r}"
            raise InputFileError(str(path), f"line {number}", problem)
        if pattern:
            patterns.append(pattern)
    return tuple(patterns)


def _text(path: Path) -> str:
    try:
        data = read_at_most(path, MAX_ARTIFACT_BYTES + 1)
    except OSError as error:
        raise InputFileError(str(path), "", f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_ARTIFACT_BYTES:
        raise InputFileError(str(path), "", f"expected at most {MAX_ARTIFACT_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputFileError(str(path), f"line {line}", "expected UTF-8") from None
