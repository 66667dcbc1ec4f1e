"""The file of ``fuzz --known``: one signature a line, as a glob; ``#`` begins a comment.

What matches is counted, but neither reported nor saved, and makes no campaign fail. Format::

    # on every QEMU so far
    s1-reset-stop-*
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import InputFileError
from vblkfuzz.limits import MAX_ARTIFACT_BYTES

if TYPE_CHECKING:
    from pathlib import Path

_PATTERN: Final = re.compile(r"[a-z0-9_*?!\[\]-]+")
"""What signatures are made of (`oracle.verdict.Violation.signature`), and globs."""


def read_known(path: Path) -> tuple[str, ...]:
    """Return the patterns in a file, for `oracle.naming.known.matches`.

    Raises:
        InputFileError: it cannot be read, or a line holds no signature.
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
        with path.open("rb") as file:
            data = file.read(MAX_ARTIFACT_BYTES + 1)
    except OSError as error:
        raise InputFileError(str(path), "", f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_ARTIFACT_BYTES:
        raise InputFileError(str(path), "", f"expected at most {MAX_ARTIFACT_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputFileError(str(path), f"line {line}", "expected UTF-8") from None
