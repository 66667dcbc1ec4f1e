"""A check runs in a process of its own, so that it can neither hang, crash nor leave anything."""

from __future__ import annotations

import errno
import json
import os
import select
from functools import partial
from typing import TYPE_CHECKING, Final

from vblkfuzz.doctor.check import Found, Verdict, no
from vblkfuzz.doctor.child import child
from vblkfuzz.errors import VblkfuzzError
from vblkfuzz.limits import BUSY_LIMIT_S
from vblkfuzz.process.patience import SLICE_S, Patience

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

LIMIT_S: Final = BUSY_LIMIT_S + 10
"""Seconds for one check: a real device that does not answer is given up before."""
MORE_PROCESSES: Final = "allow more processes: ulimit -u, or pids.max of the container"
_MAX_CHARACTERS: Final = 300
"""Length of a fact."""
_ANSWER_BYTES: Final = 1 << 16


def tried(look: Callable[[], Found], limit_s: float = LIMIT_S) -> Found:
    """Return what a check finds; whatever it raises is a fact, too."""
    try:
        with child(partial(_look, look)) as forked:
            return _answer(forked.line, limit_s)
    except OSError as error:
        return no(f"no process can be started: {error.strerror}", MORE_PROCESSES)


def _look(look: Callable[[], Found], line: socket.socket) -> None:
    """Run a check in the child, and send what it has found."""
    line.send(json.dumps(_found(look)).encode())


def _found(look: Callable[[], Found]) -> Found:
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        found = look()
    except VblkfuzzError as error:
        found = no(error.lines[0])
    except OSError as error:
        advice = MORE_PROCESSES if error.errno == errno.EAGAIN else ""
        found = no(error.strerror or str(error), advice)
    except Exception as error:
        found = no(f"{type(error).__name__}: {error}")
    return found._replace(fact=" ".join(found.fact.split())[:_MAX_CHARACTERS])


def _answer(line: socket.socket, limit_s: float) -> Found:
    """Return what the child has sent."""
    patience = Patience(limit_s)
    while not select.select([line], [], [], SLICE_S)[0]:
        if patience.over:
            return no(f"no result within {limit_s:g} s")
    said = line.recv(_ANSWER_BYTES)
    if not said:
        return no("the process that tried it has crashed")
    verdict, fact, advice = json.loads(said)
    return Found(Verdict(verdict), fact, advice)
