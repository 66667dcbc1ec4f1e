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

from vblkfuzz.trace.fault import Fault
from vblkfuzz.trace.kinds import HANG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.thread_stacks import Function, Thread

_SLEEPS: Final = (
    "qemu_poll_ns fdmon_poll_wait fdmon_epoll_wait fdmon_io_uring_wait aio_poll qemu_futex_wait "
    "qemu_event_wait qemu_cond_wait_impl qemu_cond_timedwait_impl qemu_cond_timedwait_ts "
    "qemu_sem_wait qemu_sem_timedwait"
)
_LOCKS: Final = (
    "qemu_mutex_lock_impl qemu_rec_mutex_lock_impl qemu_mutex_lock_iothread_impl bql_lock_impl "
    "qemu_lockcnt_lock aio_context_acquire"
)
_CALLS: Final = (
    "aio_dispatch aio_dispatch_handlers aio_bh_poll aio_ctx_dispatch os_host_main_loop_wait "
    "main_loop_wait qemu_main_loop qemu_default_main main _start iothread_run worker_thread "
    "call_rcu_thread qemu_thread_start qemu_wait_io_event rr_cpu_thread_fn mttcg_cpu_thread_fn "
    "coroutine_trampoline"
)
_QEMU: Final = frozenset(f"{_SLEEPS} {_LOCKS} {_CALLS}".split())
"""Functions of QEMU that only say how a thread waits, or that call whatever it has to do."""
_RUST: Final = re.compile(r"_ZN(3std|4core|5alloc)|_RNv\w*Cs\w+_(3std|4core|5alloc)")
"""Symbols of Rust's standard library."""


def place_of_hang(threads: Sequence[Thread], waiter: str) -> Fault | None:
    """Return where the sleeping threads of a process wait; None: all of them are idle.

    Args:
        threads: as `sleeping_threads` returns them.
        waiter: who got no answer, ``operator`` or ``guest``.
    """
    chain = _chain(threads)
    busy = [thread for thread in chain if place_in(thread.stack)]
    first = place_in(busy[-1].stack) if busy else ""
    second = "" if len(chain) > 1 else min(_stuck(threads), default="")
    if not (first or second):
        return None
    return Fault(HANG, waiter, _sentence(busy, second), first, "", 0, second)


def _sentence(busy: Sequence[Thread], second: str) -> str:
    places = [
        f"{'its main thread' if thread.main else 'another thread'} waits in "
        f"{place_in(thread.stack)}"
        for thread in busy
    ]
    if second:
        places.append(f"another thread waits in {second}")
    return ", ".join(places)


def place_in(stack: Sequence[Function]) -> str:
    """Return the innermost function on a stack that says something of a bug; else an empty text.

    Only exported functions count where there are any: a stripped program has no other names, and
    one bug must not have another name on a program that is not stripped.
    """
    own = [function for function in stack if not function.run_time]
    exported = [function for function in own if function.exported]
    names = (function.name for function in exported or own)
    return next((name for name in names if name not in _QEMU and not _RUST.search(name)), "")


def _chain(threads: Sequence[Thread]) -> list[Thread]:
    """Return the main thread, the one that holds the lock that it waits for, and so on."""
    by_number = {thread.number: thread for thread in threads}
    chain: list[Thread] = []
    following = next((thread for thread in threads if thread.main), None)
    while following is not None and following not in chain:
        chain.append(following)
        following = by_number.get(following.waits_for)
    return chain


def _stuck(threads: Sequence[Thread]) -> list[str]:
    """Return where other threads wait for a lock, or below an event loop of QEMU.

    Other threads may be idle in any function; which of them exist depends on earlier work.
    """
    return [
        place
        for thread in threads
        if not thread.main and (thread.waits_for or _polls(thread))
        if (place := place_in(thread.stack))
    ]


def _polls(thread: Thread) -> bool:
    return any(function.name == "aio_poll" for function in thread.stack)
