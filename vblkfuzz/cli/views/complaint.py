"""Errors as one line on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from vblkfuzz.triage.printable import printable

if TYPE_CHECKING:
    from vblkfuzz.errors import VblkfuzzError


def say_error(error: VblkfuzzError) -> None:
    """Print an error on stderr: one line, or one for each thing that is wrong with a class."""
    for line in error.lines:
        say(line)


def say(text: str) -> None:
    """Print a text as one line on stderr."""
    print(f"vblkfuzz: {printable(' '.join(text.split()))}", file=sys.stderr)
