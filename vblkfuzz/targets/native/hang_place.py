"""The place of a hang: the functions in which its threads wait (docs/decisions/0018).

Where a thread waits for a lock is up to the clock: it is the first function after the holder took
the lock. What the holder waits for is not. So the search goes from the main loop to the thread that
holds the lock, and so on; the last one names the hang. If that is the main loop, a thread that
waits for its lock is the other half of the name.

Functions that only say how a thread sleeps say nothing of a bug, so their caller counts. A thread
that waits in its event loop is idle.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.native.waiting import WAITS
from vblkfuzz.trace.fault import Fault
from vblkfuzz.trace.kinds import HANG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.native.thread_stacks import Thread
    from vblkfuzz.targets.native.unwinder import Function

_RUST: Final = re.compile(r"_ZN(3std|4core|5alloc)|_RNv\w*Cs\w+_(3std|4core|5alloc)")
"""Symbols of Rust's standard library."""


def place_of_hang(threads: Sequence[Thread], waiter: str) -> Fault | None:
    """Return where the sleeping threads of a process wait; None: all of them are idle.

    Args:
        threads: as `sleeping_threads` returns them.
        waiter: who got no answer, ``operator`` or ``guest``.
    """
    chain = _chain(threads)
    busy = [thread for thread in chain if _place(thread)]
    other = None if chain[1:] else min(_stuck(threads), key=_place, default=None)
    first = _place(busy[-1]) if busy else ""
    second = _place(other) if other else ""
    if not (first or second):
        return None
    sentence = ", ".join(map(_wait, [*(busy or chain), *([other] if other else [])]))
    return Fault(HANG, waiter, sentence, first, "", 0, second)


def _place(thread: Thread) -> str:
    return place_in(thread.stack)


def _wait(thread: Thread) -> str:
    who = "its main thread" if thread.main else "another thread"
    what = "for a lock in" if thread.waits_for else "in"
    return f"{who} waits {what} {_place(thread) or 'its event loop'}"


def place_in(stack: Sequence[Function]) -> str:
    """Return the innermost function on a stack that says something of a bug; else an empty text.

    Only exported functions count where there are any: a stripped program has no other names, and
    one bug must not have another name on a program that is not stripped.
    """
    own = [function for function in stack if not function.run_time]
    exported = [function for function in own if function.exported]
    names = (function.name for function in exported or own)
    return next((name for name in names if name not in WAITS and not _RUST.search(name)), "")


def _chain(threads: Sequence[Thread]) -> list[Thread]:
    """Return the main thread, the one that holds the lock that it waits for, and so on."""
    by_number = {thread.number: thread for thread in threads}
    chain: list[Thread] = []
    following = next((thread for thread in threads if thread.main), None)
    while following is not None and following not in chain:
        chain.append(following)
        following = by_number.get(following.waits_for)
    return chain


def _stuck(threads: Sequence[Thread]) -> list[Thread]:
    """Return the other threads that wait for a lock, or below an event loop of QEMU.

    Other threads may be idle in any function; which of them exist depends on earlier work.
    """
    return [
        thread
        for thread in threads
        if not thread.main and (thread.waits_for or _polls(thread)) and _place(thread)
    ]


def _polls(thread: Thread) -> bool:
    return any(function.name == "aio_poll" for function in thread.stack)
