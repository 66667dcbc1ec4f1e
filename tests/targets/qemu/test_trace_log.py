"""The lines of QEMU's trace log, of each version whose format differs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from vblkfuzz.errors import HarnessError
from vblkfuzz.targets.dequeue import Dequeue
from vblkfuzz.targets.qemu.trace_log import TraceLog
from vblkfuzz.trace.event import ActorId

THREADS = {11: ActorId.MAIN, 12: ActorId.IO0}
NOTIFY = "virtio_queue_notify vdev 0x5590 n 2 vq 0x7f10"
POP = "virtqueue_pop vq 0x7f10 elem 0x5591 in_num 1 out_num 2"
FORMATS = {"10": "{}@1795912345.678901:", "11": "2026-11-29T01:58:54.390920Z "}
"""What a line begins with, by version."""


@pytest.fixture
def log() -> Iterator[TraceLog]:
    with closing(TraceLog(lambda queue: ActorId.IO1 if queue % 2 else ActorId.IO0)) as made:
        yield made


def write(log: TraceLog, *lines: str) -> None:
    os.write(log.fd, "".join(f"{line}\n" for line in lines).encode())


@pytest.mark.parametrize(("thread", "actor"), [(11, ActorId.MAIN), (12, 3), (13, ActorId.VCPU)])
def test_a_line_names_its_thread(thread: int, actor: int, log: TraceLog) -> None:
    begin = FORMATS["10"].format(thread)
    write(log, begin + NOTIFY, begin + "virtio_blk_handle_read x", begin + POP)
    assert log.dequeues(THREADS) == [Dequeue(2, actor)]


def test_a_line_without_thread_is_of_the_handler(log: TraceLog) -> None:
    write(log, FORMATS["11"] + NOTIFY, FORMATS["11"] + POP, FORMATS["11"] + POP)
    assert log.dequeues(THREADS) == [Dequeue(2, ActorId.IO0)] * 2


def test_it_is_of_the_handler_of_its_queue(log: TraceLog) -> None:
    second = (NOTIFY.replace("n 2", "n 1"), POP)
    write(log, *(FORMATS["11"] + line.replace("0x7f10", "0x7f20") for line in second))
    assert log.dequeues(THREADS) == [Dequeue(1, ActorId.IO1)]


@pytest.mark.parametrize("begin", ["", "[qemu] ", "12 "])
def test_other_lines_are_no_dequeues(begin: str, log: TraceLog) -> None:
    write(log, begin + NOTIFY, begin + POP)
    assert log.dequeues(THREADS) == []
    assert log.last == begin + POP


def test_half_a_line_is_read_later(log: TraceLog) -> None:
    begin = FORMATS["11"]
    os.write(log.fd, f"{begin}{NOTIFY}\n{begin}{POP[:20]}".encode())
    assert log.dequeues(THREADS) == []
    os.write(log.fd, f"{POP[20:]}\n".encode())
    assert log.dequeues(THREADS) == [Dequeue(2, ActorId.IO0)]


def test_a_dequeue_of_an_unknown_queue_is_no_verdict(log: TraceLog) -> None:
    write(log, FORMATS["11"] + POP)
    with pytest.raises(HarnessError, match="a dequeue of an unknown queue"):
        log.dequeues(THREADS)
