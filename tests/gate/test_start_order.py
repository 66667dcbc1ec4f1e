"""Roles of threads by the order in which they were started."""

from __future__ import annotations

import os
from functools import partial

from tests.gate.program import NEEDS_GATE, below_a_filter
from tests.waiting import until
from vblkfuzz.gate.start_order import StartOrder
from vblkfuzz.scenario.scenario import Role

pytestmark = NEEDS_GATE

THREADS = """
import queue
ends, started = {}, []
def start(name):
    ends[name] = queue.SimpleQueue()
    begin(name, ends[name].get)
    os.write(1, b".")
for word in sys.stdin:
    name = word[1:].strip().encode()
    start(name) if word[0] == "+" else ends[name].put(None)
"""
"""Starts and ends threads by name."""


def threads_of(pid: int) -> dict[str, int]:
    found = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm") as file:
            found[file.read().strip()] = int(task)
    return found


def is_there(pid: int, name: str) -> bool:
    return name in threads_of(pid)


def test_the_order_of_the_start_decides() -> None:
    with below_a_filter(THREADS) as (process, fd):
        order = StartOrder(process.pid, (Role.MAIN, None, Role.IO0))
        assert process.stdin is not None
        for name in ("a", "b", "c", "d"):
            process.stdin.write(b"+%s\n" % name.encode())
            process.stdin.flush()
            until(partial(is_there, process.pid, name))
        found = threads_of(process.pid)
        roles = {name: order.role(found[name]) for name in ("d", "c", "b", "a")}
        assert roles == {"a": None, "b": Role.IO0, "c": Role.WORKER, "d": Role.WORKER}
        assert order.role(process.pid) is Role.MAIN
        # The place of a thread that has ended is that of the next one; the others keep theirs.
        process.stdin.write(b"-b\n+e\n+f\n")
        process.stdin.flush()
        until(lambda: "b" not in threads_of(process.pid) and "f" in threads_of(process.pid))
        found = threads_of(process.pid)
        roles = {name: order.role(found[name]) for name in ("f", "c", "e")}
        assert roles == {"e": Role.IO0, "c": Role.WORKER, "f": Role.WORKER}
        os.close(fd)


def test_a_thread_of_another_process_has_none() -> None:
    with below_a_filter("sys.stdin.readline()") as (process, fd):
        order = StartOrder(process.pid, (Role.MAIN,))
        assert order.role(os.getpid()) is None
        os.close(fd)
