"""A command as a line that can be pasted into a shell, whatever bytes the names in it have."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ESCAPED: Final = b"\\'"


def shell_line(words: Iterable[str]) -> str:
    """Return words as one line of a shell.

    >>> shell_line(["vblkfuzz", "replay", "my out/s1"])
    "vblkfuzz replay 'my out/s1'"
    """
    return " ".join(map(shell_word, words))


def shell_word(text: str) -> str:
    r"""Return a text as one word of a shell; ``$'...'`` is known to bash, zsh, ksh and POSIX 2024.

    >>> print(shell_word("it's"), shell_word("it's\n\udcff"))
    'it'"'"'s' $'it\'s\x0a\xff'
    """
    if text.isprintable():
        return shlex.quote(text)
    shown = []
    for byte in text.encode("utf-8", "surrogateescape"):
        if byte in _ESCAPED:
            shown.append(f"\\{byte:c}")
        else:
            shown.append(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")
    return f"$'{''.join(shown)}'"
