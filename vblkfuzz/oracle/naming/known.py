"""Known violations, by signature: those that a device class lists, and those that a user ignores.

A device class lists its known violations in `known`: the beginning of a signature, and the bug that
explains it. This only adds a label to a finding. A *pattern* (``fuzz --known``, `store.known_file`)
suppresses the findings that it matches.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def explanation(signature: str, listed: Mapping[str, str]) -> str:
    """Return the bug that explains a violation; empty if none is listed.

    The rule must be the same: ``s2`` is no beginning of a signature of S24.

    >>> explanation("s8-start-twice", {"s8": "some bug in starts", "s8-start": "commit 123"})
    'commit 123'
    >>> explanation("s1-direct_kick", {"s8": "some bug in starts"})
    ''
    """
    rule = signature.partition("-")[0]
    beginnings = [
        beginning
        for beginning in listed
        if signature.startswith(beginning) and beginning.partition("-")[0] == rule
    ]
    return listed[max(beginnings, key=len)] if beginnings else ""


def matches(signature: str, patterns: Iterable[str]) -> bool:
    """Whether a signature is one of `patterns`, with ``*``, ``?`` and ``[...]`` as in a shell.

    >>> matches("s8-start-twice", ["s1-*", "s8-start-*"])
    True
    """
    return any(fnmatchcase(signature, pattern) for pattern in patterns)
