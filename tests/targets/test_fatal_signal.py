"""The place of a fatal signal, without a debugger, and what a watched process still does."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.conformance.leftovers import await_end, nothing_left
from tests.waiting import until
from vblkfuzz.errors import DeviceLost
from vblkfuzz.targets.breakpoints import tracee
from vblkfuzz.targets.child import Child
from vblkfuzz.targets.device_end import Ending
from vblkfuzz.targets.ending import ending_of

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="registers of x86-64")

READS = "import ctypes; ctypes.string_at(0)"
WRITES = "import ctypes; ctypes.memset(0, 1, 9)"
IN_THREAD = (
    f"import threading; t = threading.Thread(target=lambda: exec({READS!r})); t.start(); t.join()"
)
WAITS = "import threading; threading.Thread(target=threading.Event().wait).start()"


@contextmanager
def running(code: str) -> Iterator[Child]:
    with nothing_left():
        child = Child([sys.executable, "-c", code], ())
        try:
            yield child
        finally:
            child.end()


def end_of(code: str) -> Ending:
    with running(code) as child:
        until(lambda: child.exit_code() is not None)
        ending = ending_of(child, guest_waits=False)
    assert ending is not None
    return ending


def name_of(code: str) -> str:
    fault = end_of(code).fault
    assert fault is not None
    return fault.name


def test_the_place_of_a_fault_is_the_same_each_time_and_another_for_another_bug() -> None:
    """Addresses differ from run to run, the place in the file does not."""
    names = {name_of(READS) for _ in range(3)}
    (name,) = names
    assert name.startswith("SIGSEGV-")
    assert len(name) > len("SIGSEGV-")
    assert name_of(WRITES) not in names


def test_a_fault_of_another_thread_has_a_place() -> None:
    ending = end_of(IN_THREAD)
    assert ending.fault is not None
    assert ending.fault.function
    assert f"  in {ending.fault.function}\n" in ending.report


def test_where_tracing_is_forbidden_a_crash_is_named_by_its_signal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_request: int, _thread: int, _data: int) -> None:
        raise PermissionError

    monkeypatch.setattr(tracee, "ptrace", refuse)
    ending = end_of(READS)
    assert ending.fault is not None
    assert ending.fault.name == "SIGSEGV"
    assert "  in " not in ending.report


def test_a_signal_that_the_device_handles_reaches_it() -> None:
    code = "import os, signal, sys; signal.signal(signal.SIGUSR1, lambda *_: os._exit(7));"
    with running(f"{code} os.kill(os.getpid(), signal.SIGUSR1); signal.pause()") as child:
        until(lambda: child.exit_code() == 7)


def test_a_stopped_process_goes_on() -> None:
    with running(WAITS) as child:
        until(lambda: len(os.listdir(f"/proc/{child.pid}/task")) == 2)
        until(lambda: not child.is_stopped)  # both threads stop when the second one is traced
        os.kill(child.pid, signal.SIGSTOP)
        until(lambda: child.is_stopped)
        with pytest.raises(DeviceLost, match="stopped from outside"):
            ending_of(child, guest_waits=False, explain=False)
        os.kill(child.pid, signal.SIGCONT)
        until(lambda: not child.is_stopped)


def test_a_debugger_can_have_it() -> None:
    def tracer(pid: int) -> str:
        return Path(f"/proc/{pid}/status").read_text().partition("TracerPid:\t")[2].split()[0]

    with running(WAITS) as child:
        assert tracer(child.pid) != "0"
        child.unwatch()
        assert tracer(child.pid) == "0"
        assert child.exit_code() is None


def test_what_a_script_has_started_ends_with_it() -> None:
    with nothing_left():
        child = Child(["/bin/sh", "-c", "sleep 600 & wait"], ())
        started = psutil.Process(child.pid)
        until(lambda: bool(started.children()))
        below = started.children()
        assert child.is_wrapper
        child.end()
        await_end(below)


def test_what_a_script_has_started_ends_with_a_killed_user() -> None:
    program = (
        "import time\n"
        "from vblkfuzz.targets.child import Child\n"
        "child = Child(['/bin/sh', '-c', 'sleep 600 & wait'], ())\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "ready\n"
        # The watcher, the shell and what the shell has started.
        until(lambda: len(psutil.Process(user.pid).children(recursive=True)) == 3)
        below = set(psutil.Process(user.pid).children(recursive=True))
        user.kill()
    await_end(below)
