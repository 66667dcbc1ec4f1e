"""Errors as one line on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vblkfuzz.errors import VblkfuzzError


def printable(text: str) -> str:
    """Return text that is safe on a terminal: names from a file may have escape sequences."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )


def say_error(error: VblkfuzzError) -> None:
    """Print an error on stderr: one line, or one for each thing that is wrong with a class."""
    for line in error.lines:
        say(line)


def say(text: str) -> None:
    """Print a text as one line on stderr."""
    print(f"vblkfuzz: {printable(' '.join(text.split()))}", file=sys.stderr)
