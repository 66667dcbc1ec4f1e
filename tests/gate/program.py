"""Small programs below a filter, whose threads write lines as those of QEMU do."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.waiting import WAIT_S, until
from vblkfuzz.gate.available import why_no_gate
from vblkfuzz.gate.filter import Calls
from vblkfuzz.gate.installation import Installation
from vblkfuzz.gate.listener import Gone, Listener, Stop

NEEDS_GATE = pytest.mark.skipif(bool(why_no_gate()), reason=why_no_gate() or "there is one")

_BEGIN = """
import ctypes, os, signal, sys, threading, time
null = os.open(os.devnull, os.O_WRONLY)
def line(event):
    os.write(null, b"1@0.0:%s x\\n" % event)
def begin(name, work):
    def run():
        ctypes.CDLL(None).prctl(15, name, 0, 0, 0)
        work()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
"""


@contextmanager
def below_a_filter(
    code: str, calls: Calls = Calls.LINES
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run Python code below a filter; yield it and the fd of its listener, which the block owns.

    The code may use `line(event)` and `begin(name, work)`, which starts a thread of that name; it
    waits for `sys.stdin.readline()`, and its standard output is a pipe.
    """
    installation = Installation(calls)
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _BEGIN + code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=installation.prepare,  # noqa: PLW1509 -- it takes no lock
    )
    try:
        yield process, installation.listener()
    finally:
        process.kill()
        with process:
            installation.close()


@contextmanager
def listening(
    code: str, calls: Calls = Calls.LINES
) -> Iterator[tuple[subprocess.Popen[bytes], Listener]]:
    """As `below_a_filter`; yield the listener, which is closed afterwards."""
    with below_a_filter(code, calls) as (process, fd):
        listener = Listener(fd, process.pid)
        try:
            yield process, listener
        finally:
            listener.close()


def next_stop(listener: Listener) -> Stop:
    """Return the next thread that asks."""
    found: list[Stop] = []

    def comes() -> bool:
        stop = listener.receive() if listener.asked else None
        found.extend([stop] if stop else [])
        return bool(found)

    until(comes)
    return found[0]


def asking(listener: Listener) -> Iterator[Stop]:
    """Yield each thread that asks, until the program has ended."""
    poll = select.poll()
    poll.register(listener.fd, select.POLLIN)
    while poll.poll(1000 * WAIT_S):
        try:
            stop = listener.receive() if listener.asked else None
        except Gone:
            return
        if stop:
            yield stop


def stop_and_continue(pid: int) -> None:
    """Stop a process from outside, wait until its threads are, and let them go on."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: set(_states(pid)) <= {"T"})
    os.kill(pid, signal.SIGCONT)


def _states(pid: int) -> Iterator[str]:
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat") as file:
            yield file.read().rpartition(") ")[2][0]
