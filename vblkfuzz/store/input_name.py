"""The name of a raw input in a corpus folder: the SHA-1 of its content, as libFuzzer names it."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_DIGEST: Final = re.compile(r"[0-9a-f]{40}")


def input_name(data: bytes) -> str:
    """Return the name of an input."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def is_digest(name: str) -> bool:
    """Whether a name says what the content of its file is; other names are those of users."""
    return _DIGEST.fullmatch(name) is not None
