"""Calls that a user's device must not make: they reach processes that it has not started.

A fork would go on in our code, on the memory of the execution: take turns and write events beside
the device, and stay when that has ended. A program that a device runs (`subprocess`) is no such
copy. A signal to its parent or its process group would end the worker, or whoever runs the test.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final

_FORKS: Final = frozenset({"os.fork", "os.forkpty"})
"""Events (PEP 578) of all calls of Python that fork."""
_SIGNALS: Final = frozenset({"os.kill", "os.killpg"})
"""Events of those that send a signal to a process; their first argument is its id."""


class ForkError(RuntimeError):
    """Raised in the device's own line, so that it is a finding there."""


class SignalError(RuntimeError):
    """Raised in the device's own line, so that it is a finding there."""


class _Hook:
    """An audit hook cannot be removed, so it is added once and told whether to refuse."""

    added = False
    refuses = False


def refuse_calls() -> None:
    """Let each such call of this process raise, until `allow_calls`."""
    if not _Hook.added:
        sys.addaudithook(_refuse)
        _Hook.added = True
    _Hook.refuses = True


def allow_calls() -> None:
    """Let this process make all calls again."""
    _Hook.refuses = False


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if not _Hook.refuses:
        return
    if event in _FORKS:
        raise ForkError("a device must not fork: its copy would go on with the execution")
    if event in _SIGNALS and not _is_own(event, arguments[0]):
        raise SignalError("a device must not send signals to processes that it has not started")


def _is_own(event: str, number: int) -> bool:
    """Whether a signal reaches the device itself, or a child (for a group: that leads it)."""
    if number == os.getpid() and event == "os.kill":
        return True
    if number <= 1:  # a group or all processes; 1 is no child of a device
        return False
    try:
        os.waitid(os.P_PID, number, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
