"""Text from files and devices, made safe for a terminal and for files that are lines or XML."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return text with escapes in place of control characters and other bytes than UTF-8.

    >>> printable("a\x1b[1m\udcff\n")
    'a\\x1b[1m\\udcff\n'
    """
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )
