"""QEMU's own trace events as an exact witness of dequeues.

QEMU writes a line for each `virtqueue_pop` into a memfd. An earlier line of each handler run gives
the queue number of the VirtQueue's address. The parts that have been read are freed, so the log
does not grow. With ``-msg timestamp=on`` a line begins with

    7.2 to 10.x   the thread's id and the time: ``4711@1795912345.678901:virtqueue_pop ...``
    11.x          the time alone: ``2026-11-29T01:58:54.390920Z virtqueue_pop ...``

A thread that is not told is taken for the one that runs the queue's handler.
"""

from __future__ import annotations

import ctypes
import os
import re
from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.memory_map import SIDE_QUEUES
from vblkfuzz.errors import HarnessError
from vblkfuzz.targets.child import memfd
from vblkfuzz.targets.dequeue import Dequeue
from vblkfuzz.targets.hold import Hold, hold_of
from vblkfuzz.targets.qemu.queue_numbers import number_in_scenario
from vblkfuzz.trace.event import ActorId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SUPPORTED: Final = "7.2 to 11.1"
"""Versions whose lines are known."""
EVENTS: Final = ("virtqueue_pop", "virtio_queue_notify")

_LINE: Final = re.compile(
    rb"^(?:(\d+)@[\d.]+:|[\d-]+T[\d:.]+Z )"
    rb"((virtqueue_pop|virtio_queue_notify) (?:vdev \S+ n (\d+) )?vq (\S+)"
    rb"|gate (held|goes_on) (\d+) (\d+) (\d+) (\d+)\n)",
    re.M,
)
"""A line of QEMU's, or of the gate's (`gate.note`)."""
_SHOWN: Final = 70
"""Characters of a line that a message shows."""
_PUNCH_HOLE: Final = 3
"""FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE (fallocate(2))."""
_PAGE: Final = 1 << 20
"""Bytes of read log after which they are freed."""


class TraceLog:
    """The log of one QEMU process."""

    def __init__(self, handler: Callable[[int], ActorId], kind: str = "blk") -> None:
        """Create an empty log.

        Args:
            handler: returns the thread in which the process handles a queue of a scenario.
            kind: of its device, as in `scenario.device`.
        """
        self._kind = kind
        self.fd = memfd("trace")
        self.last = ""
        """The last line that was read."""
        self._handler = handler
        self._offset = 0
        self._freed = 0
        self._queues: dict[bytes, int] = {}
        """Queue number by the VirtQueue's address."""

    def feed(self, thread: int, text: bytes) -> None:
        """Add a line of a QEMU behind a gate, if it is of interest; it is known who writes it."""
        if found := _LINE.match(text):
            os.write(self.fd, b"%d@0:%s" % (thread, text[found.start(2) :]))

    def close(self) -> None:
        """Free the memfd."""
        os.close(self.fd)

    def dequeues(self, actors: Mapping[int, ActorId]) -> list[Dequeue | Hold]:
        """Return the dequeues and holds since the last call.

        Args:
            actors: the actor of each thread id; a thread that is not there is that of a vCPU.
        """
        size = os.fstat(self.fd).st_size
        if size == self._offset:
            return []
        data = os.pread(self.fd, size - self._offset, self._offset)
        data = data[: data.rfind(b"\n") + 1]
        self._offset += len(data)
        self._free()
        self.last = data[data.rfind(b"\n", 0, -1) + 1 : -1].decode(errors="replace")[:_SHOWN]
        found: list[Dequeue | Hold] = []
        for line in _LINE.findall(data):
            thread, _, event, number, address, *hold = line
            if hold[0]:
                found.append(hold_of(*hold))
            elif event == b"virtqueue_pop":
                queue = self._queue(address)
                by = actors.get(int(thread), ActorId.VCPU) if thread else self._handler(queue)
                found.append(Dequeue(queue, by))
            else:
                self._queues[address] = number_in_scenario(self._kind, int(number))
        return found

    def _queue(self, address: bytes) -> int:
        if address not in self._queues and self._kind == "scsi":
            return SIDE_QUEUES[1]  # only for an event QEMU takes a buffer unasked
        if address not in self._queues:
            raise HarnessError("QEMU's trace log: a dequeue of an unknown queue")
        return self._queues[address]

    def _free(self) -> None:
        if self._offset - self._freed > _PAGE:
            end = self._offset & ~4095
            libc = ctypes.CDLL(None, use_errno=True)
            libc.fallocate(
                self.fd, _PUNCH_HOLE, ctypes.c_long(self._freed), ctypes.c_long(end - self._freed)
            )
            self._freed = end
