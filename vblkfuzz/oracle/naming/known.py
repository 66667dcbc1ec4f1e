"""Known violations, by signature: those a device lists, and those a user does not want to hear of.

A device class lists what it is known to do wrong in `known`: the beginning of a signature, and the
bug that explains it. That labels a finding and changes nothing else. A *pattern* (``fuzz --known``,
`store.known_file`) silences what it matches.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def explanation(signature: str, listed: Mapping[str, str]) -> str:
    """Return the bug that explains a violation; empty: none that is listed.

    >>> explanation("s8-start-twice", {"s8": "some bug in starts", "s8-start": "commit 123"})
    'commit 123'
    >>> explanation("s1-direct_kick", {"s8": "some bug in starts"})
    ''
    """
    beginnings = [beginning for beginning in listed if signature.startswith(beginning)]
    return listed[max(beginnings, key=len)] if beginnings else ""


def matches(signature: str, patterns: Iterable[str]) -> bool:
    """Whether a signature is one of `patterns`, with ``*``, ``?`` and ``[...]`` as in a shell.

    >>> matches("s8-start-twice", ["s1-*", "s8-start-*"])
    True
    """
    return any(fnmatchcase(signature, pattern) for pattern in patterns)
