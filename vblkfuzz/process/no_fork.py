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


def refuse_forks() -> None:
    """Let each fork of this process raise `ForkError`, from now on."""
    sys.addaudithook(_refuse)


def _refuse(event: str, _arguments: object) -> None:
    if event in _FORKS:
        raise ForkError("a device must not fork: its copy would go on with the execution")
