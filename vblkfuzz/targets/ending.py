"""How a device process ended: it crashed, it hangs, or it was killed from outside.

A crash is named by its place: by the message of the assertion or of the sanitizer that failed, else
by the function that got the signal (`targets.crash_place`). Why nothing else: docs/decisions/0014.
A hang is named by the functions in which its threads wait (docs/decisions/0018).
"""

from __future__ import annotations

import signal
from contextlib import closing
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost
from vblkfuzz.process.blame import printable
from vblkfuzz.targets.activity.silence import ASLEEP_S, Silence
from vblkfuzz.targets.activity.stillness import Stillness
from vblkfuzz.targets.backtrace import backtrace
from vblkfuzz.targets.child import FROM_OUTSIDE, signal_of
from vblkfuzz.targets.device_end import Ending
from vblkfuzz.targets.last_words import Place, farewell, place_in
from vblkfuzz.targets.native.crash_place import place_of_crash
from vblkfuzz.targets.native.hang_place import place_of_hang
from vblkfuzz.targets.native.thread_stacks import sleeping_threads
from vblkfuzz.trace.fault import REFUSES, Fault, signal_name
from vblkfuzz.trace.kinds import CRASH, HANG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.child import Child
    from vblkfuzz.targets.native.thread_stacks import Thread

_END_LOOKS: Final = 10
"""Number of samples in a row that must show a process asleep which may be ending, before it hangs:
its stack may be read by the process that watches it."""
_TITLE: Final = 16
"""Characters of a thread's name at most."""
_BY_ITSELF: Final = frozenset({0, signal.SIGABRT, signal.SIGTRAP, signal.SIGILL})
"""Signals by which a program ends itself after it has said why; 0: it exits."""


def ending_of(
    child: Child, *, guest_waits: bool, dies: bool = True, explain: bool = True
) -> Ending | None:
    """Return how a process ended, or that it hangs; None if it was killed, which is no finding.

    Args:
        child: a process that does not answer.
        guest_waits: the guest got no answer; False: the operator got none.
        dies: the process may be ending, so wait for that, unless it sleeps.
        explain: add the backtrace of a hang, which takes seconds.

    Raises:
        DeviceLost: it was stopped from outside, which is no finding.
        HarnessError: it is not known whether it ends.
    """
    code = _end_of(child) if dies else child.exit_code()
    words = child.words()
    if code is None:
        if child.is_stopped:
            raise DeviceLost("the device process is stopped from outside (SIGSTOP, a debugger)")
        return _hang(child, words, guest_waits=guest_waits, explain=explain)
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


def _end_of(child: Child) -> int | None:
    """Return the exit code of a process that may be ending; None if it hangs instead."""
    if (code := child.exit_code(ASLEEP_S)) is not None:
        return code
    with closing(Stillness(child.pid)) as still:
        Silence(still, looks=_END_LOOKS).outlast(lambda patience_s: _ended(child, patience_s))
    return child.exit_code()


def _ended(child: Child, patience_s: float) -> bool:
    return child.exit_code(patience_s) is not None


def _hang(child: Child, words: str, *, guest_waits: bool, explain: bool) -> Ending:
    child.unwatch()
    threads = sleeping_threads(child.pid)
    fault = place_of_hang(threads, "guest" if guest_waits else "operator")
    stacks = backtrace(child.pid) if explain else ""
    report = "\n\n".join((words, *map(_stack, threads))).strip() + stacks
    path = fault.digest if fault else 0
    return Ending(HANG, report, fault, flag=int(guest_waits), path=path)


def refusal_of(child: Child) -> Ending:
    """Return that a process lives on, but cannot load the state that it has saved.

    The same state makes a new process exit, which is a crash. So this is one, too, and is named by
    the last line as that is.
    """
    words = child.words()
    place = farewell(words)
    fault = Fault(CRASH, REFUSES, place.message, "", "", 0, place.text)
    return Ending(CRASH, words, fault, path=fault.digest)


def _stack(thread: Thread) -> str:
    name = f"thread {printable(thread.title, _TITLE)}{' (the main one)' if thread.main else ''}"
    return "\n".join((f"{name} sleeps", *(f"  in {function.name}" for function in thread.stack)))


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
        place = Place("", place_of_crash(frames)) if number else farewell(words)
    message, function, file, line, text = place
    # The name of a file tells two places apart only where no function does.
    told = text if function else f"{file} {text}".strip()
    what = signal_name(number) if number else "exit"
    return Fault(CRASH, what, message, function, file, line, told, 0, number, status)
