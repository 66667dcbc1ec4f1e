"""The stacks of a process that sleeps, without a debugger: Python scripts whose calls are known."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from tests.conformance.leftovers import nothing_left
from tests.waiting import until
from vblkfuzz.targets.child import Child
from vblkfuzz.targets.ending import ending_of
from vblkfuzz.targets.native import thread_stacks
from vblkfuzz.targets.native.thread_stacks import Thread, sleeping_threads
from vblkfuzz.trace.kinds import HANG

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="registers of x86-64")

SORTS = """
import ctypes, time
libc = ctypes.CDLL(None)
words = (ctypes.c_long * 2)()
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(
    lambda *_: time.sleep(600) or 0)
libc.qsort(words, 2, 8, compare)
"""
"""Sleeps in a function that libc calls: the stack passes through libc, libffi and Python."""

LOCKS = """
import ctypes, threading, time
libc = ctypes.CDLL(None)
lock = (ctypes.c_char * 64)()
libc.pthread_mutex_lock(lock)
threading.Thread(target=libc.pthread_mutex_lock, args=(lock,), daemon=True).start()
time.sleep(600)
"""
"""The main thread holds a mutex; another thread waits for it."""

SPINS = "while True: pass"


@contextmanager
def running(code: str, asleep: int) -> Iterator[Child]:
    """Run a script until so many threads sleep in what it calls."""
    with nothing_left():
        child = Child([sys.executable, "-c", code], ())
        try:
            child.unwatch()
            until(lambda: sum("Py" in " ".join(names(one)) for one in stacks(child)) >= asleep)
            yield child
        finally:
            child.end()


def stacks(child: Child) -> Sequence[Thread]:
    return sleeping_threads(child.pid)


def names(thread: Thread) -> list[str]:
    return [function.name for function in thread.stack]


def test_a_stack_is_read_from_end_to_end() -> None:
    with running(SORTS, 1) as child:
        (main,) = stacks(child)
        assert main.main
        found = names(main)
        sleep, sort, start = (
            next(at for at, one in enumerate(found) if word in one)
            for word in ("nanosleep", "qsort", "__libc_start_main")
        )
        assert sleep < sort < start
        assert stacks(child) == [main]
        assert child.exit_code() is None


def test_the_holder_of_a_mutex_is_known() -> None:
    with running(LOCKS, 2) as child:
        main, waiting = stacks(child)
        assert (main.main, main.waits_for) == (True, 0)
        assert (waiting.main, waiting.waits_for) == (False, main.number)
        assert any("pthread_mutex_lock" in one for one in names(waiting))


def test_a_thread_that_runs_has_no_stack() -> None:
    with running(SPINS, 0) as child:
        until(lambda: not stacks(child))


def test_a_hang_has_one_name_and_a_process_that_goes_on_afterwards() -> None:
    found = set()
    for _ in range(2):
        with running(SORTS, 1) as child:
            for explain in (True, False):
                ending = ending_of(child, guest_waits=True, dies=False, explain=explain)
                assert ending is not None
                assert ending.kind == HANG
                assert ending.fault is not None
                assert " (the main one) sleeps\n  in " in ending.report
                found.add((ending.fault.name, ending.fields["path"]))
    ((name, _),) = found
    assert name.startswith("guest-")


def test_where_tracing_is_forbidden_a_hang_is_named_by_who_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_request: int, _thread: int, _data: int) -> None:
        raise PermissionError

    with running(SORTS, 1) as child:
        monkeypatch.setattr(thread_stacks, "ptrace", refuse)
        ending = ending_of(child, guest_waits=True, dies=False, explain=False)
        assert ending is not None
        assert ending.fault is None
        assert ending.fields == {"flag": 1, "path": 0}
