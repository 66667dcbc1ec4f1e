"""How a device process ended: it crashed, it hangs, or it was killed from outside.

A crash is named by its place: by the message of the assertion or of the sanitizer that failed, else
by the function that got the signal. Why nothing else: docs/decisions/0014.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost
from vblkfuzz.targets.backtrace import backtrace
from vblkfuzz.targets.child import FROM_OUTSIDE, signal_of
from vblkfuzz.targets.device_end import Ending
from vblkfuzz.targets.last_words import Place, farewell, place_in
from vblkfuzz.trace.fault import Fault, signal_name
from vblkfuzz.trace.kinds import CRASH, HANG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.child import Child

_END_PATIENCE_S: Final = 1.0
"""Seconds that a process gets to end by itself after its connections have ended."""
_BY_ITSELF: Final = frozenset({0, signal.SIGABRT, signal.SIGTRAP, signal.SIGILL})
"""Signals by which a program ends itself after it has said why; 0: it exits."""


def ending_of(
    child: Child, *, guest_waits: bool, dies: bool = True, explain: bool = True
) -> Ending | None:
    """Return how a process ended, or that it hangs; None if it was killed, which is no finding.

    Args:
        child: a process that does not answer.
        guest_waits: the guest got no answer; False: the operator got none.
        dies: the process may be ending, so wait up to a second for that.
        explain: add the backtrace of a hang, which takes seconds.

    Raises:
        DeviceLost: it was stopped from outside, which is no finding.
    """
    code = child.exit_code(_END_PATIENCE_S if dies else 0.0)
    words = child.words()
    if code is None:
        if child.is_stopped:
            raise DeviceLost("the device process is stopped from outside (SIGSTOP, a debugger)")
        child.unwatch()
        stacks = backtrace(child.pid) if explain else ""
        return Ending(HANG, f"{words}\n\n{stacks}", flag=int(guest_waits))
    number = signal_of(code)
    if number in FROM_OUTSIDE:
        return None
    frames = child.frames() if number else []
    fault = crash_of(words, number, 0 if number else code, frames)
    how = f"signal {number}" if number else f"exit status {code}"
    return Ending(
        *(CRASH, "\n".join((how, *(f"  in {frame}" for frame in frames), words)), fault),
        flag=number,
        value=fault.status,
        path=fault.digest,
    )


def crash_of(words: str, number: int, status: int, frames: Sequence[str] = ()) -> Fault:
    """Return what is known of a crash.

    Args:
        words: the end of the process's standard error.
        number: the signal that ended it; 0: it exited.
        status: its exit status.
        frames: the functions on the stack of the signal, the innermost first.
    """
    place = place_in(words) if number in _BY_ITSELF else None
    if place is None:
        place = Place("", frames[0] if frames else "") if number else farewell(words)
    message, function, file, line, text = place
    # The name of a file tells two places apart only where no function does.
    told = text if function else f"{file} {text}".strip()
    what = signal_name(number) if number else "exit"
    return Fault(CRASH, what, message, function, file, line, told, 0, number, status)
