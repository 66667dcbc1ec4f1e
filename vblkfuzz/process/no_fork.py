"""A user's device must not fork: the copy would go on in our code, on the memory of the execution.

It would take turns and write events beside the device, and stay when that has ended. A program that
a device runs (`subprocess`) is no such copy.
"""

from __future__ import annotations

import sys
from typing import Final

_FORKS: Final = frozenset({"os.fork", "os.forkpty"})
"""Events (PEP 578) of all calls of Python that fork."""


class ForkError(RuntimeError):
    """Raised in the device's own line, so that it is a finding there."""


class _Hook:
    """An audit hook cannot be removed, so it is added once and told whether to refuse."""

    added = False
    refuses = False


def refuse_forks() -> None:
    """Let each fork of this process raise `ForkError`, until `allow_forks`."""
    if not _Hook.added:
        sys.addaudithook(_refuse)
        _Hook.added = True
    _Hook.refuses = True


def allow_forks() -> None:
    """Let this process fork again."""
    _Hook.refuses = False


def _refuse(event: str, _arguments: object) -> None:
    if event in _FORKS and _Hook.refuses:
        raise ForkError("a device must not fork: its copy would go on with the execution")
