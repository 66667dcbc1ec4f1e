"""The place of a hang: the functions in which its threads wait (docs/decisions/0018).

It is made of two functions: the one in which the main loop waits, and the one in which another
thread waits, for something that only a hang lets last. Functions that only say how a thread sleeps
say nothing of a bug, so their caller counts. A thread that waits in its event loop is idle.
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
    main = next((thread for thread in threads if thread.main), None)
    first = place_in(main.stack) if main else ""
    second = _holder(threads, main) or min(_stuck(threads), default="")
    if not (first or second):
        return None
    return Fault(HANG, waiter, "", first, "", 0, second)


def place_in(stack: Sequence[Function]) -> str:
    """Return the innermost function on a stack that says something of a bug; else an empty text.

    Only exported functions count where there are any: a stripped program has no other names, and
    one bug must not have another name on a program that is not stripped.
    """
    own = [function for function in stack if not function.run_time]
    exported = [function for function in own if function.exported]
    names = (function.name for function in exported or own)
    return next((name for name in names if name not in _QEMU and not _RUST.search(name)), "")


def _holder(threads: Sequence[Thread], main: Thread | None) -> str:
    """Return where the thread waits that the main loop waits for, if that can be told."""
    by_number = {thread.number: thread for thread in threads}
    seen: list[Thread | None] = [main]
    while (last := seen[-1]) is not None:
        following = by_number.get(last.waits_for)
        if following in seen:
            return ""
        if following and (place := place_in(following.stack)):
            return place
        seen.append(following)
    return ""


def _stuck(threads: Sequence[Thread]) -> list[str]:
    """Return where other threads wait for a lock, or below an event loop of QEMU.

    Other threads may be idle in any function; which of them exist depends on earlier work.
    """
    return [
        place
        for thread in threads
        if not thread.main and (thread.waits_for or _is_of_qemu(thread))
        if (place := place_in(thread.stack))
    ]


def _is_of_qemu(thread: Thread) -> bool:
    return any(function.name in _QEMU and function.exported for function in thread.stack)
